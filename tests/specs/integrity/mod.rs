//! DBCC CHECKDB beside the backups: run, judged, remembered, told; what findings keep and stop.
#![allow(clippy::unwrap_used, clippy::panic)]

mod backups;
mod checks;
mod service;

use serde_json::{Value, json};

use crate::support::pair::{A, Pair, Setup};

/// Two hosts whose group says this.
fn pair(group: &'static str) -> Pair {
    Pair::of(&Setup {
        group,
        ..Setup::default()
    })
}

/// Damages a page of Payroll on the principal's server, or mends all.
#[track_caller]
fn damage(pair: &mut Pair, damaged: bool) {
    let pages = if damaged { json!([[1, 77]]) } else { json!([]) };
    pair.order(A, json!({ "database": "Payroll", "bad_pages": pages }));
}

/// Codes of the open alerts.
#[track_caller]
fn alerts(pair: &Pair) -> Vec<Value> {
    let listed = pair.json(A, &["alerts", "list"]).ended(0).result();
    let open = listed["open"].as_array().unwrap();
    open.iter().map(|alert| alert["code"].clone()).collect()
}
