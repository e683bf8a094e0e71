//! The table of docs/protection.md is what the machine does: printed here, and compared.

use std::fmt::Write as _;

use twinset_domain::partner::Backed;
use twinset_domain::protection::{Action, Alarm, End, Event, Refusal, Rules, Sight, Verdict};
use twinset_domain::{BackupKind, Lsn, Moment};

use super::world::{BACKED, World, alone, backed, one_computer, principal, served};

/// What happens to a database that is protected on the principal, or stands by on the mirror.
struct Row {
    number: &'static str,
    trigger: &'static str,
    start: fn(Rules) -> World,
    events: fn(&mut World),
}

fn rows() -> Vec<Row> {
    vec![
        Row {
            number: "1",
            trigger: "a database is added to a group; ours is principal",
            start: |rules| World::new(rules, "sql-a"),
            events: |world| drop(world.sees(principal("sql-a", 1))),
        },
        Row {
            number: "1",
            trigger: "the same; the partner is principal",
            start: |rules| World::new(rules, "sql-b"),
            events: |world| drop(world.sees(principal("sql-a", 1))),
        },
        Row {
            number: "2",
            trigger: "a protected database becomes mirrored",
            start: |rules| {
                let mut world = World::new(rules, "sql-a");
                world.sees(alone("sql-a"));
                world.tell(Event::Checked(Verdict::Continue));
                world.done.clear();
                world
            },
            events: |world| drop(world.sees(principal("sql-a", 1))),
        },
        Row {
            number: "3",
            trigger: "the session is gone, or another one",
            start: World::protected,
            events: |world| drop(world.sees(alone("sql-a"))),
        },
        Row {
            number: "4",
            trigger: "failed over and back before the next backup",
            start: World::protected,
            events: |world| drop(world.sees(principal("sql-a", 3))),
        },
        Row {
            number: "4",
            trigger: "the same; the partner's agent took a backup in between",
            start: World::protected,
            events: |world| {
                let log = Some(Lsn(1001));
                world.sees(backed("sql-a", 3, Backed { log, ..BACKED }));
            },
        },
        Row {
            number: "5",
            trigger: "ours, the mirror, has become principal",
            start: World::standby,
            events: |world| drop(world.sees(principal("sql-b", 2))),
        },
        Row {
            number: "5",
            trigger: "the partner has become principal, and the time of the check has come",
            start: World::protected,
            events: |world| {
                world.sees(principal("sql-b", 2));
                world.after(1800);
            },
        },
        Row {
            number: "6",
            trigger: "fails back before that, and a backup was running meanwhile",
            start: World::protected,
            events: |world| {
                world.due(BackupKind::Full);
                world.sees(principal("sql-b", 2));
                world.tell(Event::Ended(BackupKind::Full, End::Interrupted));
                world.done.clear();
                world.sees(principal("sql-a", 3));
            },
        },
        Row {
            number: "7",
            trigger: "another failover before that",
            start: World::standby,
            events: |world| {
                world.sees(principal("sql-b", 2));
                world.after(600);
                world.done.clear();
                world.sees(principal("sql-b", 4));
            },
        },
        Row {
            number: "8",
            trigger: "a backup is due or asked for before the check",
            start: World::standby,
            events: |world| {
                world.sees(principal("sql-b", 2));
                world.done.clear();
                world.due(BackupKind::Log);
            },
        },
        Row {
            number: "9",
            trigger: "the check passes",
            start: World::standby,
            events: |world| {
                world.sees(principal("sql-b", 2));
                world.after(1800);
                world.done.clear();
                world.tell(Event::Checked(Verdict::Continue));
            },
        },
        Row {
            number: "9",
            trigger: "the check fails",
            start: World::standby,
            events: |world| {
                world.sees(principal("sql-b", 2));
                world.after(1800);
                world.done.clear();
                let why = "a volume is missing".to_owned();
                world.tell(Event::Checked(Verdict::Inconsistent(why)));
            },
        },
        Row {
            number: "10",
            trigger: "another group protects the partner of the same session",
            start: World::protected,
            events: |world| drop(world.tell(Event::PairTaken("group other".to_owned()))),
        },
        Row {
            number: "11",
            trigger: "both copies are on one computer",
            start: World::protected,
            events: |world| {
                let why = one_computer();
                world.sees(Sight::Unfit(why));
            },
        },
        Row {
            number: "12",
            trigger: "roles switch while a backup runs",
            start: World::protected,
            events: |world| {
                world.due(BackupKind::Full);
                world.done.clear();
                world.sees(principal("sql-b", 2));
            },
        },
        Row {
            number: "13",
            trigger: "nobody is principal for 5 minutes",
            start: World::protected,
            events: |world| {
                world.sees(Sight::NoPrincipal);
                world.after(300);
            },
        },
        Row {
            number: "13",
            trigger: "the principal serves without its partner, and a log is due",
            start: World::protected,
            events: |world| {
                world.sees(Sight::Principal {
                    who: served("sql-a", Some(7), 1, 100),
                    exposed: true,
                    backed: BACKED,
                    posts: Box::default(),
                });
                world.due(BackupKind::Log);
            },
        },
        Row {
            number: "14",
            trigger: "both claim to be principal, and a log is due",
            start: World::protected,
            events: |world| {
                let ours = served("sql-a", Some(7), 1, 100);
                world.sees(Sight::Split(Some(ours)));
                world.due(BackupKind::Log);
            },
        },
        Row {
            number: "15",
            trigger: "a right is lost",
            start: World::protected,
            events: |world| drop(world.sees(Sight::Forbidden("login failed".to_owned()))),
        },
        Row {
            number: "16",
            trigger: "the principal's agent is silent",
            start: World::standby,
            events: |world| drop(world.tell(Event::PartnerSilent)),
        },
        Row {
            number: "17",
            trigger: "no group means the database any more",
            start: World::protected,
            events: |world| drop(world.tell(Event::Orphaned)),
        },
        Row {
            number: "18",
            trigger: "paused, and a log is due",
            start: World::protected,
            events: |world| {
                world.tell(Event::Pause(Moment(world.now.0 + 7200)));
                world.due(BackupKind::Log);
            },
        },
    ]
}

