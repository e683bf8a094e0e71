//! A media set with every kind of section and record, and the library that works on it.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde_json::json;
use twinset::backup::desk::{Desk, Target};
use twinset::backup::repair::{self, Report, Wish};
use twinset::catalog::Catalog;
use twinset::device::{LoadPolicy, PluginFile};
use twinset::media::encoding::{Keys, Recipe};
use twinset::media::repair::Depth;
use twinset::media::verify::{self, Proof, Watch};
use twinset::media::volume::Place as Device;
use twinset::report::Progress;
use twinset::restore::open;
use twinset::state::StateDir;
use twinset_domain::append::MinMirrors;
use twinset_domain::repair::{Lost, Scope};
use twinset_domain::{FamilyNo, MirrorNo, Position, Shape, Slot};

use crate::damage::scarred::{CHUNK, Place, What};
use crate::support::{World, built, generated, sections};

/// The media set and what works on it.
pub(super) struct Bench {
    pub(super) world: World,
    /// Source files by position.
    pub(super) sources: BTreeMap<u64, Vec<PathBuf>>,
    /// Every file of every volume as it was written.
    pub(super) places: Vec<(Place, Vec<u8>)>,
    target: Target,
    state: StateDir,
    catalog: Catalog,
    stop: AtomicBool,
}

/// Nobody watches.
#[derive(Debug)]
struct Quiet;

impl Progress for Quiet {
    fn operator(&self, _: &str, _: &str) {}
    fn begin(&self, _: &str, _: Option<u64>) {}
    fn advance(&self, _: u64) {}
    fn expect(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn end(&self) {}
}

impl Watch for Quiet {
    fn advance(&self, _: u64) {}
}

/// Published sets, one of them of several chunks; a void; a mirror that was out of step.
fn made(families: u16, mirrors: u8) -> (World, BTreeMap<u64, Vec<PathBuf>>) {
    let mut world = World::formatted(families, mirrors);
    let mut sources = BTreeMap::new();
    let mut import = |world: &World, seed: u64, size: u64, code: i32| {
        let files = generated(world.path(), seed, size, families);
        let result = world.import(&files).ended(code).result();
        sources.insert(result["position"].as_u64().unwrap(), files);
    };
    import(&world, 1, (5 << 20) * u64::from(families), 0);
    world.configure(|media| {
        let fault = json!({ "fail_call": "end_section", "errno": 5, "only_index": 3 });
        media.fault(2, 1, fault);
    });
    let files = generated(world.path(), 2, 1 << 14, families);
    world.import(&files).ended(1).failed("TW2007");
    world.heal_devices();
    for seed in 3..6 {
        import(&world, seed, 1 << 14, 0);
    }
    world.configure(|media| media.set = "min_mirrors = 1\nrepair = \"manual\"".into());
    fs::rename(world.path().join("m2"), world.path().join("aside")).unwrap();
    import(&world, 6, 1 << 14, 3);
    fs::rename(world.path().join("aside"), world.path().join("m2")).unwrap();
    assert_eq!(crate::repair::repair(&world, 0)["in_step"], json!([2]));
    world.configure(|media| media.set.clear());
    import(&world, 7, 1 << 14, 0);
    world.verify(0);
    (world, sources)
}

impl Bench {
    pub(super) fn new(families: u16, mirrors: u8) -> Self {
        let (world, sources) = made(families, mirrors);
        let places = read(&world);
        let state_dir = world.path().join("state");
        Self {
            target: target(&world, families, mirrors),
            state: StateDir::open(&state_dir).unwrap(),
            catalog: Catalog::open(&state_dir).unwrap(),
            stop: AtomicBool::new(false),
            world,
            sources,
            places,
        }
    }

    fn known(&self) -> Option<twinset_domain::MediaSetId> {
        self.catalog
            .media_set(&self.target.key)
            .unwrap()
            .map(|known| known.id)
    }

    /// Reads every byte of every mirror.
    pub(super) fn verify(&self) -> verify::Report {
        let open = open::open(&self.target, self.state.agent, self.known()).unwrap();
        let proof = Proof {
            keys: Vec::new(),
            required: false,
            tail: None,
        };
        verify::verify(
            &open.matrix,
            &open.sets,
            verify::Wanted::default(),
            &proof,
            &Quiet,
            &self.stop,
        )
    }

    /// Repairs everything.
    pub(super) fn repair(&mut self) -> Report {
        let mut desk = Desk {
            state: &self.state,
            catalog: &mut self.catalog,
            progress: &Quiet,
            stop: &self.stop,
        };
        let wish = Wish {
            scope: Scope::All,
            depth: Depth::Everything,
        };
        repair::repair(&mut desk, &self.target, wish).unwrap()
    }

