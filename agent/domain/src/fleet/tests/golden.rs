//! What stands in outboxes of released agents must be read for ever.

use uuid::Uuid;

use crate::alert::Severity;
use crate::fleet::{
    AlertTold, CheckTold, Event, Inside, MAX_NAME, MAX_TEXT, MemberTold, RunTold, SetTold, name,
    text,
};
use crate::integrity::{Check, Damage, Depth, Outcome};
use crate::partner::Backed;
use crate::protection::{Record, Served, Sight};
use crate::recover::SetState;
use crate::{BackupKind, MediaSetId, Moment, RunId};

const ONE: Uuid = Uuid::from_u128(0x11111111_1111_4111_8111_111111111111);
const AT: Moment = Moment(1_795_305_600);

fn json(event: &Event) -> String {
    let text = serde_json::to_string_pretty(event).unwrap();
    assert_eq!(&serde_json::from_str::<Event>(&text).unwrap(), event);
    text
}

#[test]
fn a_set_is_told_whole() {
    let event = Event::Set(Box::new(SetTold {
        media_set: MediaSetId(ONE),
        key: "payroll".into(),
        position: 7,
        state: SetState::Published,
        run: Some(RunId(ONE)),
        database: Some("Payroll".into()),
        kind: Some(BackupKind::Log),
        written: Some(AT),
        published: Some(AT),
        bytes: 4096,
        mirrors: 2,
        copy_only: false,
        over_damage: false,
        inside: vec![Inside {
            set: Some(ONE),
            family: Some(ONE),
            fork: None,
            database: Some("Payroll".into()),
            server: Some("SQL-A".into()),
            kind: Some(BackupKind::Log),
            first_lsn: Some("34000000012300001".into()),
            last_lsn: Some("34000000045600001".into()),
        }],
    }));
    insta::assert_snapshot!(json(&event), @r#"
    {
      "event": "set",
      "media_set": "11111111-1111-4111-8111-111111111111",
      "key": "payroll",
      "position": 7,
      "state": "published",
      "run": "11111111-1111-4111-8111-111111111111",
      "database": "Payroll",
      "kind": "log",
      "written": "2026-11-22T00:00:00Z",
      "published": "2026-11-22T00:00:00Z",
      "bytes": 4096,
      "mirrors": 2,
      "copy_only": false,
      "over_damage": false,
      "inside": [
        {
          "set": "11111111-1111-4111-8111-111111111111",
          "family": "11111111-1111-4111-8111-111111111111",
          "fork": null,
          "database": "Payroll",
          "server": "SQL-A",
          "kind": "log",
          "first_lsn": "34000000012300001",
          "last_lsn": "34000000045600001"
        }
      ]
    }
    "#);
}

#[test]
fn runs_alerts_checks_and_members_are_told_whole() {
    let run = Event::Run(RunTold {
        run: RunId(ONE),
        key: "payroll".into(),
        database: "Payroll".into(),
        what: "vdi full".into(),
        state: "failed".into(),
        started: AT,
        ended: Some(AT),
        bytes: 0,
        note: Some("3271".into()),
    });
    let alert = Event::Alert(AlertTold {
        id: 3,
        code: "TW6021".into(),
        object: "payroll/Payroll full".into(),
        severity: Severity::Warning,
        message: "too old".into(),
        remedy: "look".into(),
        group: Some("payroll".into()),
        database: Some("Payroll".into()),
        first: AT,
        resolved: None,
        by_hand: false,
    });
    let check = Event::Check(CheckTold::new(
        5,
        &Check {
            database: "Payroll".into(),
            instance: "sql-a".into(),
            depth: Depth::Physical,
            began: AT,
            ended: AT,
            outcome: Outcome::Damaged(Damage {
                errors: 2,
                ..Damage::default()
            }),
        },
    ));
    let mut record = Record::new(AT);
    let who = Served {
        by: "sql-a".into(),
        term: None,
        family: Some(ONE),
        fork: None,
        helper: None,
    };
    record.sight = Sight::Principal {
        who,
        exposed: true,
        backed: Backed::default(),
        posts: Box::default(),
    };
    let member = Event::Member(MemberTold::new("payroll", "Payroll", &record));
    let rest = [
        Event::Begin,
        Event::Whole,
        Event::SetGone {
            media_set: MediaSetId(ONE),
            position: 7,
        },
        Event::MemberGone {
            group: "payroll".into(),
            database: "Payroll".into(),
        },
    ];
    let all: Vec<String> = [run, alert, check, member]
        .iter()
        .chain(&rest)
        .map(json)
        .collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    {
      "event": "run",
      "run": "11111111-1111-4111-8111-111111111111",
      "key": "payroll",
      "database": "Payroll",
      "what": "vdi full",
      "state": "failed",
      "started": "2026-11-22T00:00:00Z",
      "ended": "2026-11-22T00:00:00Z",
      "bytes": 0,
      "note": "3271"
    }
    {
      "event": "alert",
      "id": 3,
      "code": "TW6021",
      "object": "payroll/Payroll full",
      "severity": "warning",
      "message": "too old",
      "remedy": "look",
      "group": "payroll",
      "database": "Payroll",
      "first": "2026-11-22T00:00:00Z",
      "resolved": null,
      "by_hand": false
    }
    {
      "event": "check",
      "id": 5,
      "database": "Payroll",
      "instance": "sql-a",
      "depth": "physical",
      "outcome": "damaged",
      "found": "2 errors",
      "began": "2026-11-22T00:00:00Z",
      "ended": "2026-11-22T00:00:00Z"
    }
    {
      "event": "member",
      "group": "payroll",
      "database": "Payroll",
      "family": "11111111-1111-4111-8111-111111111111",
      "state": "initializing",
      "text": "initializing",
      "exposed": true,
      "served_by": "sql-a"
    }
    {
      "event": "begin"
    }
    {
      "event": "whole"
    }
    {
      "event": "set-gone",
      "media_set": "11111111-1111-4111-8111-111111111111",
      "position": 7
    }
    {
      "event": "member-gone",
      "group": "payroll",
      "database": "Payroll"
    }
    "#);
}

#[test]
fn a_family_is_kept_while_nobody_serves_it() {
    let mut record = Record::new(AT);
    record.anchor = Some(Served {
        by: "sql-a".into(),
        term: None,
        family: Some(ONE),
        fork: None,
        helper: None,
    });
    record.sight = Sight::Absent;
    let told = MemberTold::new("payroll", "Payroll", &record);
    assert_eq!((told.family, told.served_by), (Some(ONE), None));
}

#[test]
fn names_and_messages_are_bounded_and_hold_no_nul() {
    let long = "\u{e9}\0".repeat(MAX_TEXT);
    assert_eq!(name(&long).chars().count(), MAX_NAME);
    assert_eq!(text(&long).chars().count(), MAX_TEXT);
    assert!(!text(&long).contains('\0'));
    assert_eq!(
        name("O'Brien; DROP TABLE \u{1f389}"),
        "O'Brien; DROP TABLE \u{1f389}"
    );
}
