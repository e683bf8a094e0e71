//! RESTORE VERIFYONLY of every set of a chain, through the same path as the restore itself.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use twinset_domain::restore::{Candidate, Place, Plan};
use twinset_domain::{BackupKind, Exit, Fault, RunId, code};

use super::holdings::Holdings;
use super::open::DamageMap;
use super::stream::{Server, has_checksums, judged, transfer};
use crate::media::encoding::decoder::PlainReader;
use crate::report::Progress;
use crate::sqlserver::statement::verify_sql;
use crate::sqlserver::vdi::VdiLibrary;
use crate::sqlserver::{Connector, InstanceSettings, Purpose, Session};

/// What SQL Server said of one set.
#[derive(Debug, Serialize)]
pub struct Checked {
    /// The set.
    #[serde(flatten)]
    pub place: Place,
    /// Its kind.
    pub kind: Option<BackupKind>,
    /// Bytes that SQL Server read.
    pub bytes: u64,
    /// It was read against the checksums of its pages.
    pub checksums: bool,
    /// What was damaged, and where it was taken from.
    pub map: DamageMap,
    /// Why it could not be restored; nothing when it can.
    pub fault: Option<Fault>,
}

/// What SQL Server said of a chain.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// The database as it was called at backup.
    pub database: String,
    /// Every set, in order.
    pub sets: Vec<Checked>,
}

impl Verified {
    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let of = |set: &Checked| match &set.fault {
            Some(fault) => fault.exit(),
            None if set.map.damage.is_empty() => Exit::Done,
            None => Exit::Degraded,
        };
        self.sets.iter().map(of).fold(Exit::Done, Exit::worst)
    }
}

/// Has SQL Server read every set of a plan to its end. A set that is bad does not stop the others.
///
/// # Errors
/// When the instance or its library cannot be used, and [`code::CANCELLED`].
pub fn verify(
    holdings: &Holdings,
    plan: &Plan,
    settings: &InstanceSettings,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Verified, Fault> {
    let library = VdiLibrary::load(&settings.vdi_library)?;
    let run = RunId::random().to_string();
    let mut control = Connector::new(settings.clone(), &run).open(Purpose::Control)?;
    let server = Server {
        library: &library,
        settings,
        progress,
        stop,
    };
    progress.begin(&format!("verify {}", plan.database), Some(plan.bytes));
    let mut verified = Verified {
        database: plan.database.clone(),
        sets: Vec::new(),
    };
    for step in &plan.steps {
        progress.note(&step.set.named());
        let checked = one(holdings, &step.set, &server, &mut control);
        if stop.load(Ordering::Relaxed) {
            progress.end();
            return Err(
                Fault::new(code::CANCELLED, "verify", "stopped by the operator")
                    .remedy("nothing was changed; start it again when it suits"),
            );
        }
        verified.sets.push(checked);
    }
    progress.end();
    Ok(verified)
}

fn one(
    holdings: &Holdings,
    set: &Candidate,
    server: &Server<'_>,
    control: &mut Session,
) -> Checked {
    let mut checked = Checked {
        place: set.place.clone(),
        kind: set.kind,
        bytes: 0,
        checksums: false,
        map: DamageMap::default(),
        fault: None,
    };
    let outcome = read(holdings, set, server, control, &mut checked);
    checked.fault = outcome.err();
    checked
}

fn read(
    holdings: &Holdings,
    set: &Candidate,
    server: &Server<'_>,
    control: &mut Session,
    checked: &mut Checked,
) -> Result<(), Fault> {
    let facts = holdings.facts(&set.place)?;
    let readers: Vec<PlainReader> = holdings.readers(&set.place)?;
    checked.checksums = has_checksums(facts);
    let (transfer, checksum) = (transfer(facts), checked.checksums);
    let statement = |devices: Vec<_>| verify_sql(&devices, transfer, checksum);
    let streamed = server.stream(readers, true, &statement, control);
    let streamed = judged(streamed, &set.named())?;
    checked.bytes = streamed.devices.iter().map(|device| device.bytes).sum();
    checked.map = streamed.map;
    Ok(())
}
