//! Does the script of a chain do by hand what the restore does?

use twinset::sqlserver::StatementEnd;

use super::{Chains, position};

/// Exports the sets of a chain to a folder and gives the script for them.
fn written(chains: &Chains, names: &[&str], more: &[&str]) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir_in(chains.host.world.path()).unwrap();
    let to = folder.path().to_str().unwrap().to_owned();
    let line = [&["--script", &to], more].concat();
    let script = chains.run(&line).ended(0).result()["script"]
        .as_str()
        .unwrap()
        .to_owned();
    for name in names {
        let number = position(name).to_string();
        let line = format!("media export payroll --position {number} --to '{to}'");
        assert!(script.contains(&line), "{script}");
        let line = [
            "media",
            "export",
            "payroll",
            "--position",
            &number,
            "--to",
            &to,
        ];
        chains.host.world.json(&line).ended(0);
    }
    (folder, script)
}

#[test]
fn a_hand_gets_what_the_restore_gets() {
    let mut chains = Chains::on_one_fork();
    let more = ["--to", "2026-11-21T04:40:00Z"];
    let (_folder, script) = written(&chains, &["F1", "D1", "L4"], &more);
    // Nothing was restored yet.
    assert!(
        chains
            .host
            .lab
            .database(crate::front::SERVER, "Copy")
            .is_err()
    );
    assert!(
        script.contains("STOPAT = N'2026-11-21T04:40:00'"),
        "{script}"
    );
    assert_eq!(chains.by_hand(&script), StatementEnd::Ok, "{script}");
    let by_hand = chains.host.told("Copy");
    assert_eq!(by_hand["state"], "ONLINE");
    let ran = chains.host.restore_of("Payroll", "Other", &more).ended(0);
    assert_eq!(ran.result()["sets"].as_array().unwrap().len(), 3);
    let other = chains.host.told("Other");
    for what in [
        "state",
        "last_log_backup",
        "differential_base",
        "log_end",
        "writes",
    ] {
        assert_eq!(by_hand[what], other[what], "{what}");
    }
}

#[test]
fn one_full_is_one_statement() {
    let mut chains = Chains::of(&["F1"]);
    let (_folder, script) = written(&chains, &["F1"], &[]);
    assert_eq!(script.matches("RESTORE ").count(), 1, "{script}");
    assert!(
        script.contains("MOVE N'Payroll' TO N'/var/opt/mssql/data/Copy.Payroll.mdf'"),
        "{script}"
    );
    assert_eq!(chains.by_hand(&script), StatementEnd::Ok, "{script}");
    assert_eq!(chains.host.told("Copy")["state"], "ONLINE");
}
