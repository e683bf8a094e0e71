//! The agent is killed at random moments of an import into a disk and a store.

use std::time::Duration;

use serde_json::json;

use super::{is_sound, mixed, with_each};
use crate::support::{Dice, World, generated};

/// Kills with each server; `TWINSET_STORE_KILLS` says otherwise.
const KILLS: u64 = 12;

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_killed_import_leaves_nothing_behind_after_recovery() {
    let kills = std::env::var("TWINSET_STORE_KILLS").ok();
    let kills = kills.map_or(KILLS, |text| text.parse().unwrap());
    // S3 and Azure differ in what a dead upload leaves; the others are killed with where asked for.
    let all = std::env::var_os("TWINSET_STORE_KILLS").is_some();
    with_each(|server| {
        if !all && !["seaweedfs", "azurite"].contains(&server.name.as_str()) {
            return;
        }
        let mut dice = Dice::new(7);
        let world = mixed(server, 1);
        world.json(&["media", "format", "payroll"]).ended(0);
        let files = generated(world.path(), 2, 40 << 20, 1);
        let whole = world.import(&files).ended(0).took;
        let (mut last, mut left) = (1, 0);
        for _ in 0..kills {
            let share = u32::try_from(dice.below(110)).unwrap();
            strike(&world, &files, whole * share / 100);
            left += usize::from(!super::leftovers(&world).is_empty());
            let report = world
                .json(&["media", "recover", "payroll"])
                .ended(0)
                .result();
            assert_eq!(report["unconfirmed"], json!([]), "{report}");
            is_sound(&world);
            let sets = world.sets();
            let whole = sets.iter().filter(|set| set["state"] == "published");
            last = whole
                .map(|set| set["position"].as_u64().unwrap())
                .max()
                .unwrap_or(last);
        }
        eprintln!(
            "{}: {kills} kills, {left} left something unfinished",
            server.name
        );
        assert!(left > 0, "no kill came in the middle");
        world.exports(1, 0, &files);
        world.exports(last, 0, &files);
        world.import(&files).ended(0);
        is_sound(&world);
    });
}

fn strike(world: &World, files: &[std::path::PathBuf], after: Duration) {
    let mut import = world.start(&World::import_line(files));
    import.runs_for(after);
    import.kill();
}
