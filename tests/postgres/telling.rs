//! What an agent knows arrives: once, whole, and whatever happens on the way.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::relay::{Relay, Wrong};
use crate::server::{Server, password};
use crate::support::{World, generated};

/// A host whose agent tells this server, with one set on its media.
pub(crate) fn told_by(server: &Server, port: u16) -> World {
    let mut world = World::formatted(1, 2);
    password(world.path());
    let table = server.table(port);
    world.configure(|media| media.tables = table);
    import(&world, 1);
    world
}

/// One more set.
pub(crate) fn import(world: &World, seed: u64) {
    world
        .import(&generated(world.path(), seed, 1 << 16, 1))
        .ended(0);
}

#[track_caller]
fn push(world: &World) -> serde_json::Value {
    world.json(&["catalog", "push"]).ended(0).result()
}

fn positions(server: &Server) -> String {
    server.ask(
        "SELECT string_agg(position || ' ' || state, ', ' ORDER BY position) FROM twinset.holding",
    )
}

/// Keeps the agent's catalog as it is now, or puts it back.
fn catalog(world: &World, from: &str, to: &str) {
    let folder = |name: &str| world.path().join(name);
    fs::create_dir_all(folder(to)).unwrap();
    for file in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
        let _ = fs::remove_file(folder(to).join(file));
        if folder(from).join(file).exists() {
            fs::copy(folder(from).join(file), folder(to).join(file)).unwrap();
        }
    }
}

fn forget(path: &Path) {
    for file in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
        let _ = fs::remove_file(path.join("state").join(file));
    }
}

#[test]
fn the_first_meeting_tells_everything_and_each_further_one_what_is_new() {
    let server = Server::start();
    let world = told_by(&server, server.port);
    let planned = world
        .json(&["catalog", "push", "--dry-run"])
        .ended(0)
        .result();
    assert_eq!(
        planned,
        json!({ "tables": null, "events": null, "anew": "nothing-written" })
    );
    let first = push(&world);
    assert_eq!(
        (&first["epoch"], &first["anew"]),
        (&json!(1), &json!("nothing-written"))
    );
    assert_eq!(positions(&server), "1 published");
    assert_eq!(push(&world)["events"], 0, "nothing is new");
    import(&world, 1);
    let planned = world
        .json(&["catalog", "push", "--dry-run"])
        .ended(0)
        .result();
    assert_eq!(planned["events"], 2, "a run that ended, and its set");
    assert_eq!(push(&world)["events"], 2);
    assert_eq!(positions(&server), "1 published, 2 published");
    let keys = server.ask("SELECT count(*), count(family) FROM twinset.backup_set");
    assert_eq!(
        keys, "1|1",
        "the same set of SQL Server in two places, by its GUID"
    );
    let runs = "SELECT what, state, count(*) FROM twinset.run GROUP BY 1, 2";
    assert_eq!(server.ask(runs), "import full|published|2");
    let last = "SELECT database, kind, position FROM twinset.last_success";
    assert_eq!(server.ask(last), "Payroll|full|2");
}

#[test]
fn what_retention_drops_is_told() {
    let server = Server::start();
    let mut world = told_by(&server, server.port);
    push(&world);
    import(&world, 1);
    world.group(
        "payroll",
        &["Payroll"],
        "[retention]\ndaily = 1\nmax_drop = \"100%\"",
    );
    let table = server.table(server.port);
    world.configure(|media| media.tables.push_str(&table));
    world.json(&["media", "expire", "payroll"]).ended(0);
    push(&world);
    assert_eq!(positions(&server), "1 dropped, 2 published");
}

#[test]
fn a_kill_between_commit_and_acknowledgement_tells_nothing_twice() {
    let server = Server::start();
    let relay = Relay::before(server.port);
    let world = told_by(&server, relay.port);
    push(&world);
    import(&world, 2);
    relay.goes_wrong(Wrong::Swallow(b"COMMIT\0"));
    let agent = world.start(&["catalog", "push"]);
    relay.has_struck();
    agent.kill();
    let there = server.tables();
    assert_eq!(
        positions(&server),
        "1 published, 2 published",
        "it was committed"
    );
    let again = push(&world);
    assert_eq!(
        (&again["events"], &again["anew"]),
        (&json!(0), &json!(null))
    );
    assert_eq!(server.tables(), there);
    import(&world, 3);
    assert_eq!(push(&world)["events"], 2, "and it goes on behind it");
}

