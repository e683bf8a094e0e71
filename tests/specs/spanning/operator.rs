//! The next medium has to be brought by a person.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{SMALL, import, lengths, media, medium, rows};
use crate::front::{Host, Setup};
use crate::support::{Running, World, generated};

/// One medium; further ones are asked for.
fn single(bytes: u64) -> Value {
    json!({ "medium_bytes": bytes, "media": 1 })
}

/// A host whose backup outgrows its first medium.
fn host() -> Host {
    let mut host = Host::blank(&Setup {
        mirrors: 1,
        ..Setup::default()
    });
    host.world.configure(|config| {
        config.rows.insert((1, 1), single(SMALL));
    });
    host.world.json(&["media", "format", "payroll"]).ended(0);
    host
}

#[test]
fn the_service_raises_an_alert_until_the_run_has_ended() {
    let host = host();
    let open = || {
        let listed = host.world.json(&["alerts", "list"]).ended(0).result();
        let open = listed["open"].as_array().unwrap().clone();
        open.into_iter().find(|alert| alert["code"] == "TW6025")
    };
    let mut service = host.world.start(&["run"]);
    let waits = |what: &str, done: &dyn Fn() -> bool| {
        let until = Instant::now() + Duration::from_secs(60);
        while !done() {
            assert!(Instant::now() < until, "waited for {what} in vain");
        }
    };
    waits("the alert", &|| open().is_some());
    let alert = open().unwrap();
    assert!(
        alert["message"]
            .to_string()
            .contains("number 2 of this row"),
        "{alert}"
    );
    let mut number = 2;
    while open().is_some() {
        let more = host.world.device(1, 1).join("more");
        if !more.exists() {
            fs::write(&more, "").unwrap();
            number += 1;
        }
        assert!(number < 50, "it takes no end");
    }
    assert!(service.runs_for(Duration::ZERO));
    service.stop();
    host.world.verify(0);
}

fn started(world: &World) -> (Running, Vec<std::path::PathBuf>) {
    let files = generated(world.path(), 1, 1_500_000, 1);
    (world.start(&World::import_line(&files)), files)
}

#[test]
fn the_run_says_what_it_waits_for_and_goes_on_when_it_is_there() {
    let world = rows(&[single(SMALL), medium(SMALL)]);
    let (mut run, files) = started(&world);
    let line: Value = serde_json::from_str(&run.line_with("operator")).unwrap();
    let device = line["operator"]["device"].as_str().unwrap();
    assert!(device.contains("m1/f1"), "{line}");
    assert_eq!(
        line["operator"]["wish"],
        "put a blank medium in: number 2 of this row"
    );
    fs::write(world.device(1, 1).join("more"), "").unwrap();
    run.end().ended(0);
    assert_eq!(lengths(&world, 1, 1), lengths(&world, 2, 1));
    world.exports(1, 0, &files);
    world.verify(0);
}

#[test]
fn nobody_comes_and_the_set_goes_on_without_that_mirror_where_it_may() {
    let mut world = rows(&[single(SMALL), medium(SMALL)]);
    world.configure(|config| config.set = "medium_wait = \"0s\"\nmin_mirrors = 1\n".to_owned());
    let files = generated(world.path(), 1, 1_500_000, 1);
    let result = world.import(&files).ended(3).result();
    assert_eq!(result["lost"][0]["mirror"], 1, "{result}");
    let why = result["lost"][0]["why"].as_str().unwrap();
    assert!(why.contains("put a blank medium in"), "{why}");
    world.exports(1, 3, &files);
}

#[test]
fn nobody_comes_and_nothing_is_published_where_all_mirrors_are_needed() {
    let mut world = rows(&[single(SMALL), medium(SMALL)]);
    world.configure(|config| config.set = "medium_wait = \"0s\"\n".to_owned());
    let files = generated(world.path(), 1, 1_500_000, 1);
    let fault = world.import(&files).failed("TW2007");
    let text = fault.to_string();
    assert!(text.contains("put a blank medium in"), "{text}");
    world.json(&["media", "recover", "payroll"]).ended(0);
    // Mirror 2 has begun a medium that mirror 1 lacks: it follows, and both hold the same again.
    assert_eq!(
        world
            .sets()
            .iter()
            .filter(|set| set["state"] == "published")
            .count(),
        0
    );
    fs::write(world.device(1, 1).join("more"), "").unwrap();
    let files = import(&world, 2, 300_000);
    assert_eq!(lengths(&world, 1, 2), lengths(&world, 2, 2));
    assert_eq!(media(&world, 1).len(), media(&world, 2).len());
    world.exports(2, 0, &files);
    world.verify(0);
}

#[test]
fn the_operator_may_stop_the_run_instead() {
    let world = rows(&[single(SMALL), medium(SMALL)]);
    let (mut run, _files) = started(&world);
    run.line_with("operator");
    run.stop().failed("TW5004");
    world.json(&["media", "recover", "payroll"]).ended(0);
    world.verify(0);
}
