//! A backup through SQL Server's virtual device interface.
//!
//! probe -> check media -> create the set -> BACKUP -> configure -> open devices -> drive ->
//! statement's end -> history -> verdict -> publish, keep or take back.

mod conclude;
mod session;

use twinset_domain::wrapping::Container;
use twinset_domain::{BackupKind, Fault, code};
use twinset_format::manifest::Source;

use super::desk::{Desk, Target};
use super::finished::Finished;
use super::pump;
use super::run::{Content, open};
use crate::media::encoding::Recipe;
use crate::sqlserver::facts::{self, DatabaseFacts, InstanceFacts};
use crate::sqlserver::statement::Transfer;
use crate::sqlserver::vdi::VdiLibrary;
use crate::sqlserver::{Connector, InstanceSettings, Purpose, Session};

/// A database that is online (sys.databases.state).
const ONLINE: i64 = 0;
/// The role of a principal (sys.database_mirroring.mirroring_role).
const PRINCIPAL: i64 = 1;

/// What is to be backed up.
pub struct Order<'a> {
    /// The instance.
    pub settings: &'a InstanceSettings,
    /// The database.
    pub database: &'a str,
    /// Full, for now.
    pub kind: BackupKind,
    /// Outside the chain.
    pub copy_only: bool,
    /// Sizes; zero buffers: planned within the memory limit.
    pub transfer: Transfer,
    /// Compression by SQL Server; `None` leaves it to the server.
    pub compression: Option<bool>,
    /// Memory for buffers.
    pub memory_limit: u64,
}

/// What the probe found.
pub struct Probed {
    /// The instance.
    pub instance: InstanceFacts,
    /// The database.
    pub database: DatabaseFacts,
    control: Session,
}

/// Asks the instance and the database whether a backup can be taken at all.
///
/// # Errors
/// Connection and login faults, 911, 3265, and why the database cannot be backed up now.
pub fn probe(order: &Order<'_>, run: &str) -> Result<Probed, Fault> {
    let mut control = Connector::new(order.settings.clone(), run).open(Purpose::Control)?;
    let instance = facts::probe_instance(&mut control)?;
    let Some(database) = facts::probe_database(&mut control, order.database)? else {
        let message = format!("database {} does not exist", order.database);
        return Err(
            Fault::new(code::SQL_NO_DATABASE, control.instance(), message).remedy(
                "check the name in the group's databases; names follow the server's collation",
            ),
        );
    };
    if !instance.is_sysadmin {
        let message = format!("login {} is no sysadmin", instance.login);
        return Err(
            Fault::new(code::SQL_NOT_SYSADMIN, control.instance(), message)
                .cause("SQL Server lets sysadmin alone use VIRTUAL_DEVICE (error 3265)")
                .remedy(format!(
                    "ALTER SERVER ROLE sysadmin ADD MEMBER [{}]",
                    instance.login
                )),
        );
    }
    backupable(&database, control.instance())?;
    Ok(Probed {
        instance,
        database,
        control,
    })
}

/// Only a principal that is online can be backed up.
fn backupable(database: &DatabaseFacts, instance: &str) -> Result<(), Fault> {
    let object = format!("{instance}, database {}", database.name);
    if database.mirroring_guid.is_some() && database.mirroring_role != Some(PRINCIPAL) {
        let partner = database
            .mirroring_partner_instance
            .as_deref()
            .unwrap_or("its partner");
        return Err(Fault::new(
            code::NOT_PRINCIPAL,
            object,
            "the database is the mirror here",
        )
        .remedy(format!("back it up on {partner}, which is principal")));
    }
    if database.source_database_id.is_some() {
        return Err(Fault::new(
            code::SQL_SNAPSHOT,
            object,
            "a database snapshot has no backups",
        )
        .remedy("back the source database up"));
    }
    if database.state != ONLINE {
        let message = format!("the database is {}", database.state_desc);
        return Err(Fault::new(code::DATABASE_STATE, object, message)
            .remedy("bring it online; nothing was written"));
    }
    Ok(())
}

/// Takes a backup.
///
/// # Errors
/// The probe's, the quick check's, the first cause of whatever failed afterwards, and
/// [`code::UNCONFIRMED`] when the set is sealed but SQL Server's verdict is not known.
pub fn backup(desk: &mut Desk<'_>, target: &Target, order: &Order<'_>) -> Result<Finished, Fault> {
    desk.progress.note(&format!(
        "probe {}: {}",
        order.settings.name, order.database
    ));
    let library = VdiLibrary::load(&order.settings.vdi_library)?;
    let families = target.shape.families;
    let transfer = planned(order, families, &target.recipe)?;
    // The name of the run stands in the program name, so that an orphan can be told as ours.
    let probed = probe(order, &target.key)?;
    let content = Content {
        source: Source::Vdi,
        database: &probed.database.name,
        kind: Some(order.kind),
        block_size: Some(transfer.block_size).filter(|size| *size > 0),
        max_transfer_size: Some(transfer.max_transfer_size).filter(|size| *size > 0),
        copy_only: order.copy_only,
        container: match order.compression {
            Some(true) => Container::Compressed,
            Some(false) => Container::Plain,
            // The server's default decides: the first bytes will tell.
            None => Container::Unknown,
        },
    };
    let reserved = open(desk, target, content.kind)?.reserve(desk, &content)?;
    desk.progress
        .begin(&format!("backup {}", probed.database.name), None);
    let mut control = probed.control;
    let streamed = session::stream(desk, &reserved, &library, order, transfer, &mut control);
    desk.progress.end();
    conclude::conclude(desk, reserved, streamed, &mut control)
}

/// BUFFERCOUNT and MAXTRANSFERSIZE that fit the memory limit: buffers shrink first.
fn planned(order: &Order<'_>, families: u16, recipe: &Recipe) -> Result<Transfer, Fault> {
    let mut transfer = order.transfer;
    if transfer.max_transfer_size == 0 {
        transfer.max_transfer_size = u32::try_from(pump::BUFFER).unwrap_or(1 << 20);
    }
    let buffers = pump::buffers(families, order.memory_limit, recipe)?;
    let most = u32::try_from(buffers * usize::from(families)).unwrap_or(u32::MAX);
    if transfer.buffer_count == 0 {
        transfer.buffer_count = most.min(u32::from(families) * 8);
    }
    Ok(transfer)
}
