//! Which files become a backup set, and do they come out as they went in?
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::support::{Dice, World, corpus, generated, hex_of, log_backup, sections, work_files};

/// Imports files, verifies, exports, and compares every byte.
fn round_trip(families: u16, files: &[PathBuf], in_order: &[PathBuf]) -> World {
    let world = World::formatted(families, 2);
    assert_eq!(world.import(files).ended(0).result()["position"], 1);
    let report = world.verify(0);
    assert_eq!(report["damage"], json!([]));
    assert_eq!(report["notes"], json!([]));
    assert_eq!(report["volumes"], 2 * families);
    world.exports(1, 0, in_order);
    world
}

/// Nothing of a refused import stays, and the next one works.
fn nothing_stays(world: &World) {
    assert!(work_files(world.path()).is_empty());
    assert!(world.sets().iter().all(|set| set["state"] == "void"));
    let files = generated(world.path(), 99, 1 << 16, world.media.families);
    world.import(&files).ended(0);
    world.verify(0);
}

macro_rules! corpus_files {
    ($($name:ident: $($file:literal),+;)*) => {$(
        #[test]
        fn $name() {
            let Some(corpus) = corpus() else { return };
            let files = [$(corpus.join($file)),+];
            round_trip(files.len() as u16, &files, &files);
        }
    )*};
}

corpus_files! {
    a_full_backup_of_2008_comes_out_as_it_went_in: "v10.50-full-512.bak";
    a_log_backup_with_checksum_comes_out_as_it_went_in: "v10.50-log-checksum.trn";
    a_differential_comes_out_as_it_went_in: "v10.50-diff-512.bak";
    a_full_backup_of_2016_comes_out_as_it_went_in: "v13-full-512.bak";
    a_log_backup_of_2016_comes_out_as_it_went_in: "v13-log-512.trn";
    two_appended_sets_come_out_as_they_went_in: "v9-appended-2-sets.bak";
    blocks_of_4096_bytes_come_out_as_they_went_in: "v11-full-4096.bak";
    a_cyrillic_database_comes_out_as_it_went_in: "v15-full-4096-cyrillic.bak";
    a_compressed_backup_comes_out_as_it_went_in: "v13-compressed-512.bak";
    stripes_of_a_full_backup_come_out_as_they_went_in:
        "v10.50-stripe1of2-full.bak", "v10.50-stripe2of2-full.bak";
    stripes_of_a_log_backup_come_out_as_they_went_in:
        "v10.50-stripe1of2-log.trn", "v10.50-stripe2of2-log.trn";
}

#[test]
fn real_stripes_may_come_in_any_order() {
    let Some(corpus) = corpus() else { return };
    let one = corpus.join("v10.50-stripe1of2-full.bak");
    let two = corpus.join("v10.50-stripe2of2-full.bak");
    round_trip(2, &[two.clone(), one.clone()], &[one, two]);
}

#[test]
fn a_lone_stripe_of_2022_is_refused_with_3132() {
    let Some(corpus) = corpus() else { return };
    let world = World::formatted(1, 2);
    let lone = [corpus.join("v16-stripe2of2-4096-lone.bak")];
    world.import(&lone).ended(1).failed("3132");
    nothing_stays(&world);
}

#[test]
fn generated_sets_of_any_shape_come_out_as_they_went_in() {
    let folder = tempfile::tempdir().unwrap();
    for (families, size) in [
        (1, 1),
        (1, 9 << 20),
        (2, 17 << 20),
        (3, 1 << 20),
        (5, 6 << 20),
    ] {
        let files = generated(folder.path(), 7, size, families);
        round_trip(families, &files, &files);
    }
}

#[test]
fn stripes_may_come_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let files = generated(folder.path(), 3, 1 << 20, 4);
    let mut dice = Dice::new(11);
    for _ in 0..4 {
        let mut mixed = files.clone();
        for at in (1..mixed.len()).rev() {
            mixed.swap(at, usize::try_from(dice.below(at as u64 + 1)).unwrap());
        }
        round_trip(4, &mixed, &files);
    }
}

#[test]
fn mirrors_hold_the_same_bytes_but_for_the_mirror_number() {
    let (world, _) = World::with_set(2, 3, 5 << 20);
    for family in 1..=2 {
        let first = world.volume(1, family);
        for mirror in 2..=3 {
            let other = world.volume(mirror, family);
            assert_eq!(sections(&first), sections(&other));
            for name in sections(&first)
                .iter()
                .filter(|name| *name != "0000.header.mtf")
            {
                let (ours, theirs) = (fs::read(first.join(name)), fs::read(other.join(name)));
                assert!(ours.unwrap() == theirs.unwrap(), "{name} differs");
            }
        }
    }
}

