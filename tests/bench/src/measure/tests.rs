#![allow(clippy::unwrap_used, clippy::panic)]

use super::{Medians, Pairs, Taken, high_water, median, pairs, parse, run};

fn taken(wall: f64) -> Taken {
    Taken {
        wall,
        cpu: wall * 2.0,
    }
}

#[test]
fn the_median_is_the_middle_of_any_order() {
    assert!((median([3.0, 1.0, 2.0].into_iter()) - 2.0).abs() < 1e-9);
    assert!((median([4.0, 1.0, 3.0, 2.0].into_iter()) - 2.5).abs() < 1e-9);
    assert!(median([].into_iter()).is_nan());
}

#[test]
fn the_ratio_is_the_median_of_pairs_not_the_ratio_of_medians() {
    let (ours, theirs) = (
        vec![taken(1.0), taken(9.0), taken(2.0)],
        vec![taken(2.0); 3],
    );
    let found = Pairs { ours, theirs }.medians(|taken| taken.wall);
    assert_eq!(
        found,
        Medians {
            ours: 2.0,
            theirs: 2.0,
            ratio: 1.0
        }
    );
}

#[test]
fn sides_run_in_turns() {
    let order = std::cell::RefCell::new(String::new());
    let side = |name| {
        let order = &order;
        move || {
            order.borrow_mut().push(name);
            Ok(taken(1.0))
        }
    };
    pairs(3, side('A'), side('B')).unwrap();
    assert_eq!(order.into_inner(), "ABABAB");
}

#[test]
fn times_and_memory_are_read_as_bash_and_the_kernel_write_them() {
    assert_eq!(
        parse("x\n1.250 0.500 0.250\n"),
        Some(Taken {
            wall: 1.25,
            cpu: 0.75
        })
    );
    assert_eq!(parse("1.250 0.500\n"), None);
    assert_eq!(
        high_water("VmPeak:\t 9 kB\nVmHWM:\t   12 kB\n"),
        Some(12 * 1024)
    );
    assert_eq!(high_water("VmHWM:\t 99999999999999999999 kB\n"), None);
}

#[test]
fn a_line_is_measured_with_all_its_children_and_its_failure_is_told() {
    let slept = run("sleep 0.05; echo aside >&2").unwrap();
    assert!(slept.wall >= 0.05 && slept.cpu < slept.wall);
    let failed = run("echo why >&2; false").unwrap_err().to_string();
    assert!(failed.contains("why"), "{failed}");
}