#[test]
fn a_connection_that_ends_in_the_middle_of_a_batch_tells_all_of_it_or_nothing() {
    let server = Server::start();
    let relay = Relay::before(server.port);
    let world = told_by(&server, relay.port);
    push(&world);
    let before = server.tables();
    import(&world, 2);
    for words in [
        &b"INSERT INTO twinset.run"[..],
        b"INSERT INTO twinset.holding",
        b"COMMIT",
    ] {
        relay.goes_wrong(Wrong::Cut(words, 1));
        world.json(&["catalog", "push"]).ended(1).failed("TW5011");
        relay.has_struck();
        assert_eq!(server.tables(), before);
    }
    assert_eq!(push(&world)["events"], 2);
    assert_eq!(positions(&server), "1 published, 2 published");
}

#[test]
fn a_catalog_that_was_lost_and_rebuilt_tells_its_media_anew() {
    let server = Server::start();
    let world = told_by(&server, server.port);
    import(&world, 2);
    push(&world);
    let sets = |server: &Server| {
        server.ask("SELECT set_guid, state, written FROM twinset.holding ORDER BY position")
    };
    let before = sets(&server);
    forget(world.path());
    world.json(&["catalog", "rebuild", "--from-media"]).ended(0);
    let pushed = push(&world);
    assert_eq!(
        (&pushed["epoch"], &pushed["anew"]),
        (&json!(2), &json!("nothing-written"))
    );
    assert_eq!(sets(&server), before);
    let runs = server.ask("SELECT count(*) FROM twinset.run");
    assert_eq!(runs, "0", "media do not tell of runs");
}

#[test]
fn a_catalog_that_was_set_back_is_noticed_whatever_it_wrote_since() {
    let server = Server::start();
    let world = told_by(&server, server.port);
    push(&world);
    catalog(&world, "state", "kept");
    import(&world, 2);
    push(&world);
    catalog(&world, "kept", "state");
    world.json(&["catalog", "rebuild", "--from-media"]).ended(0);
    // As many events as were told before, and more, under the same numbers.
    import(&world, 3);
    import(&world, 4);
    let pushed = push(&world);
    assert_eq!(
        (&pushed["epoch"], &pushed["anew"]),
        (&json!(2), &json!("other-past"))
    );
    assert_eq!(
        positions(&server),
        "1 published, 2 published, 3 published, 4 published"
    );
    assert_eq!(
        server.ask("SELECT count(*) FROM twinset.run"),
        "3",
        "the forgotten run is gone"
    );
}

#[test]
fn a_shared_catalog_that_was_lost_or_set_back_is_told_everything_again() {
    let server = Server::start();
    let world = told_by(&server, server.port);
    push(&world);
    server.ask("CREATE TABLE kept AS SELECT * FROM twinset.agent");
    import(&world, 2);
    push(&world);
    let all = server.ask("SELECT position, set_guid FROM twinset.holding ORDER BY 1");
    server.ask("DELETE FROM twinset.agent; DELETE FROM twinset.backup_set");
    assert_eq!(push(&world)["anew"], "forgotten");
    let again = || server.ask("SELECT position, set_guid FROM twinset.holding ORDER BY 1");
    assert_eq!(again(), all);
    let back = "UPDATE twinset.agent SET epoch = k.epoch, last = k.last, tag = k.tag FROM kept k;
                DELETE FROM twinset.holding WHERE position = 2";
    server.ask(back);
    assert_eq!(push(&world)["anew"], "set-back");
    assert_eq!(again(), all);
    server.ask("DROP SCHEMA twinset CASCADE");
    assert_eq!(push(&world)["anew"], "forgotten");
    assert_eq!(again(), all);
}

#[test]
fn a_media_set_that_was_replaced_is_not_held_any_more() {
    let server = Server::start();
    let world = told_by(&server, server.port);
    push(&world);
    let id = server.ask("SELECT media_set FROM twinset.holding");
    world
        .json(&["media", "format", "payroll", "--destroy", &id])
        .ended(0);
    push(&world);
    assert_eq!(positions(&server), "");
    assert_eq!(server.ask("SELECT count(*) FROM twinset.backup_set"), "0");
    import(&world, 2);
    push(&world);
    assert_eq!(positions(&server), "1 published");
}

#[test]
fn names_are_values_and_never_sql() {
    let server = Server::start();
    let mut world = told_by(&server, server.port);
    let evil = "x'); DROP TABLE twinset.run; --\u{1f4be}";
    let files = generated(world.path(), 5, 1 << 16, 1);
    let file = files[0].to_str().unwrap();
    let line = ["media", "import", "payroll", "--database", evil, file];
    world.json(&line).ended(0);
    world.configure(|media| media.agent = "sql-a".into());
    push(&world);
    let told = server.ask("SELECT database FROM twinset.run ORDER BY started DESC, 1 DESC LIMIT 1");
    assert_eq!(told, evil);
}
