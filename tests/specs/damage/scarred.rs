//! A media set with all kinds of files: two sets, a void between them, two families, two mirrors.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Dice, World, generated, sections};

/// Bytes in a chunk.
pub(crate) const CHUNK: u64 = 4 << 20;

/// The media set.
pub(crate) struct Scarred {
    pub(crate) world: World,
    /// Source files of the set at position 1: two chunks in each family.
    pub(crate) first: Vec<PathBuf>,
    /// Source files of the set at position 3: one short chunk in each family.
    pub(crate) third: Vec<PathBuf>,
}

/// A file of one volume.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) mirror: u8,
    pub(crate) family: u16,
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Header,
    Data(u64),
    Manifest(u64),
    Void,
    Record,
}

impl Scarred {
    pub(crate) fn new() -> Self {
        let mut world = World::formatted(2, 2);
        let first = generated(world.path(), 1, 10 << 20, 2);
        world.import(&first).ended(0);
        let third = generated(world.path(), 3, 1 << 17, 2);
        world.configure(|media| {
            let fault = json!({ "fail_call": "end_section", "errno": 5, "only_index": 3 });
            media.fault(2, 1, fault);
        });
        world.import(&third).ended(1).failed("TW2007");
        world.heal_devices();
        assert_eq!(world.import(&third).ended(0).result()["position"], 3);
        assert_eq!(world.verify(0)["damage"], json!([]));
        assert_eq!(world.sets()[1]["state"], "void");
        Self {
            world,
            first,
            third,
        }
    }

    /// Every file of every volume.
    pub(crate) fn places(&self) -> Vec<Place> {
        let volumes = self.world.volumes().into_iter();
        volumes
            .flat_map(|(mirror, family, folder)| {
                sections(&folder).into_iter().map(move |name| {
                    let path = folder.join(&name);
                    Place {
                        mirror,
                        family,
                        name,
                        path,
                    }
                })
            })
            .collect()
    }

    /// One kind of file of a volume.
    pub(crate) fn place(&self, mirror: u8, family: u16, what: What) -> Place {
        let mut all = self.places().into_iter();
        all.find(|place| (place.mirror, place.family) == (mirror, family) && place.what() == what)
            .unwrap_or_else(|| panic!("no {what:?} on mirror {mirror} family {family}"))
    }

    /// The two sets must come out as they went in.
    #[track_caller]
    pub(crate) fn exports(&self, first: i32, third: i32) {
        self.world.exports(1, first, &self.first);
        self.world.exports(3, third, &self.third);
    }
}

impl Place {
    pub(crate) fn what(&self) -> What {
        match self
            .name
            .get(..4)
            .and_then(|number| number.parse::<u64>().ok())
        {
            Some(0) => What::Header,
            Some(4) => What::Void,
            Some(index) if index % 2 == 1 => What::Data(index.div_ceil(2)),
            Some(index) => What::Manifest(index / 2),
            None => What::Record,
        }
    }

    pub(crate) fn length(&self) -> u64 {
        fs::metadata(&self.path).unwrap().len()
    }

    /// A bit of the file.
    pub(crate) fn bit(&self, dice: &mut Dice) -> u64 {
        dice.below(self.length() * 8)
    }

    /// Whether an entry of the damage map names this file, and this chunk of it.
    pub(crate) fn is_named(&self, damage: &Value, chunk: Option<u64>) -> bool {
        let device = self.path.parent().unwrap().parent().unwrap();
        let (section, name) = match self.what() {
            What::Header => ("header", None),
            What::Data(_) => (
                "data",
                Some(self.name[..4].parse::<u64>().unwrap().to_string()),
            ),
            What::Manifest(_) | What::Void => (
                "manifest",
                Some(self.name[..4].parse::<u64>().unwrap().to_string()),
            ),
            What::Record => (
                "record",
                self.name.strip_suffix(".record").map(str::to_owned),
            ),
        };
        damage["volume"] == device.to_str().unwrap()
            && damage["slot"]["mirror"] == self.mirror
            && damage["slot"]["family"] == self.family
            && damage["section"] == section
            && name.is_none_or(|name| damage["name"] == name)
            && chunk.is_none_or(|chunk| damage["chunk"] == chunk)
    }
}
