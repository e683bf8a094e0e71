//! Does what was written come back, up to the point and no further? With backups that the agent took.

use serde_json::{Value, json};
use twinset::sqlserver::StatementEnd;
use twinset_domain::Moment;

use super::Chains;
use crate::encodings::{WAYS, configure};
use crate::front::{Host, SERVER, Setup};
use crate::support::Media;

/// Far enough for the clocks of agent and server not to be taken for two zones.
const DAY: i64 = 86_400;
/// A transaction with a mark.
const MARKED: &str = "BEGIN TRAN close_of_day WITH MARK 'x' INSERT INTO Payroll.dbo.ledger VALUES \
                      ('m') COMMIT";

/// A host that holds a full of nothing.
fn begun() -> Chains {
    let chains = Chains::of(&[]);
    chains.host.backup().ended(0);
    chains
}

impl Chains {
    fn day(&mut self) {
        let order = json!({ "instance": SERVER, "advance_clock": DAY });
        self.host.lab.order(&order).unwrap();
    }

    fn write(&mut self, note: &str) {
        self.day();
        self.host.unsettle("Payroll", &json!({ "write": [note] }));
        self.day();
    }

    #[track_caller]
    fn take(&self, kind: &str) {
        self.host.take(kind, &[]).ended(0);
    }

    /// A differential in the middle, logs on both sides of it: a, b, c.
    #[track_caller]
    fn usual_week(&mut self) {
        self.write("a");
        self.take("log");
        self.write("b");
        self.take("diff");
        self.write("c");
        self.take("log");
    }

    /// What is in a restored copy, which is the same database in all else.
    #[track_caller]
    fn copied(&mut self, more: &[&str]) -> Value {
        self.run(more).ended(0);
        let (copy, source) = (self.host.told("Copy"), self.host.told("Payroll"));
        assert_eq!(copy["state"], "ONLINE");
        assert_eq!(copy["family_guid"], source["family_guid"]);
        assert_ne!(
            copy["recovery_fork"], source["recovery_fork"],
            "its own from here on"
        );
        copy["writes"].clone()
    }

    /// So many days before the newest set was finished.
    fn before_the_end(&self, days: i64) -> String {
        let planned = self.plan(&[]).ended(0).result();
        let steps = planned["steps"].as_array().unwrap();
        let finished = steps.last().unwrap()["finished"].as_str().unwrap();
        let end: Moment = finished.parse().unwrap();
        Moment(end.0 - days * DAY).to_string()
    }
}

