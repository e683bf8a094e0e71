//! Encodings under SQL Server's own stream: backup and restore against the double.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::{WAYS, configure, manifest, secret};
use crate::front::{Host, Setup, database};

fn host(encoding: &str, passphrase: bool, backup: &'static str) -> Host {
    let setup = Setup {
        databases: database("Payroll", 6 << 20),
        backup,
        ..Setup::default()
    };
    let mut host = Host::blank(&setup);
    configure(&mut host.world, encoding, passphrase);
    host.world.json(&["media", "format", "payroll"]).ended(0);
    host
}

#[test]
fn backups_of_every_encoding_restore_exactly() {
    for (encoding, passphrase) in WAYS {
        let mut host = host(encoding, passphrase, "");
        host.backup().ended(0);
        let facts = manifest(&host.world.file(2, 1, "0002."));
        assert_eq!(facts["encoding"], encoding);
        assert_eq!(facts["source"], "vdi");
        let line = ["media", "verify", "payroll", "--decode"];
        host.world.json(&line).ended(0);
        host.restores("Payroll", 1, "Payroll_Copy");
        // A chunk of one mirror is damaged: the other one gives it.
        let data = host.world.file(1, 1, "0001.");
        crate::support::damage_bit(&data, 8 * 1000);
        host.restore("Payroll_Again").ended(3);
        assert_eq!(host.told("Payroll_Again")["state"], "ONLINE");
    }
}

#[test]
fn a_restore_without_its_key_never_reaches_the_server() {
    let mut host = host("zstd+age", false, "");
    host.backup().ended(0);
    secret(&host.world, "key.txt", "nonsense");
    host.restore("Payroll_Copy").ended(1).failed("TW3020");
    let there = host.lab.database(crate::front::SERVER, "Payroll_Copy");
    assert!(there.is_err(), "{there:?}");
}

#[test]
fn compression_by_the_server_does_not_join_plain_sets_3098() {
    let mut host = host("raw", false, "compression = \"none\"");
    host.backup().ended(0);
    let group = host.world.path().join("groups.d/payroll.toml");
    let text = std::fs::read_to_string(&group).unwrap();
    std::fs::write(&group, text.replace("\"none\"", "\"server\"")).unwrap();
    let fault = host.backup().ended(5);
    let fault = fault.object().to_string();
    assert!(fault.contains("3098"), "{fault}");
    let told = host.quiet("Payroll");
    assert_eq!(told["backups"].as_array().unwrap().len(), 1, "{told}");
}