#[test]
fn the_manifest_names_the_hash_that_b3sum_prints() {
    let (world, files) = World::with_set(2, 2, 19 << 20);
    for (family, file) in (1..).zip(&files) {
        let manifest = fs::read(world.file(2, family, "0002.")).unwrap();
        let end = manifest.iter().position(|byte| *byte == b'\n').unwrap();
        let facts: serde_json::Value = serde_json::from_slice(&manifest[..end]).unwrap();
        let stored = hex_of(&world.file(2, family, "0001."));
        assert_eq!(facts["stored_blake3"], stored);
        assert_eq!(facts["plain_blake3"], hex_of(file));
        let length = fs::metadata(file).unwrap().len();
        assert_eq!(facts["stored_length"], length);
        assert_eq!(
            manifest.len() - end - 1,
            32 * length.div_ceil(4 << 20) as usize
        );
    }
}

#[test]
fn data_files_are_named_after_database_kind_and_time() {
    let world = World::formatted(1, 1);
    let ran = world
        .import(&generated(world.path(), 1, 1 << 16, 1))
        .ended(0)
        .result();
    let started = ran["started"].as_str().unwrap().replace(['-', ':'], "");
    let name = format!("0001.Payroll.full.{started}.bak");
    let verdict = ran["run"].as_str().unwrap().replace('-', "");
    let verdict = format!("verdict.000001.0001.{verdict}.record");
    let all = ["0000.header.mtf", &name, "0002.manifest.json", &verdict];
    assert_eq!(sections(&world.volume(1, 1)), all);
}

#[test]
fn a_log_backup_is_kept_under_the_ending_of_logs() {
    let world = World::formatted(1, 1);
    let log = [log_backup(world.path(), 5)];
    assert_eq!(world.import(&log).ended(0).result()["kind"], "log");
    let name = world.file(1, 1, "0001.");
    assert!(
        name.to_str().unwrap().ends_with(".trn"),
        "{}",
        name.display()
    );
    world.exports(1, 0, &log);
}

#[test]
fn a_database_name_never_leaves_the_folder() {
    let world = World::formatted(1, 1);
    let files = generated(world.path(), 1, 1 << 16, 1);
    let file = files[0].to_str().unwrap();
    for (position, name) in (1..).zip(["../../etc/passwd", "наклейка", "a b/c\\d'e\"f", "-x"])
    {
        let line = format!("--database={name}");
        let ran = world
            .json(&["media", "import", "payroll", &line, file])
            .ended(0)
            .result();
        assert_eq!(ran["position"], position);
        assert_eq!(ran["database"], name);
    }
    assert_eq!(sections(&world.volume(1, 1)).len(), 1 + 4 * 3);
    world.verify(0);
}

#[test]
fn another_database_name_inside_is_worth_a_word_and_no_fault() {
    let world = World::formatted(1, 1);
    let file = generated(world.path(), 1, 1 << 16, 1).remove(0);
    let file = file.to_str().unwrap();
    let line = ["media", "import", "payroll", "--database", "Wages", file];
    let notes = world.json(&line).ended(0).result()["notes"].clone();
    assert_eq!(
        notes,
        json!(["the backup inside is of database Payroll, not Wages"])
    );
}

#[test]
fn the_source_files_are_left_as_they_are() {
    let world = World::formatted(2, 2);
    let files = generated(world.path(), 1, 1 << 20, 2);
    let before: Vec<String> = files.iter().map(|path| hex_of(path)).collect();
    world.import(&files).ended(0);
    let after: Vec<String> = files.iter().map(|path| hex_of(path)).collect();
    assert_eq!(before, after);
}

#[test]
fn a_missing_stripe_is_refused_with_3132() {
    let world = World::formatted(2, 2);
    let files = generated(world.path(), 1, 1 << 16, 2);
    world.import(&files[..1]).ended(1).failed("3132");
    nothing_stays(&world);
}

#[test]
fn more_files_than_the_media_set_has_families_are_refused_with_3231() {
    let world = World::formatted(1, 2);
    let files = generated(world.path(), 1, 1 << 16, 2);
    world.import(&files).ended(1).failed("3231");
    nothing_stays(&world);
}

#[test]
fn fewer_files_than_the_media_set_has_families_are_refused_with_3231() {
    let world = World::formatted(2, 2);
    let files = generated(world.path(), 1, 1 << 16, 1);
    world.import(&files).ended(1).failed("3231");
    nothing_stays(&world);
}

#[test]
fn a_stripe_given_twice_is_refused_with_3227() {
    let world = World::formatted(2, 2);
    let files = generated(world.path(), 1, 1 << 16, 2);
    world
        .import(&[files[0].clone(), files[0].clone()])
        .ended(1)
        .failed("3227");
    nothing_stays(&world);
}

