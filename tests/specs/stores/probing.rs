//! What `doctor`, `media format` and `config check` see of a store.

use std::fs;

use serde_json::{Value, json};
use twinset::device::{Checked, Observed};

use super::server::{Access, below, mounted, servers};
use super::{mixed, mixed_at, with_each};

fn warnings(found: &Value) -> Vec<String> {
    let findings = found["findings"].as_array().unwrap().iter();
    let grave = findings.filter(|one| one["level"] == "warning");
    grave.map(ToString::to_string).collect()
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_format_says_what_it_tried_and_leaves_no_trace_of_it() {
    with_each(|server| {
        let world = mixed(server, 1);
        let made = world
            .json(&["media", "format", "payroll"])
            .ended(0)
            .result();
        let told = made["observed"].to_string();
        assert!(
            told.contains("create-only puts are honoured"),
            "{}: {told}",
            server.name
        );
        let mut device = mounted(&world.media.stores[&(2, 1)], Access::Read);
        let seen = device.probe().unwrap();
        let grave = seen.iter().filter(|seen| seen.level == Observed::Warning);
        assert_eq!(grave.count(), 0, "{}: {seen:?}", server.name);
        assert_eq!(device.leftovers().unwrap(), []);
        let told = device.inspect_section(0).unwrap();
        assert_eq!((told.checked, told.locked_until), (Checked::Sound, None));
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_rule_that_would_eat_backups_is_named() {
    let mut count = 0;
    for server in servers() {
        let Some(eaten) = server.told("eaten") else {
            continue;
        };
        count += 1;
        let world = mixed_at(1, || below(eaten.clone()));
        let made = world
            .json(&["media", "format", "payroll"])
            .ended(0)
            .result();
        let observed = made["observed"].as_array().unwrap();
        let found = observed.iter().find(|seen| seen["level"] == "warning");
        let text = found.unwrap_or_else(|| panic!("{made}"))["text"]
            .as_str()
            .unwrap();
        assert!(
            text.contains("eat-all removes objects below `` after 30 days"),
            "{text}"
        );
    }
    assert!(count > 0);
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_bucket_that_keeps_versions_says_what_stays_of_a_removal() {
    for server in servers().iter().filter(|server| server.is_s3()) {
        let Some(options) = server.locked() else {
            continue;
        };
        let world = mixed_at(1, || options.clone());
        let made = world
            .json(&["media", "format", "payroll"])
            .ended(0)
            .result();
        let told = made["observed"].to_string();
        assert!(
            told.contains("keeps versions and no rule removes old ones"),
            "{}: {told}",
            server.name
        );
    }
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn doctor_tells_what_the_probe_saw() {
    for server in servers() {
        let mut host = crate::front::Host::blank(&crate::front::Setup::default());
        host.world.configure(|media| {
            media.stores.insert((2, 1), server.place());
        });
        host.world.json(&["media", "format", "payroll"]).ended(0);
        let ran = host.world.json(&["doctor"]);
        assert!([0, 1, 3].contains(&ran.code), "{}", ran.stderr);
        let found = ran.result();
        let text = found.to_string();
        assert!(
            text.contains("create-only puts are honoured"),
            "{}: {text}",
            server.name
        );
        let ours = warnings(&found)
            .into_iter()
            .filter(|text| text.contains("://"));
        assert_eq!(ours.collect::<Vec<_>>(), [""; 0], "{}", server.name);
    }
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn config_check_names_what_a_plugin_refuses_without_asking_the_store() {
    with_each(|server| {
        let mut world = mixed(server, 1);
        world.json(&["config", "check"]).ended(0);
        let mut options = world.media.stores[&(2, 1)].clone();
        options["parallel"] = json!(9);
        // Nobody listens there: a store that is asked would be a fault of its own.
        options["endpoint"] = json!("http://127.0.0.1:9");
        world.configure(|media| {
            media.stores.insert((2, 1), options);
        });
        let ran = world.json(&["config", "check"]).ended(2);
        let told = ran.object().to_string();
        assert!(told.contains("parallel: must be 1, 2 or 3"), "{told}");
        assert!(told.contains("agent.toml:"), "{told}");
        assert!(!fs::exists(world.path().join("m1")).unwrap());
    });
}
