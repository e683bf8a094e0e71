//! What people read when the chain is not as the agent left it: word for word.

use insta::assert_snapshot;
use serde_json::json;

use super::messages::said;
use super::{Host, Setup, database};

/// Characters of a time such as 2026-11-21T05:00:00, of a server's clock.
const TIME: usize = 19;

/// The same, without times.
fn told(host: &Host, kind: &str, more: &[&str]) -> String {
    let line = [&["backup", "payroll", "--kind", kind], more].concat();
    let text = said(host, &line);
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let head = rest.get(..TIME).unwrap_or_default();
        if is_time(head) {
            out.push_str("[time]");
            rest = rest[TIME..].strip_prefix('Z').unwrap_or(&rest[TIME..]);
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

fn is_time(text: &str) -> bool {
    let shape = "0000-00-00T00:00:00";
    text.len() == shape.len()
        && text
            .chars()
            .zip(shape.chars())
            .all(|(found, wanted)| match wanted {
                '0' => found.is_ascii_digit(),
                sign => found == sign,
            })
}

/// A full and a log are held, and somebody else took a log behind them.
fn disturbed(backup: &'static str) -> Host {
    let host = Host::formatted(&Setup {
        backup,
        ..Setup::default()
    });
    host.backup().ended(0);
    host.take("log", &[]).ended(0);
    host.foreign(
        "BACKUP LOG [Payroll] TO DISK = N'foreign.trn' WITH FORMAT, NAME = N'Nightly job'",
    );
    host
}

#[test]
fn chain_broken() {
    let host = disturbed("on_broken_chain = \"refuse\"");
    assert_snapshot!(told(&host, "log", &[]), @r#"
    probe sql-a: Payroll
    error TW4020 database Payroll: the chain is broken: what is held ends at
          > 39000000186400001, the next log starts at 39000000193600001
      cause: log backup in foreign.trn, set "Nightly job", login twinset, finished
          > [time] by the server's clock: restores to times from
          > [time] to the next base need that file
      remedy: twinset backup payroll --database Payroll --kind full makes a new base;
          > `on_broken_chain` may do so by itself
    "#);
}

#[test]
fn foreign_backup() {
    let host = disturbed("");
    assert_snapshot!(told(&host, "log", &[]), @r#"
    probe sql-a: Payroll
    warning Payroll: took a differential backup instead of a log: the chain is broken: what
          > is held ends at 39000000186400001, the next log starts at 39000000193600001
    error TW4022 database Payroll: backups of others stand in the chain
      cause: log backup in foreign.trn, set "Nightly job", login twinset, finished
          > [time] by the server's clock: restores to times from
          > [time] to the next base need that file
      remedy: stop that job or have it take copy-only backups; keep its files while those
          > restore points are wanted
    "#);
}

#[test]
fn rolled_back() {
    let mut host = Host::usual();
    host.backup().ended(0);
    host.take("log", &[]).ended(0);
    let then = host.told("Payroll")["last_log_backup"].clone();
    host.take("log", &[]).ended(0);
    host.unsettle("Payroll", &json!({ "roll_back": then }));
    assert_snapshot!(told(&host, "log", &[]), @r#"
    probe sql-a: Payroll
    error TW4021 database Payroll: the machine was rolled back: what is held ends at
          > 39000000193600001, and the next log starts at 39000000186400001 again
      remedy: twinset backup payroll --database Payroll --kind full begins a new branch;
          > what was taken before stays restorable by itself
    "#);
}

#[test]
fn log_of_simple() {
    let simple = database("Payroll", 1 << 20) + "recovery = \"SIMPLE\"\n";
    let host = Host::formatted(&Setup {
        databases: simple,
        ..Setup::default()
    });
    let more = ["--database", "Payroll", "--yes"];
    assert_snapshot!(told(&host, "tail", &more), @r#"
    probe sql-a: Payroll
    error 4208 database Payroll: the simple recovery model has no log backups
      remedy: take full and differential backups, or change the recovery model
    "#);
}

#[test]
fn log_of_master() {
    let host = Host::formatted(&Setup {
        names: vec!["master"],
        ..Setup::default()
    });
    let more = ["--database", "master", "--yes"];
    assert_snapshot!(told(&host, "tail", &more), @r#"
    probe sql-a: master
    error 4212 database master: of master only full backups can be taken
      remedy: take full backups of master
    "#);
}

#[test]
fn no_base() {
    let host = Host::usual();
    assert_snapshot!(told(&host, "log", &["--copy-only"]), @r#"
    probe sql-a: Payroll
    error 4214 database Payroll: there is no full backup that a log could follow on
      remedy: first: twinset backup payroll --database Payroll --kind full
    "#);
}
