//! Somebody else's full between the look at the chain and BACKUP: what is told, and what counts?

use serde_json::{Value, json};

use super::{Host, Setup};

/// A host whose second mirror holds every run up between the look and BACKUP, until a file is
/// there. A full and a log are held.
fn gated() -> Host {
    let mut host = Host::formatted(&Setup::default());
    host.backup().ended(0);
    host.take("log", &[]).ended(0);
    let until = host.world.path().join("go-on");
    let fault = json!({
        "hang_in": "leftovers", "hang_ms": 60_000, "hang_until": until,
    });
    host.world.configure(|media| {
        media.fault(2, 1, fault);
    });
    host
}

fn base(host: &mut Host) -> Value {
    host.told("Payroll")["differential_base"].clone()
}

#[test]
fn a_differential_on_another_base_than_the_one_looked_at_never_succeeds() {
    let mut host = gated();
    let ours = base(&mut host);
    let mut run = host.world.start(&["backup", "payroll", "--kind", "diff"]);
    assert!(run.says("a fault was planted in leftovers"));
    host.foreign("BACKUP DATABASE [Payroll] TO DISK = N'other.bak' WITH FORMAT");
    let theirs = base(&mut host);
    assert_ne!(ours, theirs);
    std::fs::write(host.world.path().join("go-on"), "").unwrap();
    let ran = run.end().ended(1);
    let fault = ran.failed("TW4008").to_string().to_lowercase();
    for guid in [&ours, &theirs] {
        assert!(
            fault.contains(&guid.as_str().unwrap().to_lowercase()),
            "{fault}"
        );
    }
    assert!(fault.contains("begins anew"), "{fault}");
    // SQL Server counts it, and the media do not: no restore is planned over it.
    let told = host.told("Payroll");
    let row = told["backups"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(row["type"], "I", "{row}");
    host.world.heal_devices();
    let sets = host.sets_of("payroll");
    assert_eq!(sets.last().unwrap()["state"], "unconfirmed", "{sets:?}");
    // The next differential finds the other base, and becomes a full.
    let ran = host.take("diff", &[]).ended(3);
    assert!(ran.failed("TW4022").to_string().contains("other.bak"));
    assert_eq!(ran.object()["result"]["sets"][0]["kind"], "full");
}

#[test]
fn a_full_of_somebody_else_in_between_harms_no_log() {
    let mut host = gated();
    host.world.configure(|media| media.faults.clear());
    let before = host.told("Payroll")["last_log_backup"].clone();
    host.foreign("BACKUP DATABASE [Payroll] TO DISK = N'other.bak' WITH FORMAT");
    host.take("log", &[]).ended(3).failed("TW4022");
    let told = host.told("Payroll");
    let row = told["backups"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(row["first_lsn"], before);
}
