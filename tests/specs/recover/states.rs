//! Half sets made by hand, as a power cut at the worst moment would leave them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::Struck;
use crate::support::{World, copy, generated, sections, snapshot};

/// A world with sets at positions 1 and 2 whose agent does not remember the second.
struct Half {
    world: World,
    before: Vec<PathBuf>,
    killed: Vec<PathBuf>,
    _source: TempDir,
}

impl Half {
    fn new(families: u16) -> Self {
        let source = TempDir::new().unwrap();
        let before = generated(source.path(), 1, 1 << 17, families);
        let killed = generated(source.path(), 2, 5 << 20, families);
        let world = World::formatted(families, 2);
        world.import(&before).ended(0);
        let (state, kept) = (world.path().join("state"), world.path().join("kept"));
        copy(&state, &kept);
        world.import(&killed).ended(0);
        fs::remove_dir_all(&state).unwrap();
        fs::rename(&kept, &state).unwrap();
        Self {
            world,
            before,
            killed,
            _source: source,
        }
    }

    fn remove(&self, mirror: u8, family: u16, begins: &str) -> &Self {
        fs::remove_file(self.world.file(mirror, family, begins)).unwrap();
        self
    }

    fn is_set_right(&self) {
        let Self {
            world,
            before,
            killed,
            ..
        } = self;
        Struck {
            world,
            before,
            killed,
        }
        .is_set_right();
    }

    /// State of position 2 as `media show` tells it.
    fn state(&self) -> Value {
        self.world.sets()[1]["state"].clone()
    }
}

const VERDICT: &str = "verdict.000002.";

#[test]
fn data_without_any_manifest_is_taken_back() {
    for families in [1, 2] {
        let half = Half::new(families);
        for mirror in 1..=2 {
            half.remove(mirror, 1, "0004.").remove(mirror, 1, VERDICT);
            if families == 2 {
                half.remove(mirror, 2, VERDICT);
            }
        }
        assert_eq!(half.state(), "unsealed");
        half.is_set_right();
        assert_eq!(half.state(), "void");
        let names = sections(&half.world.volume(1, 1));
        assert!(
            !names.iter().any(|name| name.starts_with("0003.")),
            "{names:?}"
        );
    }
}

#[test]
fn data_on_one_mirror_alone_is_taken_back() {
    let half = Half::new(1);
    for mirror in 1..=2 {
        half.remove(mirror, 1, "0004.").remove(mirror, 1, VERDICT);
    }
    half.remove(2, 1, "0003.");
    half.is_set_right();
    assert_eq!(half.state(), "void");
}

#[test]
fn a_manifest_on_one_mirror_alone_is_copied_and_the_set_published() {
    for lacking in 1..=2 {
        let half = Half::new(1);
        half.remove(1, 1, VERDICT)
            .remove(2, 1, VERDICT)
            .remove(lacking, 1, "0004.");
        half.is_set_right();
        assert_eq!(half.state(), "published");
    }
}

#[test]
fn data_and_manifest_on_one_mirror_alone_are_copied_and_the_set_published() {
    for lacking in 1..=2 {
        let half = Half::new(1);
        half.remove(1, 1, VERDICT).remove(2, 1, VERDICT);
        half.remove(lacking, 1, "0004.").remove(lacking, 1, "0003.");
        half.is_set_right();
        assert_eq!(half.state(), "published");
    }
}

#[test]
fn families_sealed_on_different_mirrors_are_copied_and_the_set_published() {
    let half = Half::new(2);
    for (mirror, family) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        half.remove(mirror, family, VERDICT);
    }
    half.remove(1, 1, "0004.")
        .remove(2, 2, "0004.")
        .remove(2, 2, "0003.");
    half.is_set_right();
    assert_eq!(half.state(), "published");
}

#[test]
fn a_verdict_on_one_mirror_alone_is_copied() {
    for lacking in 1..=2 {
        let half = Half::new(1);
        half.remove(lacking, 1, VERDICT);
        half.is_set_right();
        assert_eq!(half.state(), "published");
    }
}

