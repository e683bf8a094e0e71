//! A backup through SQL Server's virtual device interface.
//!
//! probe -> check media -> create the set -> BACKUP -> configure -> open devices -> drive ->
//! statement's end -> history -> verdict -> publish, keep or take back.

pub(super) mod agree;
mod conclude;
mod session;

use twinset_domain::partner::Membership;
use twinset_domain::presence;
use twinset_domain::{BackupKind, Fault, RunId, code};
use twinset_format::manifest::{Asked, Circumstances, Mirroring, Source};

use uuid::Uuid;

use super::desk::{Desk, Target};
use super::finished::Finished;
use super::pump;
use super::replica;
use super::role::{After, Before};
use super::run::{Content, open};
use crate::media::encoding::Recipe;
use crate::media::kept;
use crate::sqlserver::facts::{self, DAMAGED, DatabaseFacts, InstanceFacts};
use crate::sqlserver::groups;
use crate::sqlserver::orphans;
use crate::sqlserver::statement::support::supported;
use crate::sqlserver::statement::{
    BackupStatement, Compression, Encryption, Medium, Tail, Transfer,
};
use crate::sqlserver::vdi::VdiLibrary;
use crate::sqlserver::{Ahead, Connector, InstanceSettings, Purpose, Session};

/// A database that is online (sys.databases.state).
const ONLINE: i64 = 0;
/// Id of tempdb in every instance.
const TEMPDB: i64 = 2;
/// The role of a principal (sys.database_mirroring.mirroring_role).
const PRINCIPAL: i64 = 1;

/// What is to be backed up.
pub struct Order<'a> {
    /// The instance.
    pub settings: &'a InstanceSettings,
    /// The database.
    pub database: &'a str,
    /// Full, differential or log.
    pub kind: BackupKind,
    /// Outside the chain.
    pub copy_only: bool,
    /// The tail of the log: the database takes no more changes.
    pub tail: bool,
    /// Nothing written before may be joined with what comes behind it.
    pub new_branch: bool,
    /// The database is known to be damaged: it is backed up all the same, and the set marked.
    pub over_damage: bool,
    /// The full that a differential is to stand on: compared again before success.
    pub base: Option<Uuid>,
    /// Sizes; zero buffers: planned within the memory limit.
    pub transfer: Transfer,
    /// Compression by SQL Server.
    pub compression: Compression,
    /// Encryption by SQL Server.
    pub encryption: Option<&'a Encryption>,
    /// Memory for buffers.
    pub memory_limit: u64,
    /// Bytes per second that it may take.
    pub throttle: Option<u64>,
    /// The group that it is taken for; stands in the NAME of the set.
    pub group: &'a str,
}

/// What the probe found.
pub struct Probed {
    /// The instance.
    pub instance: InstanceFacts,
    /// The database.
    pub database: DatabaseFacts,
    /// Its availability group.
    pub membership: Membership,
    /// The connection that was asked.
    pub control: Session,
    /// The other partner, to be asked when the role is lost on the way.
    pub partner: Option<InstanceSettings>,
}

/// Asks the instance and the database whether a backup through virtual devices can be taken.
///
/// # Errors
/// As [`look`], and 3265.
pub fn probe(desk: &Desk<'_>, order: &Order<'_>, run: &str) -> Result<Probed, Fault> {
    let probed = look(desk, order, run)?;
    let instance = &probed.instance;
    if !instance.is_sysadmin {
        let message = format!("login {} is no sysadmin", instance.login);
        return Err(
            Fault::new(code::SQL_NOT_SYSADMIN, probed.control.instance(), message)
                .cause("SQL Server lets sysadmin alone use VIRTUAL_DEVICE (error 3265)")
                .remedy(format!(
                    "ALTER SERVER ROLE sysadmin ADD MEMBER [{}], or set source = \"stage\", which \
                     does without",
                    instance.login
                )),
        );
    }
    Ok(probed)
}

