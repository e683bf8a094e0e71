//! Media sets, mirrors and identities that change hands.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use insta::assert_snapshot;

use super::{import, printed};
use crate::support::World;

fn other(world: &World, line: &[&str]) -> crate::support::Ran {
    world.other_config("other.toml", |media| {
        media.agent = "sql-b".into();
        media.state_dir = "other".into();
    });
    world.run_with("other.toml", line)
}

#[test]
fn an_adoption() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let line = ["media", "adopt", "payroll"];
    let asked = printed(&world, &other(&world, &line));
    let done = printed(&world, &other(&world, &[&line[..], &["--yes"]].concat()));
    let again = printed(&world, &other(&world, &[&line[..], &["--yes"]].concat()));
    let back = printed(&world, &import(&world, &files));
    assert_snapshot!([asked, done, again, back].join("\n\n"));
}

#[test]
fn a_dropped_mirror() {
    let (world, _) = World::with_set(1, 2, 1 << 16);
    fs::remove_dir_all(world.device(2, 1)).unwrap();
    let line = ["media", "drop-mirror", "payroll", "2"];
    let asked = printed(&world, &world.run(&line));
    let done = printed(&world, &world.run(&[&line[..], &["--yes"]].concat()));
    let last = printed(
        &world,
        &world.run(&["media", "drop-mirror", "payroll", "1", "--yes"]),
    );
    let none = printed(
        &world,
        &world.run(&["media", "drop-mirror", "payroll", "7"]),
    );
    assert_snapshot!([asked, done, last, none].join("\n\n"));
}

#[test]
fn another_key() {
    let mut world = World::blank(1, 1);
    world.json(&["key", "make", "--out", "key"]).ended(0);
    world.configure(|media| media.extra = "signing_key_file = \"key\"".into());
    world.json(&["media", "format", "payroll"]).ended(0);
    let files = crate::support::generated(world.path(), 1, 1 << 16, 1);
    world.import(&files).ended(0);
    world.configure(|media| media.extra = String::new());
    assert_snapshot!(printed(&world, &import(&world, &files)));
}

#[test]
fn an_identity() {
    let (world, files) = World::with_set(1, 1, 1 << 16);
    let refused = printed(&world, &world.run(&["agent", "renew-id"]));
    let path = world.path().join("state/agent.json");
    let text = fs::read_to_string(&path).unwrap();
    let at = text.find("\"machine\": \"").unwrap() + 12;
    let cloned = format!("{}{}{}", &text[..at], "ab".repeat(32), &text[at + 64..]);
    fs::write(&path, cloned).unwrap();
    let clone = printed(&world, &import(&world, &files));
    let shown = printed(&world, &world.run(&["agent", "show"]));
    let renewed = printed(&world, &world.run(&["agent", "renew-id"]));
    let recover = printed(&world, &world.run(&["media", "recover", "payroll"]));
    assert_snapshot!([refused, clone, shown, renewed, recover].join("\n\n"));
}