#[test]
fn stripes_of_two_backups_are_refused_with_3258() {
    let world = World::formatted(2, 2);
    let (one, two) = (
        generated(world.path(), 1, 1 << 16, 2),
        generated(world.path(), 2, 1 << 16, 2),
    );
    world
        .import(&[one[0].clone(), two[1].clone()])
        .ended(1)
        .failed("3258");
    nothing_stays(&world);
}

#[test]
fn bytes_that_are_no_backup_are_refused_with_3241() {
    let world = World::formatted(1, 2);
    let mut dice = Dice::new(5);
    let noise: Vec<u8> = (0..200_000).map(|_| dice.below(256) as u8).collect();
    let zeros = vec![0; 100_000];
    for (name, bytes) in [
        ("empty", &b""[..]),
        ("one", b"T"),
        ("tape", b"TAPE"),
        ("text", b"CREATE DATABASE Payroll;\n"),
        ("zeros", &zeros),
        ("noise", &noise),
    ] {
        let file = world.path().join(name);
        fs::write(&file, bytes).unwrap();
        world.import(&[file]).ended(1).failed("3241");
    }
    nothing_stays(&world);
}

#[test]
fn a_truncated_backup_is_refused_with_3256_wherever_it_was_cut() {
    let world = World::formatted(1, 2);
    let whole = fs::read(&generated(world.path(), 1, 1 << 18, 1)[0]).unwrap();
    let end = whole.len();
    let mut dice = Dice::new(17);
    let mut cuts: Vec<usize> = [1, 2, 511, 512, 513, 1023, 1024, 2048]
        .map(|n| end - n)
        .into();
    cuts.extend((0..12).map(|_| 4096 + dice.below(end as u64 - 8192) as usize));
    for cut in cuts {
        let file = world.path().join("cut.bak");
        fs::write(&file, &whole[..cut]).unwrap();
        let ran = world.import(&[file]);
        assert_eq!(
            ran.code, 1,
            "{cut} of {end} bytes were taken for a whole backup"
        );
        ran.failed("3256");
    }
    nothing_stays(&world);
}

#[test]
fn bytes_behind_the_end_of_a_backup_are_refused_with_3256() {
    let world = World::formatted(1, 2);
    let mut bytes = fs::read(&generated(world.path(), 1, 1 << 16, 1)[0]).unwrap();
    bytes.extend_from_slice(b"something else that was appended");
    let file = world.path().join("longer.bak");
    fs::write(&file, bytes).unwrap();
    world.import(&[file]).ended(1).failed("3256");
    nothing_stays(&world);
}

#[test]
fn truncated_real_files_are_refused_with_3256() {
    let Some(corpus) = corpus() else { return };
    let world = World::formatted(1, 1);
    for name in [
        "v10.50-full-512.bak",
        "v13-log-512.trn",
        "v11-full-4096.bak",
    ] {
        let whole = fs::read(corpus.join(name)).unwrap();
        for cut in [
            whole.len() - 1,
            whole.len() - 4096,
            whole.len() / 2,
            whole.len() / 10,
        ] {
            let file = world.path().join("cut.bak");
            fs::write(&file, &whole[..cut]).unwrap();
            world.import(&[file]).ended(1).failed("3256");
        }
    }
    nothing_stays(&world);
}

#[test]
fn a_folder_a_missing_file_and_a_pipe_are_refused() {
    let world = World::formatted(1, 1);
    let pipe = world.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    for path in [
        world.path().to_owned(),
        world.path().join("nothing.bak"),
        pipe,
    ] {
        let ran = world.import(&[path]);
        assert!(ran.took < Duration::from_secs(10));
        ran.ended(1).failed("TW2012");
    }
    nothing_stays(&world);
}

#[test]
fn an_export_replaces_nothing() {
    let (world, _) = World::with_set(1, 1, 1 << 16);
    let (ran, folder) = world.export(1);
    let name = ran.ended(0).result()["files"][0]
        .as_str()
        .unwrap()
        .to_owned();
    fs::write(&name, "mine").unwrap();
    let to = folder.path().to_str().unwrap();
    let line = ["media", "export", "payroll", "--position", "1", "--to", to];
    world.json(&line).ended(1).failed("TW2012");
    assert_eq!(fs::read(name).unwrap(), b"mine");
}

#[test]
fn an_export_of_a_position_that_is_not_there_fails_with_4038() {
    let (world, _) = World::with_set(1, 1, 1 << 16);
    world.export(2).0.ended(1).failed("4038");
}

#[test]
fn the_printed_statement_names_every_file() {
    let (world, files) = World::with_set(2, 1, 1 << 16);
    let result = world.exports(1, 0, &files);
    let statement = result["statement"].as_str().unwrap();
    assert!(
        statement.starts_with("RESTORE DATABASE [Payroll_Copy] FROM DISK = N'"),
        "{statement}"
    );
    for file in result["files"].as_array().unwrap() {
        assert!(statement.contains(file.as_str().unwrap()), "{statement}");
    }
}
