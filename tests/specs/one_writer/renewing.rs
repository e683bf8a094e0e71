//! A long read renews its holds: the old one goes only when the next one is there, and nothing stays.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use twinset::device::{Access, LoadPolicy, PluginFile};
use twinset::media::holds::{Hold, Terms};
use twinset::media::matrix::Matrix;
use twinset::media::volume::Place;
use twinset_domain::name::HoldName;
use twinset_domain::{Moment, Shape, Slot};

use crate::support::{World, built, sections};

/// Longer than any renewal takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A clock that moves on by a minute with each look.
fn now() -> Moment {
    static TIME: AtomicI64 = AtomicI64::new(1_790_000_000);
    Moment(TIME.fetch_add(60, Ordering::SeqCst))
}

fn holds(world: &World, mirror: u8) -> Vec<HoldName> {
    let names = sections(&world.volume(mirror, 1));
    let names = names.iter().filter_map(|name| name.strip_suffix(".record"));
    names.filter_map(HoldName::parse).collect()
}

/// The mirrors as a reader opens them, the second one with a fault.
fn opened(world: &World, fault: Value) -> Matrix {
    let policy = LoadPolicy::new(|| 0);
    let plugin = PluginFile::load(&built("libtwinset_fault_device.so"), &policy).unwrap();
    let shape = Shape {
        families: 1,
        mirrors: 2,
    };
    let place = |slot: Slot| {
        let path = world.device(slot.mirror.0, slot.family.0);
        let mut options = json!({ "path": path });
        if slot.mirror.0 == 2 {
            let more = fault.as_object().unwrap().clone();
            options.as_object_mut().unwrap().extend(more);
        }
        Place {
            slot,
            label: path.to_str().unwrap().to_owned(),
            plugin: plugin.clone(),
            options: options.to_string(),
            deadline: Duration::from_secs(60),
            medium_wait: Duration::ZERO,
        }
    };
    let places: Vec<Place> = shape.slots().map(place).collect();
    let agent = "66666666-7777-4888-9999-aaaaaaaaaaaa".parse().unwrap();
    Matrix::open(&places, shape, agent, Access::Read, None).unwrap()
}

#[test]
fn a_long_read_renews_its_holds_and_leaves_none() {
    let (world, _) = World::with_set(1, 2, 1 << 16);
    // The second renewal of the second mirror fails, and the attempt after it.
    let fault = json!({ "fail_call": "put_record", "errno": 5, "after": 2, "times": 2 });
    let matrix = opened(&world, fault);
    let agent = "66666666-7777-4888-9999-aaaaaaaaaaaa".parse().unwrap();
    let terms = Terms {
        seconds: 900,
        renew: Duration::from_millis(20),
    };
    let hold = Hold::take_for(&matrix, agent, now, terms);
    let first = [1, 2].map(|mirror| holds(&world, mirror)[0].until);
    let until = Instant::now() + PATIENCE;
    loop {
        let held = [1, 2].map(|mirror| holds(&world, mirror));
        // There is never a moment without one.
        for (held, mirror) in held.iter().zip([1, 2]) {
            assert!(!held.is_empty(), "mirror {mirror} is held by nobody");
        }
        let newest = held.map(|held| held.iter().map(|hold| hold.until).max().unwrap());
        let renewed = newest
            .iter()
            .zip(first)
            .all(|(newest, first)| newest.0 > first.0 + 300);
        if renewed {
            break;
        }
        assert!(Instant::now() < until, "{first:?}: {newest:?}");
        std::thread::yield_now();
    }
    drop(hold);
    matrix.close();
    for mirror in [1, 2] {
        assert_eq!(holds(&world, mirror), []);
    }
}
