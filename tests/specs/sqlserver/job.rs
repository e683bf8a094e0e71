//! A backup and a restore as small as they can be: one store in memory for each family.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use twinset::payload::Lease;
use twinset::sqlserver::history::{MsdbSet, find_set};
use twinset::sqlserver::statement::{
    BackupStatement, Medium, Move, Recovery, RestoreStatement, Transfer,
};
use twinset::sqlserver::vdi::{
    BackupSink, DeviceEnd, NotConfigured, RestoreSource, SinkFault, VdiLibrary, VdiSet, Win32,
    drive_backup, drive_restore, feature, set_name,
};
use twinset::sqlserver::{Purpose, Rows, Running, SetKey, StatementEnd};
use twinset_domain::{BackupKind, Fault, code};
use uuid::Uuid;

use super::{LIMIT, World};

pub(super) const SIZES: Transfer = Transfer {
    block_size: 4096,
    max_transfer_size: 262_144,
    buffer_count: 8,
};

#[derive(Default)]
pub(super) struct Store {
    bytes: Vec<u8>,
    full_at: Option<usize>,
    sealed: bool,
}

impl BackupSink for Store {
    fn write(&mut self, lease: Lease) -> Result<(), SinkFault> {
        if self
            .full_at
            .is_some_and(|full| self.bytes.len() + lease.len() > full)
        {
            let fault = Fault::new(code::MEDIUM_FULL, "mirror 1", "the medium is full");
            return Err(SinkFault::new(fault, Win32::DISK_FULL));
        }
        self.bytes.extend_from_slice(&lease);
        Ok(())
    }
    fn check(&mut self) -> Result<(), SinkFault> {
        Ok(())
    }
    fn sync(&mut self) -> Result<(), SinkFault> {
        Ok(())
    }
    fn seal(&mut self) -> Result<(), SinkFault> {
        self.sealed = true;
        Ok(())
    }
}

pub(super) struct Stored<'a>(&'a [u8]);

impl RestoreSource for Stored<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SinkFault> {
        let count = buffer.len().min(self.0.len());
        let (head, tail) = self.0.split_at(count);
        buffer[..count].copy_from_slice(head);
        self.0 = tail;
        Ok(count)
    }
}

pub(super) fn library() -> Arc<VdiLibrary> {
    let path = sqlvdi::locate().expect("the double of libsqlvdi.so was built as a dependency");
    VdiLibrary::load(&path).unwrap()
}

pub(super) fn virtual_devices(set: &VdiSet) -> Vec<Medium> {
    set.device_names()
        .into_iter()
        .map(Medium::Virtual)
        .collect()
}

/// Waits for the configuration as long as the statement runs.
pub(super) fn configure(set: &VdiSet, running: &Running) -> Result<(), NotConfigured> {
    set.configure(LIMIT, &mut || {
        if running.poll().is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .map(drop)
}

pub(super) struct Taken {
    pub(super) name: String,
    pub(super) streams: Vec<Vec<u8>>,
    pub(super) ends: Vec<DeviceEnd>,
    pub(super) statement: StatementEnd,
}

pub(super) fn backup(
    world: &World,
    database: &str,
    families: u16,
    full_at: Option<usize>,
) -> Taken {
    let set = VdiSet::create(
        &library(),
        None,
        &set_name(Uuid::new_v4()),
        families,
        feature::REQUEST_COMPLETE,
    )
    .unwrap();
    let statement = BackupStatement {
        database: database.into(),
        kind: BackupKind::Full,
        devices: virtual_devices(&set),
        transfer: SIZES,
        copy_only: false,
        tail: None,
        over_damage: false,
        compression: twinset::sqlserver::statement::Compression::Default,
        encryption: None,
        name: Some("it's ours".into()),
    };
    let running = world.open(Purpose::Work).start(statement.to_sql()).unwrap();
    let cancelled = AtomicBool::new(false);
    let mut stores: Vec<Store> = (0..families)
        .map(|_| Store {
            full_at,
            ..Store::default()
        })
        .collect();
    let mut ends = Vec::new();
    if configure(&set, &running).is_ok() {
        let devices: Vec<_> = set
            .device_names()
            .iter()
            .map(|name| set.open_device(name).unwrap())
            .collect();
        std::thread::scope(|scope| {
            let threads: Vec<_> = devices
                .into_iter()
                .zip(&mut stores)
                .map(|(device, store)| {
                    let cancelled = &cancelled;
                    scope.spawn(move || drive_backup(device, store, 4, cancelled))
                })
                .collect();
            ends.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
        });
    }
    let name = set.name().to_owned();
    set.close(LIMIT).unwrap();
    let statement = running.wait(LIMIT).expect("the statement ends");
    let streams = stores.into_iter().map(|store| store.bytes).collect();
    Taken {
        name,
        streams,
        ends,
        statement,
    }
}

/// Runs a RESTORE of any kind over stored streams.
pub(super) fn restore(
    world: &World,
    streams: &[Vec<u8>],
    sql: impl FnOnce(Vec<Medium>) -> String,
) -> (StatementEnd, Vec<DeviceEnd>, Option<Rows>) {
    let families = u16::try_from(streams.len()).unwrap();
    let set = VdiSet::create(
        &library(),
        None,
        &set_name(Uuid::new_v4()),
        families,
        feature::LIKE_PIPE,
    )
    .unwrap();
    let running = world
        .open(Purpose::Work)
        .start(sql(virtual_devices(&set)))
        .unwrap();
    let cancelled = AtomicBool::new(false);
    let mut ends = Vec::new();
    if configure(&set, &running).is_ok() {
        let devices: Vec<_> = set
            .device_names()
            .iter()
            .map(|name| set.open_device(name).unwrap())
            .collect();
        std::thread::scope(|scope| {
            let threads: Vec<_> = devices
                .into_iter()
                .zip(streams)
                .map(|(device, stream)| {
                    let cancelled = &cancelled;
                    scope.spawn(move || drive_restore(device, &mut Stored(stream), cancelled))
                })
                .collect();
            ends.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
        });
    }
    set.close(LIMIT).unwrap();
    let end = running.wait(LIMIT).expect("the statement ends");
    let rows = running.take_rows();
    (end, ends, rows)
}

pub(super) fn restore_as<'a>(
    name: &'a str,
    logical: &'a [(String, String)],
) -> impl FnOnce(Vec<Medium>) -> String + 'a {
    move |devices| {
        let moves = logical
            .iter()
            .map(|(logical, to)| Move {
                logical: logical.clone(),
                to: to.clone(),
            })
            .collect();
        RestoreStatement {
            database: name.into(),
            kind: BackupKind::Full,
            devices,
            moves,
            replace: false,
            recovery: Recovery::Recovery,
            checksum: true,
            over_damage: false,
            transfer: SIZES,
            stop: None,
        }
        .to_sql()
    }
}

pub(super) fn history(world: &World, taken: &Taken) -> Option<MsdbSet> {
    let mut control = world.open(Purpose::Control);
    find_set(&mut control, SetKey::VirtualDevice(&taken.name)).unwrap()
}
