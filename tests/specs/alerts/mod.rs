//! Is what an operator must know raised once, told to every receiver, and ended with its cause?
#![allow(clippy::unwrap_used, clippy::panic)]

mod book;
mod mail;
mod mailbox;
mod morning;
mod receivers;
mod telling;

use serde_json::{Value, json};

use crate::front::Host;

/// A host whose group has these tables, and whose agent tells these receivers.
pub(crate) fn host(group: &str, receivers: &str) -> Host {
    let mut host = Host::usual();
    let file = host.world.path().join("groups.d/payroll.toml");
    let text = std::fs::read_to_string(&file).unwrap() + group;
    std::fs::write(file, text).unwrap();
    let receivers = format!("[alerts]\n{receivers}\n");
    host.world.configure(|media| media.tables = receivers);
    host
}

/// Every device fails from now on, or works again.
pub(crate) fn break_devices(host: &mut Host, broken: bool) {
    if !broken {
        host.world.heal_devices();
        return;
    }
    host.world.configure(|media| {
        let how = || json!({ "fail_call": "begin_section", "errno": 5 });
        media.fault(1, 1, how()).fault(2, 1, how());
    });
}

/// The open alerts.
#[track_caller]
pub(crate) fn open(host: &Host) -> Vec<Value> {
    let listed = host.world.json(&["alerts", "list"]).ended(0).result();
    listed["open"].as_array().unwrap().clone()
}

/// The time of the next try has come, for every message.
pub(crate) fn time_passes(host: &Host) {
    let path = host.world.path().join("state/catalog.sqlite");
    let book = rusqlite::Connection::open(path).unwrap();
    book.execute("UPDATE alert_delivery SET next = 0", [])
        .unwrap();
}

/// What was told, and left out, is so many seconds older.
pub(crate) fn passes(host: &Host, seconds: i64) {
    let path = host.world.path().join("state/catalog.sqlite");
    let book = rusqlite::Connection::open(path).unwrap();
    book.execute("UPDATE alert_delivery SET next = next - ?1", [seconds])
        .unwrap();
}