#[test]
fn the_latest_point_holds_everything_through_a_differential() {
    let mut chains = begun();
    chains.usual_week();
    let planned = chains.plan(&[]).ended(0).result();
    let kinds: Vec<&str> = planned["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["full", "differential", "log"]);
    let all = chains.host.told("Payroll")["writes"].clone();
    assert_eq!(all, json!(["a", "b", "c"]));
    assert_eq!(chains.copied(&[]), all);
}

#[test]
fn every_set_of_a_chain_holds_what_was_written_before_it() {
    for (position, expected) in [
        ("1", json!([])),
        ("payroll-log:1", json!(["a"])),
        ("2", json!(["a", "b"])),
        ("payroll-log:2", json!(["a", "b", "c"])),
    ] {
        let mut chains = begun();
        chains.usual_week();
        assert_eq!(
            chains.copied(&["--position", position]),
            expected,
            "{position}"
        );
    }
}

#[test]
fn a_time_holds_what_was_committed_before_it() {
    let mut chains = begun();
    chains.write("a");
    chains.take("log");
    chains.write("b");
    chains.write("c");
    chains.take("log");
    // One day lies behind each write and one before it: two days back is between b and c.
    let to = chains.before_the_end(2);
    assert_eq!(chains.copied(&["--to", &to]), json!(["a", "b"]));
}

#[test]
fn a_mark_is_found_in_whatever_log_it_lies() {
    for (to, expected) in [
        ("mark:close_of_day", json!(["a", "m"])),
        ("before-mark:close_of_day", json!(["a"])),
    ] {
        let mut chains = begun();
        chains.write("a");
        chains.take("log");
        assert_eq!(chains.by_hand(MARKED), StatementEnd::Ok);
        chains.write("b");
        chains.take("log");
        chains.write("c");
        chains.take("log");
        assert_eq!(chains.copied(&["--to", to]), expected, "{to}");
    }
}

#[test]
fn of_marks_that_repeat_the_first_at_or_after_a_time_is_taken() {
    let mut chains = begun();
    for note in ["a", "b"] {
        chains.write(note);
        assert_eq!(chains.by_hand(MARKED), StatementEnd::Ok);
        chains.day();
    }
    chains.take("log");
    let after = chains.before_the_end(2);
    let to = ["--to", "mark:close_of_day", "--after", &after];
    assert_eq!(chains.copied(&to), json!(["a", "m", "b", "m"]));
}

#[test]
fn a_mark_that_nobody_set_leaves_the_database_restoring_and_says_so() {
    let mut chains = begun();
    chains.write("a");
    chains.take("log");
    let fault = chains.run(&["--to", "mark:nobody"]).ended(1).failed("4329");
    assert!(
        fault.to_string().contains("DROP DATABASE [Copy]"),
        "{fault}"
    );
    assert_eq!(chains.host.told("Copy")["state"], "RESTORING");
}

#[test]
fn chains_run_over_a_media_set_of_logs_with_another_shape() {
    // Three mirrors of two families for the logs, two of one for the rest.
    let mut host = Host::blank(&Setup {
        group: "log_media_set = \"logs\"\n",
        ..Setup::default()
    });
    host.world.configure(|media| {
        let disk = |mirror: u8, family: u8| {
            let path = format!("logs{mirror}/f{family}");
            format!("{{ plugin = \"disk\", options = {{ path = {path:?} }} }}")
        };
        media.tables = "[media_sets.logs]\nfamilies = 2\n".into();
        for mirror in 1..=3 {
            let devices = [disk(mirror, 1), disk(mirror, 2)].join(", ");
            media.tables += &format!("[[media_sets.logs.mirrors]]\ndevices = [{devices}]\n");
        }
    });
    for key in ["payroll", "logs"] {
        host.world.json(&["media", "format", key]).ended(0);
    }
    let mut chains = Chains { host };
    chains.host.backup().ended(0);
    chains.usual_week();
    assert_eq!(chains.host.sets_of("logs").len(), 2);
    assert_eq!(chains.host.sets_of("payroll").len(), 2);
    assert_eq!(chains.copied(&[]), json!(["a", "b", "c"]));
    // A mirror of the logs is gone, and then all of them.
    std::fs::remove_dir_all(chains.host.world.path().join("logs1")).unwrap();
    chains.host.restore_of("Payroll", "Second", &[]).ended(3);
    assert_eq!(chains.host.told("Second")["writes"], json!(["a", "b", "c"]));
    for mirror in ["logs2", "logs3"] {
        std::fs::remove_dir_all(chains.host.world.path().join(mirror)).unwrap();
    }
    // How far they led is not known any more; what the fulls and differentials hold comes back.
    let fault = chains.host.restore_of("Payroll", "Third", &[]).ended(1);
    let fault = fault.failed("TW2011").to_string();
    assert!(fault.contains("--position"), "{fault}");
    let line = ["restore", "points", "Payroll", "--group", "payroll"];
    let points = chains.host.world.json(&line).ended(3);
    assert_eq!(points.result()["intervals"].as_array().unwrap().len(), 2);
    let plan = chains.plan(&["--position", "2"]).ended(3).result();
    assert!(
        plan["missing"].to_string().contains("media set logs"),
        "{plan}"
    );
    chains
        .host
        .restore_of("Payroll", "Third", &["--position", "2"])
        .ended(0);
    assert_eq!(chains.host.told("Third")["writes"], json!(["a", "b"]));
}

#[test]
fn chains_of_every_encoding_hold_what_was_written() {
    for (encoding, passphrase) in WAYS {
        let mut host = Host::blank(&Setup::default());
        configure(&mut host.world, encoding, passphrase);
        host.world.json(&["media", "format", "payroll"]).ended(0);
        let mut chains = Chains { host };
        chains.host.backup().ended(0);
        chains.usual_week();
        assert_eq!(chains.copied(&[]), json!(["a", "b", "c"]), "{encoding}");
    }
}

#[test]
fn a_closed_media_set_restores_by_its_id() {
    let mut chains = begun();
    chains.usual_week();
    let world = &chains.host.world;
    let volume = world.volume(1, 1);
    let id = volume.file_name().unwrap().to_str().unwrap().to_owned();
    // The host is lost: another agent closes what it left and begins anew on the same devices.
    let other = |media: &mut Media| {
        media.agent = "sql-b".into();
        media.state_dir = "other".into();
    };
    world.other_config("other.toml", other);
    for key in ["payroll", "payroll-log"] {
        let adopt = ["media", "adopt", key, "--yes"];
        world.json_with("other.toml", &adopt).ended(0);
    }
    let format = ["media", "format", "payroll"];
    world.json_with("other.toml", &format).ended(0);
    chains.host.world.configure(other);
    // Of the new one nothing can be restored yet.
    chains.run(&[]).ended(1);
    let found = chains.copied(&["--id", &id, "--position", "2"]);
    assert_eq!(found, json!(["a", "b"]));
}

#[test]
fn the_tail_of_a_suspect_database_is_saved_and_restored() {
    let mut chains = begun();
    chains.write("a");
    chains.take("log");
    chains.write("b");
    // A data file is lost; the log is whole.
    chains
        .host
        .unsettle("Payroll", &json!({ "state": "SUSPECT" }));
    chains.host.take("log", &[]).ended(1).failed("TW4010");
    let line = ["--database", "Payroll", "--yes"];
    chains.host.take("tail", &line).ended(0);
    let told = chains.host.told("Payroll");
    let row = told["backups"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(row["has_incomplete_metadata"], "1", "{row}");
    chains.run(&[]).ended(0);
    let copy = chains.host.told("Copy");
    assert_eq!(
        (&copy["state"], &copy["writes"]),
        (&json!("ONLINE"), &json!(["a", "b"]))
    );
}
