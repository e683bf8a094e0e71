//! Under exactly the rights that `twinset grants --feature stage` prints: what can be done, and
//! what is left alone where one of them is missing?

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;
use twinset_domain::grants::{PASSWORD as NEW_PASSWORD, Release};

use super::{staged, usual};
use crate::front::{Host, PASSWORD};
use crate::grants::{LOGIN, STAGE, open, run, script, wanted};

/// The usual host, whose login has the printed rights but for those that hold this text.
fn host(left_out: Option<&str>) -> Host {
    let mut host = usual();
    let mut grants = wanted(Release::Sql2022, STAGE);
    for grant in &mut grants {
        grant
            .sql
            .retain(|line| left_out.is_none_or(|out| !line.contains(out)));
    }
    let mut admin = open(&host, "twinset", PASSWORD).unwrap();
    run(&mut admin, &script(&grants));
    fs::write(host.world.path().join("password"), NEW_PASSWORD).unwrap();
    host.reach(|client| client.user = LOGIN.into());
    host
}

#[test]
fn every_kind_of_backup_is_taken() {
    let mut host = host(None);
    for kind in ["full", "log", "diff", "log"] {
        host.take(kind, &[]).ended(0);
    }
    let told = host.told("Payroll");
    let rows = told["backups"].as_array().unwrap().iter();
    let kinds: Vec<&str> = rows.map(|row| row["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["D", "L", "I", "L"]);
    assert_eq!(staged(&host), Vec::<String>::new());
}

#[test]
fn a_statement_that_runs_on_without_its_agent_keeps_its_files() {
    // Without this right the dead run's statement cannot be ended.
    let mut host = host(Some("ALTER ANY CONNECTION"));
    host.turn(&json!({
        "ignores_disconnect": true, "lost_client_goes_on": true, "bytes_per_second": 1 << 20,
    }));
    let running = host.world.start(&["backup", "payroll"]);
    let until = Instant::now() + Duration::from_secs(60);
    while host.told("Payroll")["busy"] != true {
        assert!(Instant::now() < until, "no BACKUP began");
        std::thread::yield_now();
    }
    running.kill();
    let recovered = host.recover();
    assert_eq!(host.told("Payroll")["busy"], true, "{recovered:?}");
    // SQL Server may count these files yet.
    assert_eq!(staged(&host).len(), 3, "{recovered:?}");
    let told = host.quiet("Payroll");
    assert_eq!(told["backups"].as_array().unwrap().len(), 1);
    host.turn(&json!({}));
    host.recover().ended(0);
    assert_eq!(staged(&host), Vec::<String>::new());
    let sets = host.sets_of("payroll");
    assert_eq!(sets.last().unwrap()["state"], "published", "{sets:?}");
}