fn told(alarm: Alarm) -> String {
    serde_json::to_value(alarm)
        .unwrap()
        .as_str()
        .unwrap()
        .replace('-', " ")
}

/// Times as spans from the start, so that the page does not speak of a day.
fn spans(text: &str, world: &World) -> String {
    let mut text = text.to_owned();
    for seconds in [0, 1800, 1860, 7200] {
        let at = Moment(super::world::START + seconds).to_string();
        text = text.replace(&at, &format!("+{} min", seconds / 60));
    }
    text.replace(&world.now.to_string(), "now")
}

fn act(action: &Action) -> Option<String> {
    Some(match action {
        Action::Backup(kind) => format!("a {kind} backup"),
        Action::Check(why) => format!("the check ({why})"),
        Action::Stop => "what runs is stopped".to_owned(),
        Action::Refuse(refusal @ Refusal::Sight(_)) => format!("refused: {refusal}"),
        Action::Refuse(refusal) => format!("refused: {refusal}"),
        Action::Raise(alarm) => format!("alert: {}", told(*alarm)),
        Action::NoteBounce { .. } => "a line in the history".to_owned(),
        Action::Resolve(_) => return None,
    })
}

fn cell(row: &Row, rules: Rules) -> String {
    let mut world = (row.start)(rules);
    (row.events)(&mut world);
    let mut done: Vec<String> = world.done.iter().filter_map(act).collect();
    done.dedup();
    let done = if done.is_empty() {
        "nothing".to_owned()
    } else {
        done.join("; ")
    };
    let text = format!("**{}**: {done}", world.record.shown());
    spans(&text, &world)
}

fn printed() -> String {
    let mut text = "| # | what happens | `dpm` | `follow` |\n|---|---|---|---|\n".to_owned();
    for row in rows() {
        let (dpm, follow) = (cell(&row, Rules::DPM), cell(&row, Rules::FOLLOW));
        let follow = if dpm == follow {
            "the same".to_owned()
        } else {
            follow
        };
        let (number, trigger) = (row.number, row.trigger);
        writeln!(text, "| {number} | {trigger} | {dpm} | {follow} |").unwrap();
    }
    text
}

#[test]
fn the_page_says_what_the_machine_does() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protection.md");
    let text = std::fs::read_to_string(page).unwrap();
    let printed = printed();
    assert!(
        text.contains(&printed),
        "docs/protection.md should hold this table:\n{printed}"
    );
}