/// Asks the instance and the database whether a backup can be taken at all.
///
/// # Errors
/// Connection and login faults, 911, and why the database cannot be backed up now.
pub fn look(desk: &Desk<'_>, order: &Order<'_>, run: &str) -> Result<Probed, Fault> {
    let (instance, database) = (&order.settings.name, order.database);
    desk.progress.note(&format!("probe {instance}: {database}"));
    let connector = Connector::new(order.settings.clone(), run);
    let mut control = connector.open(Purpose::Control)?;
    let instance = facts::probe_instance(&mut control)?;
    let Some(database) = facts::probe_database(&mut control, order.database)? else {
        let message = format!("database {} does not exist", order.database);
        return Err(
            Fault::new(code::SQL_NO_DATABASE, control.instance(), message).remedy(
                "check the name in the group's databases; names follow the server's collation",
            ),
        );
    };
    backupable(&database, order.tail, control.instance())?;
    let membership = groups::membership(&mut control, &instance, &database.name)?;
    let object = format!("{}, database {}", control.instance(), database.name);
    replica::fits(&membership, (order.kind, order.copy_only), &object)?;
    supported(&instance, order.compression, order.encryption)?;
    // A statement of a dead run would refuse this one (3023).
    for orphan in orphans::sweep(&connector, &mut control)? {
        desk.progress.note(&orphan.told);
    }
    Ok(Probed {
        instance,
        database,
        membership,
        control,
        partner: None,
    })
}

/// Only a principal that is online can be backed up; the tail of its log also when its data are
/// damaged, and never while it is in a session.
///
/// # Errors
/// [`code::NOT_PRINCIPAL`], [`code::SQL_TEMPDB`], [`code::SQL_SNAPSHOT`], [`code::DATABASE_STATE`].
pub fn backupable(database: &DatabaseFacts, tail: bool, instance: &str) -> Result<(), Fault> {
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
    if database.database_id == TEMPDB {
        let message = "tempdb is made anew at each start and has no backups";
        return Err(Fault::new(code::SQL_TEMPDB, object, message).remedy("leave it out"));
    }
    if database.source_database_id.is_some() {
        return Err(Fault::new(
            code::SQL_SNAPSHOT,
            object,
            "a database snapshot has no backups",
        )
        .remedy("back the source database up"));
    }
    if tail && (database.mirroring_guid.is_some() || database.replica_id.is_some()) {
        let message = "the tail would take the database offline, and it is in a session";
        return Err(Fault::new(code::TAIL_IN_SESSION, object, message)
            .cause("SQL Server allows no BACKUP LOG WITH NORECOVERY there")
            .remedy("take a log backup; or end the session first"));
    }
    if database.state != ONLINE && !(tail && DAMAGED.contains(&database.state)) {
        let message = format!("the database is {}", database.state_desc);
        return Err(Fault::new(code::DATABASE_STATE, object, message)
            .remedy("bring it online; nothing was written"));
    }
    Ok(())
}

