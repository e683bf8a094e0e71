//! One mirror too few: when does a run go on, what does it say, and what do the next ones do?

mod at_open;
mod limits;
mod on_the_way;
mod through_vdi;

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Ran, World, generated};

/// A media set of which one mirror may hold a backup alone, with one set on all of them.
pub(crate) fn lenient(families: u16, mirrors: u8) -> (World, Vec<PathBuf>) {
    let mut world = World::blank(families, mirrors);
    world.configure(|media| media.set = "min_mirrors = 1".into());
    world.json(&["media", "format", "payroll"]).ended(0);
    let files = generated(world.path(), 1, 1 << 16, families);
    world.import(&files).ended(0);
    (world, files)
}

/// The run published without these mirrors, and says so.
#[track_caller]
fn went_on_without(ran: &Ran, mirrors: &[u64]) -> Value {
    let object = ran.object();
    assert_eq!(ran.code, 3, "{object}\n{}", ran.stderr);
    let fault = ran.failed("TW3010");
    let lost: Vec<u64> = object["result"]["lost"]
        .as_array()
        .unwrap()
        .iter()
        .map(|lost| lost["mirror"].as_u64().unwrap())
        .collect();
    assert_eq!(lost, mirrors, "{object}");
    for mirror in mirrors {
        let named = format!("mirror {mirror}");
        let causes = fault["causes"].as_array().unwrap();
        let tells = |cause: &&Value| cause.as_str().unwrap().starts_with(&named);
        assert!(causes.iter().any(|cause| tells(&cause)), "{fault}");
    }
    object["result"].clone()
}

/// The set at a position is read exactly, whether the lost mirror has it or not.
#[track_caller]
fn reads(world: &World, position: u64, files: &[PathBuf]) {
    let code = world.export(position).0.code;
    assert!([0, 3].contains(&code), "{code}");
    world.exports(position, code, files);
}

/// Names of the records about mirrors that lie on a volume.
fn statements(world: &World, mirror: u8, family: u16) -> Vec<String> {
    let volume = world.volume(mirror, family);
    let names = std::fs::read_dir(volume).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("out-of-step."))
        .collect();
    names.sort();
    names
}

/// Takes a mirror's devices away, as an unmounted share does.
fn unmount(world: &World, mirror: u8) {
    let (from, to) = (format!("m{mirror}"), format!("away{mirror}"));
    std::fs::rename(world.path().join(from), world.path().join(to)).unwrap();
}

/// Brings them back.
fn mount(world: &World, mirror: u8) {
    let (from, to) = (format!("away{mirror}"), format!("m{mirror}"));
    std::fs::rename(world.path().join(from), world.path().join(to)).unwrap();
}