    /// Every chunk of every set is read as it was written, or is one of the lost ones and fails.
    pub(super) fn reads(&self, lost: &BTreeSet<Lost>, what: &str) {
        let open = open::open(&self.target, self.state.agent, self.known()).unwrap();
        for (position, files) in &self.sources {
            let position = Position::new(*position).unwrap();
            let readers = open.readers(position).unwrap();
            assert_eq!(readers.len(), files.len());
            for ((mut reader, file), family) in readers.into_iter().zip(files).zip(1..) {
                let written = fs::read(file).unwrap();
                for (number, chunk) in (0..).zip(written.chunks(usize::try_from(CHUNK).unwrap())) {
                    let this = Lost {
                        position,
                        family: FamilyNo(family),
                        chunk: number,
                    };
                    match reader.next_chunk() {
                        Ok(Some(bytes)) => {
                            assert!(bytes == chunk, "{what}: {this:?} is a wrong byte");
                            reader.reuse(bytes);
                        }
                        Ok(None) => panic!("{what}: {this:?} ends too early"),
                        Err(fault) => {
                            assert!(lost.contains(&this), "{what}: {this:?}: {fault}");
                            assert_eq!(fault.code, twinset_domain::code::LOST);
                        }
                    }
                }
                assert!(reader.next_chunk().unwrap().is_none(), "{what}: too long");
            }
        }
    }

    /// Every file is as it was written, but for data with lost chunks.
    pub(super) fn is_as_before_but(&self, lost: &BTreeSet<Lost>, what: &str) {
        let now = read(&self.world);
        let names = |places: &[(Place, Vec<u8>)]| -> Vec<PathBuf> {
            places.iter().map(|(place, _)| place.path.clone()).collect()
        };
        assert_eq!(names(&now), names(&self.places), "{what}");
        for ((place, before), (_, after)) in self.places.iter().zip(&now) {
            for (number, (before, after)) in (0..).zip(chunks(before).zip(chunks(after))) {
                let same = before == after;
                assert!(same || is_lost(place, number, lost), "{what}: {place:?}");
            }
            assert_eq!(before.len(), after.len(), "{what}: {place:?}");
        }
    }

    /// Puts the lost chunks back.
    pub(super) fn undo_losses(&self, lost: &BTreeSet<Lost>) {
        for (place, before) in &self.places {
            let hurt = |number| is_lost(place, number, lost);
            if (0..chunks(before).count() as u64).any(hurt) {
                fs::write(&place.path, before).unwrap();
            }
        }
    }
}

fn chunks(bytes: &[u8]) -> std::slice::Chunks<'_, u8> {
    bytes.chunks(usize::try_from(CHUNK).unwrap())
}

fn is_lost(place: &Place, chunk: u64, lost: &BTreeSet<Lost>) -> bool {
    let What::Data(position) = place.what() else {
        return false;
    };
    lost.contains(&Lost {
        position: Position::new(position).unwrap(),
        family: FamilyNo(place.family),
        chunk,
    })
}

/// Every file of every volume with its bytes.
fn read(world: &World) -> Vec<(Place, Vec<u8>)> {
    let volumes = world.volumes().into_iter();
    volumes
        .flat_map(|(mirror, family, folder)| {
            sections(&folder).into_iter().map(move |name| {
                let path = folder.join(&name);
                let bytes = fs::read(&path).unwrap();
                let place = Place {
                    mirror,
                    family,
                    name,
                    path,
                };
                (place, bytes)
            })
        })
        .collect()
}

/// The media set as the configuration describes it.
fn target(world: &World, families: u16, mirrors: u8) -> Target {
    let policy = LoadPolicy::new(|| 0);
    let plugin = PluginFile::load(&built("libtwinset_disk.so"), &policy).unwrap();
    let shape = Shape { families, mirrors };
    let place = |slot: Slot| {
        let path = world.device(slot.mirror.0, slot.family.0);
        Device {
            slot,
            label: path.to_str().unwrap().to_owned(),
            plugin: plugin.clone(),
            options: json!({ "path": path }).to_string(),
            deadline: Duration::from_secs(60),
            medium_wait: Duration::ZERO,
        }
    };
    assert_eq!(shape.slots().next().unwrap().mirror, MirrorNo(1));
    Target {
        key: "payroll".to_owned(),
        shape,
        places: shape.slots().map(place).collect(),
        min_mirrors: MinMirrors {
            full: mirrors,
            differential: mirrors,
            log: mirrors,
        },
        recipe: Recipe::default(),
        keys: Keys::default(),
    }
}