/// Takes a backup of what was probed.
///
/// # Errors
/// The quick check's, the first cause of whatever failed afterwards, and
/// [`code::UNCONFIRMED`] when the set is sealed but SQL Server's verdict is not known.
pub fn backup(
    desk: &mut Desk<'_>,
    target: &Target,
    order: &Order<'_>,
    probed: Probed,
) -> Result<Finished, Fault> {
    let library = VdiLibrary::load(&order.settings.vdi_library)?;
    let families = target.shape.families;
    let transfer = planned(order, families, &target.recipe)?;
    let content = content(order, Source::Vdi, &probed.database, transfer);
    let run = RunId::random();
    // It logs in while the media are looked at.
    let work = Ahead::begin(Connector::new(order.settings.clone(), run.to_string()));
    let mut checked = open(desk, target, content.kind)?.if_decided_by_all()?;
    checked.run = run;
    let mut reserved = checked.reserve(desk, &content)?;
    desk.progress
        .begin(&format!("backup {}", probed.database.name), None);
    let mut control = probed.control;
    let mut transfer = transfer;
    let streamed = loop {
        let statement = |devices| statement(order, &probed.database, transfer, devices);
        let ends = (&work, &mut control);
        let streamed = session::stream(desk, &reserved, &library, order, &statement, ends);
        // Nothing was opened or written yet: the same run may ask for less.
        let Some(less) = transfer
            .smaller(families)
            .filter(|_| streamed.lacked_memory())
        else {
            break streamed;
        };
        desk.progress.note(&format!(
            "SQL Server found no memory for {} buffers of {} bytes: trying {} of {}",
            transfer.buffer_count,
            transfer.max_transfer_size,
            less.buffer_count,
            less.max_transfer_size
        ));
        transfer = less;
        reserved.facts.max_transfer_size = Some(less.max_transfer_size);
    };
    desk.progress.end();
    let base = order
        .base
        .filter(|_| order.kind == BackupKind::Differential);
    let after = After {
        before: Before::of(content.circumstances.mirroring, &probed.membership),
        database: &probed.database.name,
        ours: order.settings,
        instance: &probed.instance,
        other: probed.partner.as_ref(),
    };
    let took = (transfer, base);
    conclude::conclude(desk, reserved, streamed, took, (&after, &mut control))
}

/// The statement as a run would send it, but for the names of its devices.
///
/// # Errors
/// `pump::buffers`'s.
pub fn shown(order: &Order<'_>, target: &Target, probed: &Probed) -> Result<String, Fault> {
    let families = target.shape.families;
    let transfer = planned(order, families, &target.recipe)?;
    let device = |n| Medium::Virtual(format!("twinset-RUN{}", device_ending(n)));
    let devices = (0..families).map(device).collect();
    Ok(statement(order, &probed.database, transfer, devices).to_sql())
}

fn device_ending(n: u16) -> String {
    if n == 0 {
        String::new()
    } else {
        format!("-{n}")
    }
}

/// What is to be written, as far as it is known before.
pub(super) fn content<'a>(
    order: &Order<'_>,
    source: Source,
    database: &'a DatabaseFacts,
    transfer: Transfer,
) -> Content<'a> {
    let session = database
        .mirroring_guid
        .zip(database.mirroring_role_sequence);
    let asked = Asked {
        compression: order.compression.asked(),
        encryption: order.encryption.map(|e| e.cipher.name().to_owned()),
        encryptor: order.encryption.map(|e| e.encryptor.name().to_owned()),
    };
    Content {
        source,
        database: &database.name,
        kind: Some(order.kind),
        block_size: Some(transfer.block_size).filter(|size| *size > 0),
        max_transfer_size: Some(transfer.max_transfer_size).filter(|size| *size > 0),
        container: kept::ordered(&asked),
        circumstances: Circumstances {
            copy_only: order.copy_only,
            tail: order.tail,
            new_branch: order.new_branch,
            over_damage: order.over_damage && order.kind != BackupKind::Log,
            mirroring: session.map(|(guid, role_sequence)| Mirroring {
                guid,
                role_sequence,
            }),
            asked: Some(asked).filter(|asked| *asked != Asked::default()),
        },
    }
}

pub(super) fn statement(
    order: &Order<'_>,
    database: &DatabaseFacts,
    transfer: Transfer,
    devices: Vec<Medium>,
) -> BackupStatement {
    BackupStatement {
        database: database.name.clone(),
        kind: order.kind,
        devices,
        transfer,
        copy_only: order.copy_only,
        tail: order.tail.then_some(if database.state == ONLINE {
            Tail::NoRecovery
        } else {
            Tail::NoTruncate
        }),
        over_damage: order.over_damage,
        compression: order.compression,
        encryption: order.encryption.cloned(),
        name: order
            .settings
            .agent
            .map(|agent| presence::set_name(order.group, agent)),
    }
}

/// BUFFERCOUNT and MAXTRANSFERSIZE that fit the memory limit: buffers shrink first.
pub(super) fn planned(
    order: &Order<'_>,
    families: u16,
    recipe: &Recipe,
) -> Result<Transfer, Fault> {
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
