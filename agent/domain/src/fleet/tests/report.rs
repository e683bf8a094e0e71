use uuid::Uuid;

use crate::alert::Severity;
use crate::fleet::{AgentSeen, AlertSeen, Guarded, LastSeen, MemberSeen, Report, SILENCE, Seen};
use crate::{AgentId, BackupKind, Exit, Moment};

const NOW: Moment = Moment(1_795_305_600);
const FAMILY: Uuid = Uuid::from_u128(7);

fn id(number: u128) -> AgentId {
    AgentId(Uuid::from_u128(number))
}

fn agent(number: u128, name: &str, ago: i64) -> AgentSeen {
    AgentSeen {
        agent: id(number),
        name: name.into(),
        release: "0.1.0".into(),
        heard: Moment(NOW.0 - ago),
    }
}

fn member(number: u128, family: Option<Uuid>, database: &str, state: &str) -> MemberSeen {
    MemberSeen {
        agent: id(number),
        name: format!("sql-{number}"),
        group: "payroll".into(),
        database: database.into(),
        family,
        state: state.into(),
        text: state.into(),
        exposed: false,
    }
}

fn last(
    number: u128,
    family: Option<Uuid>,
    database: &str,
    kind: BackupKind,
    ago: i64,
) -> LastSeen {
    LastSeen {
        family,
        database: database.into(),
        kind,
        began: Some(Moment(NOW.0 - ago)),
        agent: id(number),
        name: format!("sql-{number}"),
        media_set: "payroll".into(),
        position: 1,
    }
}

fn alert(severity: Severity, ago: i64) -> AlertSeen {
    AlertSeen {
        agent: "sql-1".into(),
        code: "TW6021".into(),
        object: "payroll".into(),
        severity,
        message: "old".into(),
        remedy: "look".into(),
        since: Moment(NOW.0 - ago),
    }
}

/// A pair of which one agent protects, and both hold backups.
fn pair() -> Seen {
    Seen {
        agents: vec![agent(2, "sql-2", 0), agent(1, "sql-1", SILENCE)],
        members: vec![
            member(1, Some(FAMILY), "Payroll", "not-principal"),
            member(2, Some(FAMILY), "Payroll", "protected"),
        ],
        last: vec![
            last(1, Some(FAMILY), "Wages", BackupKind::Full, 900),
            last(2, Some(FAMILY), "Payroll", BackupKind::Log, 60),
        ],
        alerts: Vec::new(),
    }
}

#[test]
fn a_pair_is_one_replica_whatever_its_servers_and_old_names_are() {
    let report = Report::of(pair(), NOW);
    let [line] = report.databases.as_slice() else {
        panic!("{report:?}");
    };
    assert_eq!(
        (line.database.as_str(), line.guarded),
        ("Payroll", Guarded::Protected)
    );
    assert_eq!((line.members.len(), line.last.len()), (2, 2));
    let names: Vec<&str> = report
        .agents
        .iter()
        .map(|one| one.seen.name.as_str())
        .collect();
    assert_eq!(names, ["sql-1", "sql-2"]);
    assert_eq!(report.exit(), Exit::Done);
}

#[test]
fn what_has_no_family_belongs_to_its_agent() {
    let mut seen = pair();
    seen.members.push(member(1, None, "HR", "protected"));
    seen.members.push(member(2, None, "HR", "protected"));
    seen.last.push(last(1, None, "hr", BackupKind::Full, 5));
    let report = Report::of(seen, NOW);
    let hr = report.databases.iter().filter(|line| line.database == "HR");
    let lasts: Vec<usize> = hr.map(|line| line.last.len()).collect();
    assert_eq!(lasts, [1, 0], "two databases of one name");
    assert_eq!(report.exit(), Exit::Done);
}

#[test]
fn each_thing_that_is_not_well_is_degraded() {
    let judged = |change: &dyn Fn(&mut Seen)| {
        let mut seen = pair();
        change(&mut seen);
        Report::of(seen, NOW).exit()
    };
    assert_eq!(
        judged(&|seen| seen.agents[0].heard.0 -= SILENCE + 1),
        Exit::Degraded
    );
    assert_eq!(
        judged(&|seen| seen.members[1].state = "check-pending".into()),
        Exit::Degraded
    );
    assert_eq!(
        judged(&|seen| seen.members[1].exposed = true),
        Exit::Degraded
    );
    assert_eq!(
        judged(&|seen| seen.alerts.push(alert(Severity::Warning, 1))),
        Exit::Degraded
    );
    assert_eq!(
        judged(&|seen| seen.alerts.push(alert(Severity::Info, 1))),
        Exit::Done
    );
    let held = |seen: &mut Seen| seen.last.push(last(1, None, "Old", BackupKind::Full, 5));
    assert_eq!(judged(&held), Exit::Done, "backups alone are nobody's duty");
    assert_eq!(judged(&|seen| *seen = Seen::default()), Exit::Done);
}

#[test]
fn the_worst_alert_comes_first() {
    let mut seen = pair();
    seen.alerts = vec![
        alert(Severity::Warning, 1),
        alert(Severity::Critical, 9),
        alert(Severity::Critical, 2),
    ];
    let alerts = Report::of(seen, NOW).alerts;
    let ages: Vec<i64> = alerts.iter().map(|alert| NOW.0 - alert.since.0).collect();
    assert_eq!(ages, [2, 9, 1]);
}
