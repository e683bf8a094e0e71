//! A writer that sleeps is still the writer; one that is dead is not.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::other_agent;
use crate::support::{World, generated};

#[test]
fn a_stopped_writer_that_wakes_up_late_is_still_the_only_one() {
    let (mut world, files) = World::with_set(1, 2, 1 << 17);
    world.configure(|media| {
        media.deadline = Some("1h");
        let hang = json!({ "hang_in": "write", "hang_ms": 50, "only_index": 3, "times": 1 });
        media.fault(2, 1, hang);
    });
    let mut run = world.start(&World::import_line(&files));
    assert!(run.says("a fault was planted in write"));
    let id = Pid::from_raw(i32::try_from(run.id()).unwrap()).unwrap();
    kill_process(id, Signal::STOP).unwrap();
    world.heal_devices();
    let more = generated(world.path(), 9, 1 << 16, 1);
    let line = World::import_line(&more);
    // It may have finished its last write before it was stopped, but never its run: a set takes
    // more steps than one hang leaves time for, unless the machine stopped us as well.
    let sets = world.sets();
    if sets
        .iter()
        .filter(|set| set["state"] == "published")
        .count()
        == 1
    {
        world.json(&line).ended(5).failed("TW5002");
        other_agent(&world, &line).ended(5).failed("TW2009");
        other_agent(&world, &["media", "adopt", "payroll", "--yes"])
            .ended(5)
            .failed("TW2009");
    }
    kill_process(id, Signal::CONT).unwrap();
    assert_eq!(run.end().ended(0).result()["position"], 2);
    assert_eq!(world.json(&line).ended(0).result()["position"], 3);
    assert_eq!(world.verify(0)["damage"], json!([]));
    for (position, files) in [(1, &files), (2, &files), (3, &more)] {
        world.exports(position, 0, files);
    }
}

#[test]
fn a_mirror_that_comes_back_after_months_is_out_of_step_and_stays_so() {
    let (mut world, files) = World::with_set(1, 2, 1 << 16);
    world.configure(|media| media.set = "min_mirrors = 1\nrepair = \"manual\"".into());
    let aside = world.path().join("aside");
    std::fs::rename(world.path().join("m2"), &aside).unwrap();
    for position in 2..=3 {
        assert_eq!(world.import(&files).ended(3).result()["position"], position);
    }
    std::fs::rename(&aside, world.path().join("m2")).unwrap();
    assert_eq!(world.import(&files).ended(3).result()["position"], 4);
    let alone = crate::support::sections(&world.volume(2, 1));
    assert!(
        !alone.iter().any(|name| name.starts_with("0003.")),
        "{alone:?}"
    );
    for position in 2..=4 {
        world.exports(position, 3, &files);
    }
}
