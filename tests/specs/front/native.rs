//! Compression and encryption by SQL Server: asked for, or refused before anything is begun.

use std::fs;

use serde_json::Value;

use super::{Host, Setup};

fn host(server: &str, backup: &'static str) -> Host {
    Host::formatted(&Setup {
        server: server.into(),
        backup,
        ..Setup::default()
    })
}

fn facts(host: &Host) -> Value {
    let bytes = fs::read(host.world.file(1, 1, "0002.")).unwrap();
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap();
    serde_json::from_slice(line).unwrap()
}

const ENCRYPTED: &str = "[backup.encryption]\ncertificate = \"Backup]Cert's\"\n";
const CERTIFICATE: &str = "certificates = [{ name = \"Backup]Cert's\" }]";

#[test]
fn encryption_goes_through_and_stands_in_the_manifest() {
    let mut host = host(CERTIFICATE, ENCRYPTED);
    host.backup().ended(0);
    let row = host.told("Payroll")["backups"][0].clone();
    assert_eq!(row["key_algorithm"], "aes_256", "{row}");
    let facts = facts(&host);
    assert_eq!(facts["asked"]["encryption"], "AES_256");
    assert_eq!(facts["asked"]["encryptor"], "Backup]Cert's");
}

#[test]
fn a_certificate_that_is_missing_or_expired_is_named() {
    let expired = "certificates = [{ name = \"Backup]Cert's\", expires = \"2001-01-01\" }]";
    for (server, number) in [("", "33111"), (expired, "3096")] {
        let mut host = host(server, ENCRYPTED);
        let ran = host.backup().ended(1);
        let fault = ran.object()["error"].to_string();
        assert!(fault.contains(number), "{fault}");
        host.server_has_no_backup("Payroll");
        host.media_are_clean();
    }
}

#[test]
fn what_version_or_edition_cannot_do_is_said_before_anything_is_begun() {
    let express = "version = { edition = \"Express Edition (64-bit)\", engine_edition = 4 }";
    let old = "version = { major = 11 }";
    let zstd = "compression = \"server\"\ncompression_algorithm = \"ZSTD\"";
    let rows = [
        (express, "compression = \"server\""),
        (express, ENCRYPTED),
        (old, ENCRYPTED),
        ("", zstd),
        (
            old,
            "compression = \"server\"\ncompression_algorithm = \"MS_XPRESS\"",
        ),
    ];
    for (server, backup) in rows {
        let mut host = host(server, backup);
        let fault = host.backup().ended(1).failed("TW4023");
        assert!(!fault["remedy"].as_str().unwrap().is_empty());
        host.server_has_no_backup("Payroll");
        host.media_are_clean();
    }
}

#[test]
fn an_algorithm_is_passed_on_where_the_version_knows_it() {
    let row = |backup| {
        let mut host = host("version = { major = 17 }", backup);
        host.backup().ended(0);
        host.told("Payroll")["backups"][0].clone()
    };
    let zstd = "compression = \"server\"\ncompression_algorithm = \"ZSTD\"\n\
                compression_level = \"HIGH\"";
    assert_eq!(row(zstd)["compression_algorithm"], "ZSTD");
    let row = row("compression = \"server\"");
    assert_eq!(row["compression_algorithm"], "MS_XPRESS", "{row}");
}
