use proptest::prelude::*;

use super::*;

const fn stand(taken: u64, full: bool) -> Stand {
    Stand { taken, full }
}

#[test]
fn all_came_to_the_same_byte_behind_the_warning() {
    let mirrors = [stand(8, false), stand(8, false)];
    let at = Cut::At {
        byte: 8,
        holder: None,
    };
    assert_eq!(cut(8, None, &mirrors, true), at);
    assert_eq!(
        cut(8, None, &mirrors, false),
        Cut::None,
        "the section ends here"
    );
}

#[test]
fn the_one_that_took_least_decides() {
    let mirrors = [stand(9, false), stand(5, true), stand(7, true)];
    let at = Cut::At {
        byte: 5,
        holder: Some(1),
    };
    assert_eq!(cut(9, None, &mirrors, true), at);
    assert_eq!(
        cut(9, Some(2), &mirrors, false),
        at,
        "also at the end of the section"
    );
}

#[test]
fn a_first_medium_that_is_full_already_is_left_at_once() {
    let mirrors = [stand(0, true)];
    let at = Cut::At {
        byte: 0,
        holder: Some(0),
    };
    assert_eq!(cut(9, None, &mirrors, true), at);
    assert_eq!(
        cut(9, Some(0), &mirrors, true),
        Cut::Stuck(0),
        "but not a fresh one"
    );
}

proptest! {
    /// Whatever each mirror took: nothing is written twice or left out behind the cut.
    #[test]
    fn every_byte_behind_the_cut_is_held(
        sent in 0_u64..1000,
        taken in proptest::collection::vec((0_u64..1000, any::<bool>()), 1..5),
        more: bool,
    ) {
        let mirrors: Vec<Stand> = taken
            .into_iter()
            .map(|(taken, full)| stand(if full { taken.min(sent) } else { sent }, full))
            .collect();
        match cut(sent, None, &mirrors, more) {
            Cut::At { byte, holder } => {
                // No mirror lacks a byte before it.
                prop_assert!(mirrors.iter().all(|mirror| mirror.taken >= byte));
                // Its holder has exactly what is behind it; without one there is nothing.
                let held = holder.map_or(0, |holder| sent - mirrors[holder].taken);
                prop_assert_eq!(byte + held, sent);
            }
            Cut::None => {
                prop_assert!(!more && mirrors.iter().all(|mirror| mirror.taken == sent));
            }
            Cut::Stuck(_) => prop_assert!(false, "no medium is fresh"),
        }
    }
}
