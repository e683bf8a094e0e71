//! Does `media recover` set right whatever a dead run left, and delete nothing that counts?
#![allow(clippy::unwrap_used, clippy::panic)]

mod kills;
mod planned;
mod states;

use std::path::PathBuf;

use serde_json::json;

use crate::support::{World, generated, sections, work_files};

/// A media set after a kill, and the files that its positions may hold.
pub(crate) struct Struck<'a> {
    pub(crate) world: &'a World,
    /// Files of position 1, published before.
    pub(crate) before: &'a [PathBuf],
    /// Files of the run that was killed, at position 2.
    pub(crate) killed: &'a [PathBuf],
}

impl Struck<'_> {
    /// `media recover` leaves every position published or void on all volumes, nothing unfinished,
    /// nothing damaged; published sets are exact, and the next import works.
    #[track_caller]
    pub(crate) fn is_set_right(&self) {
        let world = self.world;
        let report = world
            .json(&["media", "recover", "payroll"])
            .ended(0)
            .result();
        assert_eq!(report["unconfirmed"], json!([]));
        self.is_in_order();
        let again = world
            .json(&["media", "recover", "payroll"])
            .ended(0)
            .result();
        assert_eq!(again["positions"], json!([]), "a second recover finds work");
        assert_eq!(again["work_removed"], json!([]));
        let files = generated(world.path(), 50, 1 << 16, world.media.families);
        let position = world.import(&files).ended(0).result()["position"]
            .as_u64()
            .unwrap();
        world.exports(position, 0, &files);
        assert_eq!(world.verify(0)["damage"], json!([]));
    }

    #[track_caller]
    fn is_in_order(&self) {
        let world = self.world;
        assert_eq!(work_files(world.path()), Vec::<PathBuf>::new());
        let report = world.verify(0);
        assert_eq!(
            (&report["damage"], &report["notes"]),
            (&json!([]), &json!([]))
        );
        let all = u64::from(world.media.families) * u64::from(world.media.mirrors);
        for set in world.sets() {
            match set["state"].as_str().unwrap() {
                "published" => assert_eq!(set["volumes"], all, "{set}"),
                "void" => assert_eq!(set["volumes"], 0, "{set}"),
                _ => panic!("position {} is {}", set["position"], set["state"]),
            }
            match (
                set["position"].as_u64().unwrap(),
                set["state"] == "published",
            ) {
                (1, published) => {
                    assert!(published);
                    world.exports(1, 0, self.before);
                }
                (2, true) => {
                    world.exports(2, 0, self.killed);
                }
                _ => {}
            }
        }
        let names = |mirror| -> Vec<Vec<String>> {
            let families = 1..=world.media.families;
            families
                .map(|family| sections(&world.volume(mirror, family)))
                .collect()
        };
        for mirror in 2..=world.media.mirrors {
            assert_eq!(names(1), names(mirror), "mirrors hold different files");
        }
    }
}
