//! The scene file: which instances there are, what they hold, how they misbehave.

mod groups;

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

pub use groups::{GroupScene, ReplicaScene};

use crate::instance::faults::Faults;
use crate::instance::model::{
    DataSource, Database, DbFile, DbState, Ids, Lsn, Mirroring, RecoveryModel,
};
use crate::instance::moment::Moment;
use crate::instance::version::Version;
use crate::instance::{Certificate, Instance, Login, Setup};
use crate::tds::prelogin::ServerEncryption;
use crate::tds::tls::ServerTls;

/// A scene.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// Instances in order.
    pub instances: Vec<InstanceScene>,
    /// Availability groups over them.
    #[serde(default)]
    pub groups: Vec<GroupScene>,
}

/// One instance.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceScene {
    /// Server name, `HOST` or `HOST\INSTANCE`.
    pub name: String,
    /// Address on loopback that it listens on.
    #[serde(default = "loopback")]
    pub address: Ipv4Addr,
    /// SQL Server Browser answers at its address (UDP 1434), for every instance of the scene there.
    #[serde(default)]
    pub browser: bool,
    /// TCP port; 0 = any free one.
    #[serde(default)]
    pub port: u16,
    /// TLS setting.
    #[serde(default)]
    pub encryption: ServerEncryption,
    /// Names and addresses in its certificate.
    #[serde(default = "local_names")]
    pub certificate_names: Vec<String>,
    /// Version.
    #[serde(default)]
    pub version: Version,
    /// Seed of its GUIDs; instances of one mirrored pair should differ.
    #[serde(default)]
    pub seed: u64,
    /// Logins.
    #[serde(default)]
    pub logins: Vec<Login>,
    /// Certificates in master that can encrypt backups.
    #[serde(default)]
    pub certificates: Vec<Certificate>,
    /// Seconds that its clock is ahead.
    #[serde(default)]
    pub clock_offset_seconds: i64,
    /// Databases besides the system ones.
    #[serde(default)]
    pub databases: Vec<DatabaseScene>,
    /// Knobs.
    #[serde(default)]
    pub faults: Faults,
    /// Port of its mirroring endpoint.
    #[serde(default = "endpoint")]
    pub mirroring_port: u16,
    /// Host and port the client shall go to instead.
    #[serde(default)]
    pub routing: Option<(String, u16)>,
}

/// The port that wizards propose.
const fn endpoint() -> u16 {
    5022
}

const fn loopback() -> Ipv4Addr {
    Ipv4Addr::LOCALHOST
}

fn local_names() -> Vec<String> {
    vec!["localhost".into(), "127.0.0.1".into()]
}

/// One database.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseScene {
    /// Name.
    pub name: String,
    /// FULL, BULK_LOGGED or SIMPLE.
    #[serde(default)]
    pub recovery: Option<String>,
    /// ONLINE, RESTORING, OFFLINE, ...
    #[serde(default)]
    pub state: Option<String>,
    /// Bytes of generated data pages, all families together.
    #[serde(default)]
    pub size: Option<u64>,
    /// Seed of generated data.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Real backup files instead, one per device.
    #[serde(default)]
    pub stream: Vec<PathBuf>,
    /// The same for differentials; generated where absent.
    #[serde(default)]
    pub differential_stream: Vec<PathBuf>,
    /// The same for log backups; generated where absent.
    #[serde(default)]
    pub log_stream: Vec<PathBuf>,
    /// family_guid, when it is to equal a partner's.
    #[serde(default)]
    pub family_guid: Option<uuid::Uuid>,
    /// It has a FILESTREAM container.
    #[serde(default)]
    pub filestream: bool,
    /// Writes that fit between two log backups; more fail with 9002. Unlimited when left out.
    #[serde(default)]
    pub log_limit: Option<usize>,
    /// Damaged pages, as `[file, page]`.
    #[serde(default)]
    pub bad_pages: Vec<(i32, i64)>,
    /// Mirroring session.
    #[serde(default)]
    pub mirroring: Option<MirroringScene>,
    /// Read-only.
    #[serde(default)]
    pub read_only: bool,
    /// Snapshot of the database with this id.
    #[serde(default)]
    pub snapshot_of: Option<i32>,
}

