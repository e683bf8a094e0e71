#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

fn at(second: u32) -> Moment {
    Moment::from_parts((2026, 11, 22), (3, 0, second), 0).unwrap()
}

fn writes() -> Vec<Write> {
    (1..=4_u32)
        .map(|n| Write {
            id: i64::from(n),
            lsn: Lsn::new(40, 100 + 8 * n, 1),
            at: at(10 * n),
            note: String::new(),
            mark: (n == 2).then(|| "half".to_owned()),
            bulk: false,
        })
        .collect()
}

fn reach(stop: &Stop, rolled_to: u32) -> Result<Reach, i32> {
    let writes = writes();
    let log = Log {
        from: Lsn::new(40, 100, 1),
        last: Lsn::new(40, 200, 1),
        writes: &writes,
        finished: Some(at(50)),
    };
    let outcome = stop.reach(log, Some(at(rolled_to)));
    outcome.map_err(|message| message.number)
}

#[test]
fn a_time_stops_before_the_first_write_at_or_behind_it() {
    let stopped = |block| Ok(Reach::Stopped(Lsn::new(40, block, 1)));
    assert_eq!(reach(&Stop::Time(at(20)), 5), stopped(116));
    assert_eq!(reach(&Stop::Time(at(21)), 5), stopped(124));
    assert_eq!(reach(&Stop::Time(at(45)), 5), stopped(200));
    assert_eq!(reach(&Stop::Time(at(50)), 5), stopped(200));
}

#[test]
fn a_time_behind_the_set_is_not_reached_and_one_before_the_database_is_refused() {
    assert_eq!(reach(&Stop::Time(at(51)), 5), Ok(Reach::Short(4322)));
    assert_eq!(reach(&Stop::Time(at(4)), 5), Err(4335));
}

#[test]
fn a_mark_is_included_or_left_out() {
    let mark = |name: &str, after, before| Stop::Mark(name.into(), after, before);
    let stopped = |block| Ok(Reach::Stopped(Lsn::new(40, block, 1)));
    assert_eq!(reach(&mark("half", None, false), 5), stopped(124));
    assert_eq!(reach(&mark("half", None, true), 5), stopped(116));
    assert_eq!(reach(&mark("whole", None, true), 5), Ok(Reach::Short(4329)));
    let later = mark("half", Some(at(21)), false);
    assert_eq!(reach(&later, 5), Ok(Reach::Short(4329)));
}

#[test]
fn a_record_is_included_or_left_out() {
    let record = |block, before| Stop::Record(Lsn::new(40, block, 1), before);
    let stopped = |block| Ok(Reach::Stopped(Lsn::new(40, block, 1)));
    assert_eq!(reach(&record(116, false), 5), stopped(124));
    assert_eq!(reach(&record(116, true), 5), stopped(116));
    assert_eq!(reach(&record(200, true), 5), Ok(Reach::Short(4329)));
    assert_eq!(reach(&record(99, true), 5), Err(4335));
}
