//! Volumes with very many sets, written straight as files.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use twinset_domain::{BackupKind, FamilyNo, Lsn, MirrorNo, Moment, Position, RunId};
use twinset_format::header::MediaHeader;
use twinset_format::manifest::{self, Manifest, Source};
use twinset_format::mtf::{Container, SetFacts};
use twinset_format::record::{self, Outcome, Record};
use twinset_format::tree::TreeHasher;
use uuid::Uuid;

use super::World;

/// Seconds between two sets: a log each 15 minutes.
const STEP: i64 = 900;

/// Writes `count` published log backups of Payroll onto the blank volumes of a world with one
/// family, the last of them begun at `until`.
pub(crate) fn crowd(world: &World, count: u64, until: Moment) {
    let header = MediaHeader::parse(&fs::read(world.file(1, 1, "0000.")).unwrap()).unwrap();
    let mirrors: Vec<MirrorNo> = header.shape.mirrors().collect();
    let data = b"one log backup".repeat(20);
    let mut previous = None;
    for number in 1..=count {
        let position = Position::new(number).unwrap();
        let run = RunId::random();
        let written = Moment(until.0 - i64::try_from(count - number).unwrap() * STEP);
        let name = twinset_domain::name::data_section("Payroll", Some(BackupKind::Log), written);
        let mut hasher = TreeHasher::new();
        hasher.update(&data);
        let manifest = Manifest::raw(
            manifest::Draft {
                media_set: header.media_set,
                position,
                run,
                family: FamilyNo(1),
                shape: header.shape,
                source: Source::Import,
                database: "Payroll".into(),
                circumstances: manifest::Circumstances::default(),
                parts: Vec::new(),
                incomplete: false,
                kind: Some(BackupKind::Log),
                container: Container::Mtf,
                sets: vec![SetFacts {
                    number: 1,
                    set: Some(Uuid::from_u128(number.into())),
                    kind: Some(BackupKind::Log),
                    first_lsn: Some(Lsn(u128::from(number) * 100)),
                    last_lsn: Some(Lsn(u128::from(number) * 100 + 100)),
                    family_guid: Some(Uuid::from_u128(7)),
                    ..SetFacts::default()
                }],
                data_name: name.clone(),
                block_size: None,
                max_transfer_size: None,
                agent: header.agent,
                written,
            },
            hasher.finish(),
        );
        let verdict = Record::new(record::Draft {
            media_set: header.media_set,
            sequence: number,
            previous: previous.take(),
            outcome: Outcome::Success,
            position,
            run,
            mirrors: mirrors.clone(),
            manifests: vec![manifest.hash()],
            history: None,
            agent: header.agent,
            written,
            note: None,
        });
        previous = Some(verdict.hash());
        let named = verdict.name().unwrap();
        for mirror in &mirrors {
            let volume = world.volume(mirror.0, 1);
            let put = |name: String, bytes: &[u8]| fs::write(volume.join(name), bytes).unwrap();
            put(format!("{:04}.{name}", 2 * number - 1), &data);
            put(
                format!("{:04}.manifest.json", 2 * number),
                &manifest.to_bytes(),
            );
            put(format!("{named}.record"), &verdict.to_bytes());
        }
    }
}