/// One side of a mirroring session.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirroringScene {
    /// Identity of the partnership, equal on both sides.
    pub guid: uuid::Uuid,
    /// "principal" or "mirror".
    pub role: String,
    /// `TCP://host:port` of the other side.
    pub partner_address: String,
    /// Server name of the other side.
    pub partner_instance: String,
    /// 0 suspended to 4 synchronized.
    #[serde(default = "synchronized")]
    pub state: u8,
    /// Role switches so far.
    #[serde(default = "one")]
    pub role_sequence: i32,
    /// FULL (the default) or OFF.
    #[serde(default)]
    pub safety: Option<String>,
    /// Address of the witness.
    #[serde(default)]
    pub witness: Option<String>,
}

const fn synchronized() -> u8 {
    4
}

const fn one() -> i32 {
    1
}

impl Scene {
    /// Reads a scene file; the fault names line and column.
    pub fn read(path: &Path) -> io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        toml::from_str(&text).map_err(|fault| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{}: {fault}", path.display()),
            )
        })
    }
}

impl InstanceScene {
    /// Name for files of this instance.
    #[must_use]
    pub fn file_stem(&self) -> String {
        self.name.replace(['\\', '/'], "_")
    }

    /// Builds the instance.
    pub fn build(&self, folder: &Path) -> io::Result<Arc<Instance>> {
        let mut ids = Ids::new(self.seed.wrapping_add(0x5CE7E));
        let mut databases = Vec::new();
        for wanted in &self.databases {
            databases.push(wanted.build(&mut ids)?);
        }
        let setup = Setup {
            name: self.name.clone(),
            version: self.version.clone(),
            encryption: self.encryption,
            tls: ServerTls::generate(&self.certificate_names)?,
            faults: self.faults.clone(),
            logins: self.logins.clone(),
            certificates: self.certificates.clone(),
            clock_offset: self.clock_offset_seconds,
            databases,
            seed: self.seed,
            backup_folder: folder.to_path_buf(),
            routing: self.routing.clone(),
            mirroring_port: self.mirroring_port,
        };
        Ok(Instance::new(setup))
    }
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

fn container(name: &str, ids: &mut Ids) -> DbFile {
    DbFile {
        id: 65_537,
        guid: ids.fresh(),
        is_log: false,
        is_filestream: true,
        logical: format!("{name}_fs"),
        physical: format!("/var/opt/mssql/data/{name}_fs"),
        pages: 0,
    }
}

impl DatabaseScene {
    fn build(&self, ids: &mut Ids) -> io::Result<Database> {
        let created = Moment::parse("2024-03-01 08:00:00");
        let created = created.ok_or_else(|| invalid("no date".into()))?;
        let mut made = Database::new(0, &self.name, ids, created, "/var/opt/mssql/data");
        if let Some(text) = &self.recovery {
            let unknown = || invalid(format!("{}: unknown recovery model {text}", self.name));
            made.recovery = RecoveryModel::named(text).ok_or_else(unknown)?;
        }
        if let Some(text) = &self.state {
            let unknown = || invalid(format!("{}: unknown state {text}", self.name));
            made.state = DbState::named(text).ok_or_else(unknown)?;
        }
        made.source = DataSource {
            size: self.size.unwrap_or(16 << 20),
            seed: self.seed.unwrap_or(1),
            full: self.stream.clone(),
            differential: self.differential_stream.clone(),
            log: self.log_stream.clone(),
        };
        if let Some(first) = self.stream.first() {
            crate::instance::backup::source::adopt_identity(&mut made, first)?;
        }
        if let Some(guid) = self.family_guid {
            made.family_guid = guid;
        }
        made.read_only = self.read_only;
        if self.filestream {
            made.files.push(container(&self.name, ids));
        }
        made.log_limit = self.log_limit;
        made.bad_pages.clone_from(&self.bad_pages);
        made.snapshot_of = self.snapshot_of;
        if let Some(session) = &self.mirroring {
            let principal = match session.role.as_str() {
                "principal" => true,
                "mirror" => false,
                other => return Err(invalid(format!("{}: unknown role {other}", self.name))),
            };
            if !principal && self.state.is_none() {
                made.state = DbState::Restoring;
            }
            made.mirroring = Some(Mirroring {
                guid: session.guid,
                principal,
                state: session.state,
                role_sequence: session.role_sequence,
                safety_full: session.safety.as_deref() != Some("OFF"),
                safety_sequence: 1,
                timeout: 10,
                partner_address: session.partner_address.clone(),
                partner_instance: session.partner_instance.clone(),
                witness: session.witness.clone(),
                witness_connected: session.witness.is_some(),
                failover_lsn: Lsn::new(39, 1700, 1),
                suspended: false,
                closed: None,
                abandoned: false,
            });
        }
        Ok(made)
    }
}
