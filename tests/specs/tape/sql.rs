//! SQL Server's own stream, onto tapes and back.

#![allow(clippy::unwrap_used)]

use std::fs;

use serde_json::json;

use super::{image, on_tapes};
use crate::front::{Host, Setup, database};

#[test]
fn a_database_goes_to_two_tapes_and_comes_back() {
    let mut host = Host::blank(&Setup::default());
    on_tapes(&mut host.world);
    host.world.json(&["media", "format", "payroll"]).ended(0);
    host.backup().ended(0);
    host.take("log", &[]).ended(0);
    host.world.verify(0);
    host.restores("Payroll", 1, "Payroll_Copy");
}

/// While the data of a family are written there is no place for a record on its tapes: they say
/// that a mirror was lost when their own family is sealed.
#[test]
fn a_tape_that_fails_in_the_middle_costs_its_mirror_and_not_the_run() {
    for family in [1, 2] {
        let mut host = Host::blank(&Setup {
            families: 2,
            databases: database("Payroll", 24 << 20),
            ..Setup::default()
        });
        on_tapes(&mut host.world);
        host.world.configure(|media| {
            media.set = "min_mirrors = 1\nrepair = \"manual\"".to_owned();
        });
        host.world.json(&["media", "format", "payroll"]).ended(0);
        let sidecar = image(&host.world, 2, family).with_extension("tap.meta");
        let bad = json!({ "faults": [{ "on": "write", "after": 40, "error": "EIO" }] });
        fs::write(&sidecar, bad.to_string()).unwrap();
        let ran = host.backup();
        assert_eq!(ran.code, 3, "family {family}: {}", ran.stdout);
        ran.failed("TW3010");
        let lost = &ran.object()["result"]["sets"][0]["lost"];
        assert_eq!(lost[0]["mirror"], 2, "family {family}: {lost}");
        fs::remove_file(&sidecar).unwrap();
        host.take("log", &[]).ended(3);
        host.world.json(&["media", "repair", "payroll"]).ended(0);
        host.world.verify(0);
        host.restores("Payroll", 1, "Payroll_Copy");
    }
}