#[test]
fn data_that_came_back_under_a_void_is_removed_again() {
    let half = Half::new(1);
    let data = [
        half.world.file(1, 1, "0003."),
        half.world.file(2, 1, "0003."),
    ];
    let bytes = fs::read(&data[0]).unwrap();
    for mirror in 1..=2 {
        half.remove(mirror, 1, "0004.").remove(mirror, 1, VERDICT);
    }
    half.world.json(&["media", "recover", "payroll"]).ended(0);
    for path in &data {
        assert!(!path.exists());
        fs::write(path, &bytes).unwrap();
    }
    half.is_set_right();
    assert!(!data[0].exists() && !data[1].exists());
}

#[test]
fn a_void_on_one_mirror_alone_is_copied() {
    let half = Half::new(1);
    for mirror in 1..=2 {
        half.remove(mirror, 1, "0004.").remove(mirror, 1, VERDICT);
    }
    half.world.json(&["media", "recover", "payroll"]).ended(0);
    half.remove(2, 1, "0004.");
    half.is_set_right();
}

#[test]
fn unfinished_work_is_removed_and_foreign_files_stay() {
    let half = Half::new(1);
    let volume = half.world.volume(2, 1);
    let hex = "00112233445566778899aabbccddeeff";
    for name in [format!(".work.5.{hex}"), format!(".work.r.{hex}")] {
        fs::write(volume.join(name), "half").unwrap();
    }
    let foreign = [
        format!(".work.x.{hex}"),
        ".work.5.short".into(),
        "letter.txt".into(),
    ];
    for name in &foreign {
        fs::write(volume.join(name), "not yours").unwrap();
    }
    let report = half
        .world
        .json(&["media", "recover", "payroll"])
        .ended(0)
        .result();
    assert_eq!(report["work_removed"].as_array().unwrap().len(), 2);
    for name in &foreign {
        assert_eq!(fs::read(volume.join(name)).unwrap(), b"not yours");
        fs::remove_file(volume.join(name)).unwrap();
    }
    half.is_set_right();
}

#[test]
fn a_published_set_without_data_anywhere_is_lost_and_nothing_of_it_is_deleted() {
    let half = Half::new(1);
    half.remove(1, 1, "0003.").remove(2, 1, "0003.");
    let before = snapshot(&half.world.volume(1, 1));
    half.world.verify(4);
    let report = half
        .world
        .json(&["media", "recover", "payroll"])
        .ended(4)
        .result();
    let lost = report["lost"].as_array().unwrap();
    assert_eq!(lost.len(), 1, "{report}");
    assert!(
        lost[0]
            .as_str()
            .unwrap()
            .starts_with("position 2, family 1, chunk 0"),
        "{report}"
    );
    assert_eq!(snapshot(&half.world.volume(1, 1)), before);
    half.world.exports(1, 0, &half.before);
}

#[test]
fn nothing_is_taken_back_while_a_mirror_is_missing() {
    let half = Half::new(1);
    half.remove(1, 1, VERDICT).remove(1, 1, "0004.");
    let aside = half.world.path().join("aside");
    fs::rename(half.world.device(2, 1), &aside).unwrap();
    let before = snapshot(&half.world.volume(1, 1));
    let ran = half.world.json(&["media", "recover", "payroll"]);
    assert_ne!(ran.code, 0, "{}", ran.stdout);
    assert_eq!(snapshot(&half.world.volume(1, 1)), before);
    half.world.import(&half.before).ended(1).failed("3240");
    assert_eq!(snapshot(&half.world.volume(1, 1)), before);
    fs::rename(&aside, half.world.device(2, 1)).unwrap();
    half.is_set_right();
    assert_eq!(half.state(), "published");
}

#[test]
fn a_sound_media_set_has_nothing_to_recover() {
    let (world, files) = World::with_set(2, 2, 1 << 16);
    let before = snapshot(world.path());
    let report = world
        .json(&["media", "recover", "payroll"])
        .ended(0)
        .result();
    assert_eq!(
        report,
        json!({ "positions": [], "work_removed": [], "unconfirmed": [], "disproved": [], "lost": [] })
    );
    for mirror in ["m1", "m2"] {
        let below = |path: &Path| path.starts_with(mirror);
        let after = snapshot(world.path());
        for (path, bytes) in before.iter().filter(|(path, _)| below(path)) {
            assert_eq!(Some(bytes), after.get(path));
        }
    }
    world.exports(1, 0, &files);
}
