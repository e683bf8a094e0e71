//! Compressed and uncompressed never mix (3098), encrypted and plain neither (3095).
#![allow(clippy::unwrap_used, clippy::panic)]

use super::{configure, world};
use crate::support::{World, corpus, generated};

/// Refused before anything was written: no position is taken, nothing lies on the media.
#[track_caller]
fn refused(world: &World, files: &[std::path::PathBuf], code: &str) -> serde_json::Value {
    let before = crate::support::sections(&world.volume(1, 1));
    let fault = world.import(files).ended(5).failed(code);
    assert_eq!(crate::support::sections(&world.volume(1, 1)), before);
    fault
}

#[test]
fn a_compressed_file_does_not_join_plain_sets_3098() {
    let Some(corpus) = corpus() else { return };
    let packed = [corpus.join("v13-compressed-512.bak")];
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let fault = refused(&world, &packed, "3098");
    let message = fault["message"].as_str().unwrap();
    assert!(message.contains("compressed (by SQL Server)"), "{message}");
    assert!(message.contains("not compressed"), "{message}");
    // And the other way round.
    let world = World::formatted(1, 2);
    world.import(&packed).ended(0);
    refused(&world, &files, "3098");
    world.import(&packed).ended(0);
}

#[test]
fn under_zstd_all_is_compressed_whoever_did_it() {
    let Some(corpus) = corpus() else { return };
    let packed = [corpus.join("v13-compressed-512.bak")];
    let world = world("zstd", false, 1, 2);
    let files = generated(world.path(), 5, 1 << 16, 1);
    world.import(&files).ended(0);
    world.import(&packed).ended(0);
    world.exports(1, 0, &files);
    world.exports(2, 0, &packed);
}

#[test]
fn another_encoding_than_the_media_were_formatted_for_is_refused() {
    let rows = [
        ("raw", "zstd", "3098"),
        ("zstd", "raw", "3098"),
        ("raw", "age", "3095"),
        ("age", "raw", "3095"),
        ("zstd", "zstd+age", "3095"),
        ("zstd+age", "age", "3098"),
    ];
    for (formatted, configured, code) in rows {
        let mut world = world(formatted, false, 1, 2);
        let files = generated(world.path(), 5, 1 << 16, 1);
        world.import(&files).ended(0);
        configure(&mut world, configured, false);
        let fault = refused(&world, &files, code);
        let message = fault["message"].as_str().unwrap();
        assert!(
            message.contains(formatted) && message.contains(configured),
            "{message}"
        );
        let line = ["media", "format", "payroll", "--if-needed"];
        world.json(&line).ended(5).failed(code);
        // The level is no encoding of its own: it may change from run to run.
        configure(&mut world, formatted, false);
        if formatted == "zstd" {
            world.configure(|media| media.set.push_str("zstd_level = 1\n"));
        }
        world.import(&files).ended(0);
        world.exports(2, 0, &files);
    }
}

#[test]
fn the_rule_needs_one_manifest_however_many_voids_there_are() {
    // Twenty refused runs leave twenty voids or holes: the set before them still decides.
    let Some(corpus) = corpus() else { return };
    let packed = [corpus.join("v13-compressed-512.bak")];
    let (world, files) = World::with_set(1, 1, 1 << 16);
    let cut = world.path().join("cut.bak");
    let bytes = std::fs::read(&files[0]).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() - 4096]).unwrap();
    for _ in 0..20 {
        world
            .import(std::slice::from_ref(&cut))
            .ended(1)
            .failed("3256");
    }
    refused(&world, &packed, "3098");
}
