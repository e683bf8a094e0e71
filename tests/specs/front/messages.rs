//! What people read when something fails: the printed form of each message, word for word.

use std::path::PathBuf;

use insta::assert_snapshot;
use serde_json::json;

use super::{Host, Setup, database, mirrored};
use crate::support::{built, damage_bit};

/// Columns of a snapshot.
const WIDTH: usize = 88;
const BACKUP: &[&str] = &["backup", "payroll"];
const RESTORE: &[&str] = &[
    "restore", "run", "Payroll", "--group", "payroll", "--as", "Copy", "--on", "sql-a",
];

/// What `twinset` says on standard error, without what differs from run to run.
pub(crate) fn said(host: &Host, args: &[&str]) -> String {
    let text = host.world.run(args).stderr;
    let folder = host.world.path().display().to_string();
    let text = text.replace(&folder, "[folder]");
    let text = text.replace(&host.client.port.to_string(), "[port]");
    text.lines()
        .map(|line| fold(&even(&redact(line))))
        .collect()
}

/// What depends on how many writes were under way when one of them failed goes.
fn even(line: &str) -> String {
    if let Some((_, of)) = line.split_once(" bytes of family ") {
        return format!("  cause: [n] bytes of family {of}");
    }
    match line.split_once(" failed: ") {
        Some((what, _)) if what.contains("then SQL Server") => format!("{what} failed: [...]"),
        _ => line.to_owned(),
    }
}

/// Folds a long line so that it fits this page.
fn fold(line: &str) -> String {
    let mut out = String::new();
    let mut width = 0;
    for word in line.split_inclusive(' ') {
        if width + word.trim_end().len() > WIDTH {
            out.truncate(out.trim_end().len());
            out.push_str("\n      > ");
            width = 8;
        }
        out.push_str(word);
        width += word.len();
    }
    out + "\n"
}

/// Ids, with and without dashes, become `[id]`.
fn redact(line: &str) -> String {
    let is_id = |text: &str, dashes: usize| {
        let found = text.chars().filter(|c| *c == '-').count();
        found == dashes && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
    };
    let mut out = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let found = [(36, 4), (32, 0)].into_iter().find(|(length, dashes)| {
            rest.get(..*length)
                .is_some_and(|head| first != '-' && is_id(head, *dashes))
        });
        let taken = found.map_or(first.len_utf8(), |(length, _)| length);
        out.push_str(if found.is_some() {
            "[id]"
        } else {
            &rest[..taken]
        });
        rest = &rest[taken..];
    }
    out
}

fn with(change: impl FnOnce(&mut Setup)) -> Host {
    let mut setup = Setup::default();
    change(&mut setup);
    Host::formatted(&setup)
}

fn turned(families: u16, faults: serde_json::Value) -> Host {
    let mut host = with(|setup| setup.families = families);
    host.turn(&faults);
    host
}

