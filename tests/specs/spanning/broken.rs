//! Something dies, is lost or is damaged.

use std::fs;

use serde_json::json;

use super::{SMALL, file, import, lengths, media, medium, rows};
use crate::support::{World, damage_bit, generated};

#[test]
fn a_run_that_is_killed_while_it_waits_is_taken_back_and_the_mirrors_are_level_again() {
    let single = json!({ "medium_bytes": SMALL, "media": 1 });
    let world = rows(&[single, medium(SMALL)]);
    let files = generated(world.path(), 1, 1_500_000, 1);
    let mut run = world.start(&World::import_line(&files));
    run.line_with("operator");
    run.kill();
    world.json(&["media", "recover", "payroll"]).ended(0);
    world.verify(0);
    fs::write(world.device(1, 1).join("more"), "").unwrap();
    let files = import(&world, 2, 500_000);
    let position = world.sets().last().unwrap()["position"].as_u64().unwrap();
    let number = u32::try_from(position).unwrap();
    assert_eq!(lengths(&world, 1, number), lengths(&world, 2, number));
    assert_eq!(media(&world, 1).len(), media(&world, 2).len());
    world.exports(position, 0, &files);
    world.verify(0);
}

#[test]
fn parts_that_are_damaged_on_different_mirrors_make_one_sound_set() {
    let world = rows(&[medium(4 << 20), medium(4 << 20)]);
    let files = import(&world, 1, 11 << 20);
    damage_bit(&file(&media(&world, 1)[0], "0001.").unwrap(), 8);
    damage_bit(&file(&media(&world, 2)[2], "0001.").unwrap(), 80);
    world.exports(1, 3, &files);
    world.verify(3);
}

#[test]
fn a_medium_in_the_middle_that_is_gone_is_read_from_the_twin() {
    let world = rows(&[medium(SMALL), medium(SMALL)]);
    let files = import(&world, 1, 2_500_000);
    fs::remove_dir_all(world.device(1, 1).join("2")).unwrap();
    fs::remove_dir_all(world.device(1, 1).join("3")).unwrap();
    world.exports(1, 3, &files);
}

#[test]
fn a_mirror_is_built_again_on_empty_media_with_the_cuts_of_its_twin() {
    let world = rows(&[medium(SMALL), medium(SMALL)]);
    let first = import(&world, 1, 2_500_000);
    let second = import(&world, 2, 900_000);
    fs::remove_dir_all(world.path().join("m2")).unwrap();
    world
        .json(&["media", "repair", "payroll", "--mirror", "2"])
        .ended(0);
    for position in [1, 2] {
        assert_eq!(lengths(&world, 1, position), lengths(&world, 2, position));
    }
    assert_eq!(media(&world, 1).len(), media(&world, 2).len());
    world.verify(0);
    fs::remove_dir_all(world.path().join("m1")).unwrap();
    world.exports(1, 3, &first);
    world.exports(2, 3, &second);
}

#[test]
fn a_replacement_with_smaller_media_is_named() {
    let mut world = rows(&[medium(SMALL), medium(SMALL)]);
    import(&world, 1, 2_500_000);
    fs::remove_dir_all(world.path().join("m2")).unwrap();
    world.configure(|config| {
        config.rows.insert((2, 1), medium(SMALL / 2));
    });
    let ran = world.json(&["media", "repair", "payroll", "--mirror", "2"]);
    let left = ran.ended(3).result()["unhealed"].to_string();
    assert!(left.contains("TW2010") && left.contains("m2/f1"), "{left}");
}

#[test]
fn a_fresh_medium_that_takes_nothing_ends_the_run_with_a_reason() {
    let world = rows(&[medium(100)]);
    let files = generated(world.path(), 1, 100_000, 1);
    let fault = world.import(&files).failed("TW2010").to_string();
    assert!(fault.contains("a fresh medium takes nothing"), "{fault}");
}
