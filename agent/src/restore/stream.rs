//! One statement that reads a set over virtual devices.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use twinset_domain::{Fault, RunId, code};
use twinset_format::manifest::Facts;

use super::open::DamageMap;
use super::source::FamilySource;
use crate::media::encoding::decoder::PlainReader;
use crate::report::Progress;
use crate::sqlserver::statement::{Medium, Transfer};
use crate::sqlserver::vdi::{DeviceEnd, End, VdiLibrary, drive_restore, feature};
use crate::sqlserver::{Connector, InstanceSettings, Purpose, Rows, Session, StatementEnd, VdiJob};

/// How long RESTORE may roll forward and recover after it has read everything.
const STATEMENT_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// What a statement over virtual devices came to.
pub(super) struct Streamed {
    pub(super) statement: Option<StatementEnd>,
    pub(super) rows: Option<Rows>,
    pub(super) devices: Vec<DeviceEnd>,
    pub(super) map: DamageMap,
    fault: Option<Fault>,
}

/// What all statements of one restore share.
pub(super) struct Server<'a> {
    pub(super) library: &'a Arc<VdiLibrary>,
    pub(super) settings: &'a InstanceSettings,
    pub(super) progress: &'a dyn Progress,
    pub(super) stop: &'a AtomicBool,
}

/// The block size must be that of the backup; the transfer size may be another, but never smaller.
pub(super) fn transfer(facts: &Facts) -> Transfer {
    Transfer {
        block_size: facts.block_size.unwrap_or(0),
        max_transfer_size: facts.max_transfer_size.unwrap_or(1 << 20),
        buffer_count: 0,
    }
}

/// The backup has checksums that can be verified.
pub(super) fn has_checksums(facts: &Facts) -> bool {
    facts
        .sets
        .first()
        .is_some_and(|set| set.checksum == Some(true))
}

/// What the statement and the devices say: success needs both.
pub(super) fn judged(streamed: Streamed, object: &str) -> Result<Streamed, Fault> {
    let server = streamed
        .statement
        .as_ref()
        .and_then(|end| end.fault(object));
    let device = streamed
        .devices
        .iter()
        .find_map(|device| match &device.end {
            End::Failed(fault) | End::Protocol(fault) => Some(fault.clone()),
            End::Closed | End::Aborted => None,
        });
    match (streamed.fault.clone().or(device), server) {
        (Some(ours), Some(server)) if ours.code != code::CANCELLED => {
            Err(ours.cause(format!("then {}", server.message)))
        }
        (Some(fault), _) | (None, Some(fault)) => Err(fault),
        (None, None) if streamed.statement == Some(StatementEnd::Ok) => Ok(streamed),
        (None, None) => Err(
            Fault::new(code::SQL_LOST, object, "the statement did not end")
                .remedy("look at the database's state before trying again"),
        ),
    }
}

impl Server<'_> {
    /// Sends a statement and serves its reads; where it reads the `whole` set, all is proved.
    pub(super) fn stream(
        &self,
        readers: Vec<PlainReader>,
        whole: bool,
        statement: &dyn Fn(Vec<Medium>) -> String,
        control: &mut Session,
    ) -> Streamed {
        let run = RunId::random().to_string();
        let job = VdiJob {
            library: self.library,
            settings: self.settings,
            work: &|| Connector::new(self.settings.clone(), run.as_str()).open(Purpose::Work),
            run: &run,
            features: feature::LIKE_PIPE,
            families: u16::try_from(readers.len()).unwrap_or(u16::MAX),
            end_limit: STATEMENT_LIMIT,
            stop: self.stop,
            // How far a restore is, its own reads tell better.
            percent: &|_| {},
        };
        let mut readers = readers.into_iter();
        let mut open = |_| {
            let reader = readers.next().ok_or_else(|| {
                Fault::new(code::INTERNAL, "restore", "more devices than families")
            })?;
            Ok(FamilySource::new(reader, self.progress))
        };
        let end = job.run(
            statement,
            &mut open,
            &|device, mut source, cancelled| {
                let end = drive_restore(device, &mut source, cancelled);
                let whole = whole && end.end == End::Closed;
                (end, source.finish(whole))
            },
            control,
        );
        let mut streamed = Streamed {
            statement: end.statement,
            rows: end.rows,
            devices: Vec::new(),
            map: DamageMap::default(),
            fault: end.fault,
        };
        for (device, (report, fault)) in end.devices {
            streamed.devices.push(device);
            streamed.map.add(report);
            streamed.fault = streamed.fault.or(fault);
        }
        streamed
    }
}
