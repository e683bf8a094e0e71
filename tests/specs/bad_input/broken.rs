//! Volumes of others, and headers, manifests and records cut at every length.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs::{self, OpenOptions};
use std::path::Path;

use serde_json::json;

use crate::support::{World, snapshot};

#[test]
fn a_volume_of_another_media_set_in_the_place_of_ours_is_refused_with_3258() {
    let (ours, files) = World::with_set(1, 2, 1 << 16);
    let other = World::formatted(1, 2);
    let aside = ours.path().join("aside");
    fs::rename(ours.device(2, 1), &aside).unwrap();
    fs::rename(other.device(2, 1), ours.device(2, 1)).unwrap();
    let before = (
        snapshot(&ours.path().join("m1")),
        snapshot(&ours.path().join("m2")),
    );
    let fault = ours.import(&files).ended(1).failed("3258");
    assert!(
        fault["object"].as_str().unwrap().contains("m2/f1"),
        "{fault}"
    );
    ours.exports(1, 3, &files);
    ours.verify(3);
    let after = (
        snapshot(&ours.path().join("m1")),
        snapshot(&ours.path().join("m2")),
    );
    assert_eq!(before, after);
    fs::rename(ours.device(2, 1), other.device(2, 1)).unwrap();
    fs::rename(&aside, ours.device(2, 1)).unwrap();
    ours.import(&files).ended(0);
}

#[test]
fn a_header_of_another_media_set_in_the_place_of_ours_is_refused_with_3258() {
    let (ours, files) = World::with_set(1, 2, 1 << 16);
    let other = World::formatted(1, 2);
    fs::copy(other.file(2, 1, "0000."), ours.file(2, 1, "0000.")).unwrap();
    ours.import(&files).ended(1).failed("3258");
    let report = ours.verify(3);
    assert_eq!(report["damage"][0]["section"], "header");
    assert_eq!(report["damage"][0]["kind"], "misplaced");
    ours.exports(1, 0, &files);
}

/// Cuts a file to each of the lengths and looks that `verify` names it and reading goes on.
fn cut(begins: &str, section: &str, step: usize) {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let path = world.file(1, 1, begins);
    let whole = fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(step) {
        truncate(&path, &whole, length);
        let report = world.verify(3);
        let damage = report["damage"].as_array().unwrap();
        assert_eq!(damage.len(), 1, "{begins} cut at {length}: {report}");
        assert_eq!(damage[0]["section"], section);
        assert_eq!(report["lost"], json!([]));
        if length % (step * 16) == 0 {
            world.exports(1, 0, &files);
            // Headers and tails are what the quick check looks at; manifests are verify's.
            let appended = section != "manifest" && world.import(&files).code == 0;
            assert!(!appended, "appended with {begins} cut at {length}");
        }
    }
    fs::write(&path, &whole).unwrap();
    world.verify(0);
}

fn truncate(path: &Path, whole: &[u8], length: usize) {
    fs::write(path, whole).unwrap();
    OpenOptions::new()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(length as u64)
        .unwrap();
}

#[test]
fn a_header_cut_at_any_length_is_found() {
    cut("0000.", "header", 61);
}

#[test]
fn a_manifest_cut_at_any_length_is_found() {
    cut("0002.", "manifest", 13);
}

#[test]
fn a_verdict_cut_at_any_length_is_found() {
    cut("verdict.", "record", 1);
}
