#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn stamp(agent: u128, process: (u64, u32, u64)) -> Stamp {
    let (space, id, start) = process;
    Stamp {
        agent: AgentId(Uuid::from_u128(agent)),
        process: Process { space, id, start },
    }
}

fn seen(program: String, login: &str) -> Seen {
    Seen {
        session: 57,
        program,
        login: login.into(),
        host: "sql-a".into(),
        since: None,
        command: "BACKUP DATABASE".into(),
        database: Some("Payroll".into()),
    }
}

#[test]
fn only_our_own_dead_process_makes_an_orphan() {
    let mine = stamp(1, (7, 100, 5000));
    let me = Me {
        stamp: mine,
        login: "twinset",
    };
    let dead = |_: Process| false;
    let alive = |_: Process| true;
    let judged = |theirs: Stamp, login: &str, lives: &dyn Fn(Process) -> bool| {
        judge(
            &seen(program("work", "run", Some(&theirs)), login),
            &me,
            lives,
        )
    };
    let other = stamp(1, (7, 99, 4000));
    assert_eq!(judged(other, "twinset", &dead), Finding::Orphan);
    assert_eq!(judged(other, "twinset", &alive), Finding::Lives);
    // Our own process lives whatever anybody says.
    assert_eq!(judged(mine, "twinset", &dead), Finding::Lives);
    // An id that was given again is another process.
    let again = stamp(1, (7, 100, 4000));
    assert_eq!(judged(again, "twinset", &dead), Finding::Orphan);
    for (theirs, login, doubt) in [
        (stamp(2, (7, 99, 4000)), "twinset", Doubt::OtherAgent),
        (stamp(1, (8, 99, 4000)), "twinset", Doubt::OtherSpace),
        (other, "sa", Doubt::OtherLogin),
    ] {
        assert_eq!(judged(theirs, login, &dead), Finding::Unproven(doubt));
    }
    for program in ["Twinset work run", "sqlcmd", "", "Twinset work 1.2.3"] {
        let finding = judge(&seen(program.into(), "twinset"), &me, dead);
        assert_eq!(finding, Finding::Unproven(Doubt::NoStamp), "{program}");
    }
}

#[test]
fn a_name_of_another_product_is_not_ours() {
    let stamp = stamp(1, (7, 99, 4000));
    let program = program("work", "run", Some(&stamp));
    assert!(is_ours(&program));
    assert_eq!(read(&program.replace("Twinset", "Twinsets")), None);
    assert!(!is_ours("Twinsetter work"));
}

proptest! {
    #[test]
    fn the_stamp_survives_any_run_and_fits(
        run in ".{0,200}", agent: u128, space: u64, id: u32, start: u64,
    ) {
        let stamp = stamp(agent, (space, id, start));
        let name = program("control", &run, Some(&stamp));
        prop_assert!(name.chars().count() <= MAX_PROGRAM);
        prop_assert_eq!(read(&name), Some(stamp));
    }

    #[test]
    fn no_name_panics(name in ".{0,200}") {
        let _ = read(&name);
    }
}