#[test]
fn wrong_password() {
    let host = Host::usual();
    std::fs::write(host.world.path().join("password"), "wrong").unwrap();
    assert_snapshot!(said(&host, BACKUP), @r#"
    probe sql-a: Payroll
    error 18456 sql-a (localhost:[port]): SQL Server refused the login
      cause: SQL Server error 18456: Login failed for user 'twinset'.
      remedy: check user and password; the server's error log gives the reason as a state
    "#);
}

#[test]
fn name_mismatch() {
    let host = with(|setup| setup.server = "certificate_names = [\"other\"]".into());
    assert_snapshot!(said(&host, BACKUP), @r#"
    probe sql-a: Payroll
    error TW4002 sql-a (localhost:[port]): the server's certificate is not for the name
          > localhost
      cause: the server's certificate was rejected during the TLS handshake: certificate not
          > valid for name "localhost"; certificate is only valid for DnsName("other").
      remedy: set server_name to a name in the certificate, or give the server the right one
    "#);
}

#[test]
fn unknown_authority() {
    let mut host = Host::usual();
    host.reach(|client| client.ca_file = None);
    assert_snapshot!(said(&host, BACKUP), @r#"
    probe sql-a: Payroll
    error TW4002 sql-a (localhost:[port]): nobody this agent trusts has signed the server's
          > certificate
      cause: the server's certificate was rejected during the TLS handshake: UnknownIssuer.
      remedy: set ca_file to the PEM file of the authority that signed it
    "#);
}

#[test]
fn no_sysadmin() {
    let mut host = Host::usual();
    host.reach(|client| client.user = "reader".into());
    assert_snapshot!(said(&host, BACKUP), @r#"
    probe sql-a: Payroll
    error 3265 sql-a: login reader is no sysadmin
      cause: SQL Server lets sysadmin alone use VIRTUAL_DEVICE (error 3265)
      remedy: ALTER SERVER ROLE sysadmin ADD MEMBER [reader], or set source = "stage", which
          > does without
    "#);
}

#[test]
fn unknown_database() {
    let host = with(|setup| setup.names = vec!["Nobody"]);
    assert_snapshot!(said(&host, BACKUP), @r#"
    probe sql-a: Nobody
    error 911 sql-a: database Nobody does not exist
      remedy: check the name in the group's databases; names follow the server's collation
    "#);
}

#[test]
fn mirror_role() {
    let host = with(|setup| setup.databases = mirrored("Payroll", "mirror"));
    assert_snapshot!(said(&host, BACKUP), @r#"
    probe sql-a: Payroll
    error 954 sql-a, database Payroll: the database is the mirror here
      remedy: back it up on SQL-B, which is principal
    "#);
}

#[test]
fn not_online() {
    let offline = database("Payroll", 1 << 20) + "state = \"OFFLINE\"\n";
    let host = with(|setup| setup.databases = offline);
    assert_snapshot!(said(&host, BACKUP), @r#"
    probe sql-a: Payroll
    error TW4010 sql-a, database Payroll: the database is OFFLINE
      remedy: bring it online; nothing was written
    "#);
}

#[test]
fn library_missing() {
    let mut host = Host::usual();
    host.reach(|client| client.vdi_library = PathBuf::from("/nowhere/libsqlvdi.so"));
    assert_snapshot!(said(&host, BACKUP), @r#"
    probe sql-a: Payroll
    error TW4004 /nowhere/libsqlvdi.so: the VDI library cannot be opened
      cause: No such file or directory (os error 2)
      remedy: set vdi_library to the libsqlvdi.so of the installed SQL Server; the agent
          > must run on the database host
    "#);
}

#[test]
fn symbol_missing() {
    let mut host = Host::usual();
    let crippled = host.world.path().join("libsqlvdi.so");
    let symbol = "_ZN22ClientVirtualDeviceSet5CloseEv";
    sqlvdi::without_symbol(&built("libsqlvdi.so"), &crippled, symbol).unwrap();
    host.reach(|client| client.vdi_library = crippled);
    assert_snapshot!(said(&host, BACKUP), @r#"
    probe sql-a: Payroll
    error TW4004 [folder]/libsqlvdi.so: this version of the VDI library has no symbol
          > _ZN22ClientVirtualDeviceSet5CloseEv
      remedy: set vdi_library to the libsqlvdi.so of the installed SQL Server, or update SQL
          > Server
    "#);
}

#[test]
fn not_formatted() {
    let host = Host::blank(&Setup::default());
    assert_snapshot!(said(&host, BACKUP), @r#"
    probe sql-a: Payroll
    error 3215 media set payroll: no volume of this media set was ever formatted
      remedy: run: twinset media format payroll
    "#);
}

#[test]
fn one_media_set_at_a_time() {
    let mut host = Host::usual();
    host.turn(&json!({ "bytes_per_second": 2 << 20 }));
    let mut first = host.world.start(BACKUP);
    assert!(first.says("\"begin\""));
    assert_snapshot!(said(&host, BACKUP), @r#"
    probe sql-a: Payroll
    error TW5002 media set payroll: another run of this agent works on the media set
      remedy: wait until it has ended; one run at a time writes a media set
    "#);
    first.end().ended(0);
}

#[test]
fn several_devices_unusable() {
    let host = turned(2, json!({ "fail_before_open": 3261 }));
    assert_snapshot!(said(&host, BACKUP), @r#"
    probe sql-a: Payroll
    error 3261 database Payroll: SQL Server error 3261: SQL Server cannot use the virtual
          > device configuration.
      cause: asked for: 2 devices, BLOCKSIZE 4096, MAXTRANSFERSIZE 1048576, BUFFERCOUNT 16
      remedy: set families = 1 for this media set
    "#);
}

#[test]
fn server_fails_in_the_middle() {
    let host = turned(1, json!({ "fail_after_bytes": 1_000_000 }));
    assert_snapshot!(said(&host, BACKUP), @r#"
    probe sql-a: Payroll
    error TW4003 database Payroll: SQL Server error 3271: A nonrecoverable I/O error
          > occurred on file "twinset-[id]:" 1117(The request could not be performed because
          > of an I/O device error.).
      remedy: see SQL Server's error log and the system's: a file could not be read or
          > written
    "#);
}

#[test]
fn disk_full() {
    let mut host = Host::usual();
    host.world.configure(|media| {
        media.fault(2, 1, json!({ "fail_write_at": 1_000_000, "only_index": 1 }));
    });
    assert_snapshot!(said(&host, BACKUP), @r#"
    probe sql-a: Payroll
    error TW2010 [folder]/m2/f1: the medium is full: write: planted fault: No space left on
          > device (os error 28)
      cause: [n] bytes of family 1, Payroll, were taken
      cause: then SQL Server error 3202: Write on "twinset-[id]" failed: [...]
      cause: SQL Server was not answered: it released no log, and counts no backup
      remedy: make room on the volume or widen it, then run the backup again
    "#);
}

#[test]
fn unconfirmed_after_an_error() {
    let host = turned(1, json!({ "fail_after_close": true }));
    assert_snapshot!(said(&host, BACKUP), @r#"
    probe sql-a: Payroll
    error TW3005 database Payroll, position 1: the set is sealed on every mirror, but SQL
          > Server's verdict is not success
      cause: error 3271: A nonrecoverable I/O error occurred on file "Payroll:" 1117(The
          > request could not be performed because of an I/O device error.).
      cause: msdb knows the set
      cause: it holds log sequence numbers 39000000172000001 to 39000000179200001
      remedy: the set is kept and restorable; run media recover to have it confirmed
    "#);
}

#[test]
fn unconfirmed_after_a_lost_connection() {
    let host = turned(1, json!({ "drop_connection": "after-success" }));
    assert_snapshot!(said(&host, BACKUP), @r#"
    probe sql-a: Payroll
    error TW3005 database Payroll, position 1: the set is sealed on every mirror, but SQL
          > Server's verdict is not success
      cause: the connection was lost: An error occurred during the attempt of performing
          > I/O: No more packets in the wire; session 52: it has ended on the server
      cause: msdb knows the set
      cause: it holds log sequence numbers 39000000172000001 to 39000000179200001
      remedy: the set is kept and restorable; run media recover to have it confirmed
    "#);
}

#[test]
fn history_missing() {
    let host = turned(1, json!({ "history_fails": true }));
    assert_snapshot!(said(&host, BACKUP), @r#"
    probe sql-a: Payroll
    warning SQL Server could not write its own history of this backup (error 3009)
    "#);
}

#[test]
fn filestream_without_complete() {
    let host = turned(1, json!({ "extra_flush": true, "complete_enabled": false }));
    assert_snapshot!(said(&host, BACKUP), @r#"
    probe sql-a: Payroll
    error TW4005 twinset-[id]: SQL Server wrote on after the end of the stream was
          > acknowledged
      cause: this server does not send Complete, and the database holds FILESTREAM data
      cause: then SQL Server error 3202: Write on "twinset-[id]" failed: [...]
      cause: SQL Server was not answered: it released no log, and counts no backup
      remedy: update SQL Server to a version that sends Complete, or set source = "stage",
          > which needs none
    "#);
}

#[test]
fn nothing_to_restore() {
    let host = Host::usual();
    assert_snapshot!(said(&host, RESTORE), @r#"
    error TW4009 database Payroll: no published full backup of it
      remedy: look: twinset media show SET; name another set with --position N
    "#);
}

#[test]
fn name_taken() {
    let host = with(|setup| setup.databases += &database("Copy", 1 << 20));
    host.backup().ended(0);
    assert_snapshot!(said(&host, RESTORE), @r#"
    error 3141 sql-a, database Copy: a database of this name is there
      remedy: restore under a new name: --as NAME; or over it: --replace
    "#);
}

#[test]
fn name_mirrored() {
    let host = with(|setup| setup.databases += &mirrored("Copy", "principal"));
    host.backup().ended(0);
    assert_snapshot!(said(&host, RESTORE), @r#"
    error 3104 sql-a, database Copy: it is in a mirroring session
      remedy: restore under a new name: --as NAME
    "#);
}

#[test]
fn unknown_file_to_move() {
    let host = Host::usual();
    host.backup().ended(0);
    assert_snapshot!(said(&host, &[RESTORE, &["--move", "Salaries=/x"]].concat()), @r#"
    read the list of database files
    error TW1006 --move: the backup has no file Salaries
      cause: its files: Payroll, Payroll_log
      remedy: name a logical file of the backup
    "#);
}

#[test]
fn chunk_lost_everywhere() {
    let host = Host::usual();
    host.backup().ended(0);
    for mirror in [1, 2] {
        damage_bit(&host.world.file(mirror, 1, "0001."), 800_000);
    }
    assert_snapshot!(said(&host, RESTORE), @r#"
    read the list of database files
    error TW3004 position 1, family 1, chunk 0: bytes 0 to 4194304 are lost on every mirror
      cause: [folder]/m1/f1 (mirror 1, family 1), section 1, chunk 0, bytes 0 to 4194304:
          > altered
      cause: [folder]/m2/f1 (mirror 2, family 1), section 1, chunk 0, bytes 0 to 4194304:
          > altered
      cause: then SQL Server error 3203: Read on "twinset-[id]" failed: [...]
      remedy: bring a missing volume back, or restore an earlier set
    "#);
}
