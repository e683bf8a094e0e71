//! Real files: everything SQL Server wrote must pass.

use std::path::{Path, PathBuf};

use super::{check, check_in_steps, number};
use crate::stream::{Kind, StreamFacts, SumPolicy, check_families};

/// The folder of real files, if this machine has it.
fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let folder = std::env::var_os("TWINSET_CORPUS").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no corpus at {}", folder.display());
    None
}

fn facts_of(folder: &Path, name: &str) -> StreamFacts {
    let bytes = std::fs::read(folder.join(name)).unwrap();
    check(&bytes, SumPolicy::IfPresent).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

#[test]
fn every_real_file_passes_however_it_is_cut() {
    let Some(folder) = corpus() else { return };
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.extension().is_some_and(|e| e == "bak" || e == "trn") {
            continue;
        }
        seen += 1;
        let bytes = std::fs::read(&path).unwrap();
        let name = path.display();
        let whole = check(&bytes, SumPolicy::IfPresent);
        let whole = whole.unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let cut = check_in_steps(&bytes, SumPolicy::IfPresent, 997);
        assert_eq!(
            cut.unwrap_or_else(|fault| panic!("{name}, cut: {fault}")),
            whole
        );
        assert_eq!(whole.length, bytes.len() as u64);
        assert_eq!(whole.blake3, *blake3::hash(&bytes).as_bytes());
        assert_eq!(whole.is_container, bytes.starts_with(b"MSSQLBAK"));
        assert!(whole.sets.iter().all(|set| set.is_complete));
    }
    assert!(seen >= 14, "{seen} files");
}

#[test]
fn facts_of_real_files_are_read_right() {
    let Some(folder) = corpus() else { return };
    let full = facts_of(&folder, "v13-full-512.bak");
    let log = facts_of(&folder, "v13-log-512.trn");
    let (full, log) = (&full.sets[0], &log.sets[0]);
    assert_eq!(
        full.set_guid.to_string(),
        "c6c44151-8a2c-4c6c-9bf5-2e02090c8ebc"
    );
    assert_eq!((full.kind, log.kind), (Some(Kind::Full), Some(Kind::Log)));
    assert_eq!(log.last_full_guid, full.set_guid);
    assert_eq!(full.version, (13, 0, 5081));
    assert_eq!(full.database_version, 852);
    assert_eq!(full.database, log.database);
    assert_eq!(full.finished.to_string(), "2019-05-02T21:00:55");
    assert_eq!(full.lsns.first.to_string(), "39000000048800071");
    let differential = facts_of(&folder, "v10.50-diff-512.bak");
    assert_eq!(differential.sets[0].kind, Some(Kind::Differential));
    assert_eq!(
        differential.sets[0].base_guid,
        differential.sets[0].last_full_guid
    );
    let appended = facts_of(&folder, "v9-appended-2-sets.bak");
    assert_eq!(
        appended
            .sets
            .iter()
            .map(|set| set.position)
            .collect::<Vec<_>>(),
        [1, 2]
    );
    let wide = facts_of(&folder, "v11-full-4096.bak");
    assert_eq!(
        (wide.block_size, wide.sets[0].name.as_str()),
        (4096, "pubs-Full Database Backup")
    );
}

#[test]
fn real_checksums_are_verified_and_missing_ones_noticed() {
    let Some(folder) = corpus() else { return };
    let mut bytes = std::fs::read(folder.join("v10.50-log-checksum.trn")).unwrap();
    let facts = check(&bytes, SumPolicy::Require).unwrap();
    assert_eq!(
        (facts.sets[0].has_checksum, facts.sets[0].sums_verified),
        (true, 1)
    );
    bytes[0x5000] ^= 1;
    assert_eq!(number(check(&bytes, SumPolicy::IfPresent)), 3189);
    assert_eq!(number(check(&bytes, SumPolicy::Ignore)), 0);
    let bytes = std::fs::read(folder.join("v13-log-512.trn")).unwrap();
    assert_eq!(number(check(&bytes, SumPolicy::Require)), 3187);
}

#[test]
fn real_stripes_make_one_media_set() {
    let Some(folder) = corpus() else { return };
    let one = facts_of(&folder, "v10.50-stripe1of2-full.bak");
    let two = facts_of(&folder, "v10.50-stripe2of2-full.bak");
    let log = facts_of(&folder, "v10.50-stripe2of2-log.trn");
    let lone = facts_of(&folder, "v13-full-512.bak");
    let fault = |devices: &[&StreamFacts]| {
        let devices: Vec<_> = devices.iter().map(|&facts| facts.clone()).collect();
        check_families(&devices).map_or_else(|fault| fault.number, |()| 0)
    };
    assert_eq!(fault(&[&one, &two]), 0);
    assert_eq!(fault(&[&two, &one]), 0);
    assert_eq!(fault(&[&lone]), 0);
    assert_eq!(fault(&[&one]), 3132);
    assert_eq!(fault(&[&one, &one]), 3227);
    assert_eq!(fault(&[&one, &log]), 3258);
    assert_eq!(fault(&[&one, &two, &two]), 3231);
    assert_eq!(fault(&[&one, &lone]), 3231);
}
