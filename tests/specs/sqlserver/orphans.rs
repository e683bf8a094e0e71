//! Statements on the server whose agent is dead: which are ended, which are only named?

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::json;
use twinset::sqlserver::orphans::{look, sweep};
use twinset::sqlserver::{Connector, Purpose, Running, Session};
use twinset_domain::AgentId;
use twinset_domain::stamp::{Doubt, Finding, Process, Stamp, program};
use twinset_tests::instance::faults::Faults;

use super::{LIMIT, World, world_with};

fn stuck() -> World {
    let names = ["One", "Two", "Three", "Four"];
    let tables: String = names
        .iter()
        .map(|name| format!("[[instances.databases]]\nname = {name:?}\nsize = 65536\n"))
        .collect();
    let world = world_with("", &tables);
    let faults: Faults = serde_json::from_value(json!({
        "never_open": true, "ignores_disconnect": true,
    }))
    .unwrap();
    world.lab.instances[0].instance.set_faults(faults);
    world
}

/// A BACKUP that hangs, under the name that this stamp gives it.
fn backup(world: &World, user: (&str, &str), stamp: Option<&Stamp>, database: &str) -> Running {
    let name = program("work", "run", stamp);
    let run = name.strip_prefix("Twinset work ").unwrap();
    let connector = Connector::new(world.settings(user.0, user.1), run);
    let sql = format!("BACKUP DATABASE [{database}] TO VIRTUAL_DEVICE = N'twinset-{database}'");
    connector.open(Purpose::Work).unwrap().start(sql).unwrap()
}

fn waits_for(control: &mut Session, count: usize) {
    let sql = "SELECT session_id FROM sys.dm_exec_requests WHERE command LIKE N'BACKUP%'";
    let until = Instant::now() + LIMIT;
    while control.query(sql, &[]).unwrap().all().len() != count {
        assert!(Instant::now() < until, "never {count} statements");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A process that has ended, as it was when it lived.
fn dead(like: Process) -> Process {
    let mut child: Child = Command::new("/bin/true").spawn().unwrap();
    let id = child.id();
    child.wait().unwrap();
    Process {
        id,
        start: 1,
        ..like
    }
}

#[test]
fn only_what_is_proven_to_be_ours_and_dead_is_ended() {
    let world = stuck();
    let agent = AgentId::random();
    let settings = world.settings("backup", "S3cret!").of_agent(agent);
    let connector = Connector::new(settings, "next");
    let mut control = connector.open(Purpose::Control).unwrap();
    let mine = connector.stamp().unwrap();
    let dead = Stamp {
        process: dead(mine.process),
        ..mine
    };
    let other = Stamp {
        agent: AgentId::random(),
        ..dead
    };
    let elsewhere = Stamp {
        process: Process {
            space: mine.process.space ^ 1,
            ..dead.process
        },
        ..dead
    };
    let me = ("backup", "S3cret!");
    let orphan = backup(&world, me, Some(&dead), "One");
    let lives = backup(&world, me, Some(&mine), "Two");
    let foreign = backup(&world, me, Some(&other), "Three");
    let boot = backup(&world, me, Some(&elsewhere), "Four");
    let bare = backup(&world, me, None, "Payroll");
    let killed = orphan.spid();
    let spared = [
        (foreign.spid(), Doubt::OtherAgent),
        (boot.spid(), Doubt::OtherSpace),
        (bare.spid(), Doubt::NoStamp),
    ];
    waits_for(&mut control, 5);
    // Their clients are gone without a word; the server did not notice.
    drop((orphan, foreign, boot, bare));

    let seen = look(&connector, &mut control).unwrap();
    let lively = seen.iter().find(|(seen, _)| seen.session == lives.spid());
    assert_eq!(lively.unwrap().1, Finding::Lives);

    let found = sweep(&connector, &mut control).unwrap();
    waits_for(&mut control, 4);
    assert_eq!(found.len(), 4, "{found:#?}");
    let ended = found.iter().find(|o| o.seen.session == killed).unwrap();
    assert_eq!(ended.finding, Finding::Orphan);
    assert!(ended.told.contains("was killed"), "{}", ended.told);
    assert_eq!(ended.seen.command, "BACKUP DATABASE");
    for (session, doubt) in spared {
        let named = found.iter().find(|o| o.seen.session == session).unwrap();
        assert_eq!(named.finding, Finding::Unproven(doubt));
        let advice = format!("KILL {session}");
        assert!(named.told.contains(&advice), "{}", named.told);
    }
    assert_eq!(lives.poll(), None, "a living run was touched");
}

#[test]
fn a_login_that_sees_nobody_finds_nothing() {
    let world = stuck();
    let agent = AgentId::random();
    let reader = world.settings("reader", "reader").of_agent(agent);
    let connector = Connector::new(reader, "next");
    let mut control = connector.open(Purpose::Control).unwrap();
    let _bare = backup(&world, ("backup", "S3cret!"), None, "One");
    waits_for(&mut world.open(Purpose::Control), 1);
    assert!(sweep(&connector, &mut control).unwrap().is_empty());
}
