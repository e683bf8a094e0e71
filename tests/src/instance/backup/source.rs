//! Where the bytes of a backup come from: the generator, or real files.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use uuid::Uuid;

use super::feed::{Feed, Hidden, Source};
use super::media::Found;
use super::record;
use crate::instance::Certificate;
use crate::instance::ledger::{self, Content};
use crate::instance::model::{Database, DbFile, Lsn};
use crate::instance::moment::Moment;
use crate::instance::session::Session;
use crate::instance::transfer::lane::Sizes;
use crate::instance::transfer::{Plan, Verb, messages};
use crate::stream::{
    self, Container, GeneratedStream, Kind, Lsns, Spec, SpecFile, StreamCheck, StreamFacts,
    SumPolicy,
};
use crate::tds::tokens::ServerMessage;

/// A log or differential backup is this much smaller than a full one.
const SHARE_OF_FULL: u64 = 16;
/// Log blocks a backup covers.
pub const BLOCKS_PER_BACKUP: u32 = 72;

/// The bytes of a whole statement, one source per device.
pub struct Streams {
    sources: Vec<Source>,
    rounds: bool,
}

impl Streams {
    /// Opens files or sets up the generator, by what the database says.
    pub fn prepare(
        session: &Session,
        plan: &Plan,
        sizes: Sizes,
        media: &[Option<Found>],
    ) -> Result<Self, ServerMessage> {
        let mut guard = session.instance.state();
        let state = &mut *guard;
        let Some(found) = state.database_mut(&plan.database) else {
            return Err(crate::instance::session::missing(&plan.database));
        };
        let database = found.clone();
        let kind = kind_of(plan);
        let files = match kind {
            Kind::Full => &database.source.full,
            Kind::Differential => &database.source.differential,
            Kind::Log => &database.source.log,
        };
        let sources = if files.is_empty() {
            // What is written from now on lies behind this backup.
            found.log_end = database.log_end.plus_blocks(BLOCKS_PER_BACKUP);
            let guids = (state.ids.fresh(), state.ids.fresh());
            let certificates = state.certificates.clone();
            let medium = media.iter().flatten().next();
            let container = match medium {
                Some(medium) => medium.check.container().cloned(),
                None => container(plan, sizes, &certificates, guids.0),
            };
            drop(guard);
            let mut spec = spec(session, plan, sizes, &database, kind, guids)?;
            spec.log = ledger::encode(&content(plan, &database, kind, &certificates));
            if let Some(medium) = medium {
                medium.continues(&mut spec);
            }
            spec.check().map_err(unusable)?;
            generated(&spec, container.as_ref(), media).map_err(unusable)?
        } else if media.iter().any(Option::is_some) {
            return Err(unusable("a real file is appended to nothing".into()));
        } else {
            open_files(plan, files)?
        };
        let rounds = session.instance.faults().extra_flush;
        let filestream = database.files.iter().any(|file| file.is_filestream);
        let streams = Self {
            sources,
            rounds: rounds || (filestream && kind != Kind::Log),
        };
        let block = u64::from(sizes.block);
        if streams
            .sources
            .iter()
            .any(|source| source.total() % block != 0)
        {
            return Err(unusable(
                "BLOCKSIZE does not divide the stream's length".into(),
            ));
        }
        Ok(streams)
    }

    /// Bytes of all sources.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.sources.iter().map(Source::total).sum()
    }

    /// The sources, for the device threads.
    #[must_use]
    pub fn take(self, found: Vec<Option<Found>>) -> Vec<Mutex<Feed>> {
        let rounds = self.rounds;
        let known = found
            .into_iter()
            .map(|found| found.map(|found| found.check));
        let known = known.chain(std::iter::repeat_with(|| None));
        let feeds = self.sources.into_iter().zip(known).map(|(source, known)| {
            Mutex::new(Feed {
                source,
                rounds,
                known,
            })
        });
        feeds.collect()
    }
}

/// The families of a generated set, each behind what its medium holds.
fn generated(
    spec: &Spec,
    container: Option<&Container>,
    found: &[Option<Found>],
) -> Result<Vec<Source>, String> {
    let family = |family: u16| {
        let medium = found.get(usize::from(family) - 1).and_then(Option::as_ref);
        let behind = medium.map(|medium| &medium.behind);
        let stream = GeneratedStream::behind(spec, family, behind)?;
        Ok(match container {
            Some(container) => Source::Hidden(Box::new(Hidden {
                stream,
                container: container.clone(),
                sent: 0,
                behind: behind.map(|behind| behind.at),
            })),
            None => Source::Generated(Box::new(stream)),
        })
    };
    (1..=spec.families).map(family).collect()
}

fn unusable(why: String) -> ServerMessage {
    crate::instance::query::unsupported(format_args!("this backup: {why}"))
}

fn open_files(plan: &Plan, files: &[PathBuf]) -> Result<Vec<Source>, ServerMessage> {
    if files.len() != plan.devices.len() {
        return Err(messages::numbered(3261, ""));
    }
    let open = |path: &PathBuf| {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok::<_, io::Error>(Source::File(file, length, 0))
    };
    files
        .iter()
        .map(|path| open(path).map_err(|fault| unusable(format!("{}: {fault}", path.display()))))
        .collect()
}

/// The container that COMPRESSION and ENCRYPTION ask for.
fn container(
    plan: &Plan,
    sizes: Sizes,
    certificates: &[Certificate],
    set: Uuid,
) -> Option<Container> {
    if !plan.has("COMPRESSION") && !plan.has("ENCRYPTION") {
        return None;
    }
    let known = plan.encryption().and_then(|(_, by, _)| {
        let mut all = certificates.iter();
        all.find(|known| known.name.eq_ignore_ascii_case(by))
    });
    let thumbprint = known.and_then(|known| known.thumbprint().try_into().ok());
    Some(Container {
        key: set.as_u64_pair().1 | 1,
        head: sizes.block.max(4096),
        thumbprint: thumbprint.unwrap_or_default(),
        is_compressed: plan.has("COMPRESSION"),
    })
}

/// Kind of a BACKUP.
#[must_use]
pub fn kind_of(plan: &Plan) -> Kind {
    match plan.verb {
        Verb::BackupLog => Kind::Log,
        _ if plan.has("DIFFERENTIAL") => Kind::Differential,
        _ => Kind::Full,
    }
}

/// The generator's orders for one backup.
fn spec(
    session: &Session,
    plan: &Plan,
    sizes: Sizes,
    database: &Database,
    kind: Kind,
    (set, media_set): (Uuid, Uuid),
) -> Result<Spec, ServerMessage> {
    let families = u16::try_from(plan.devices.len()).unwrap_or(u16::MAX);
    let version = session.instance.version();
    let size = match kind {
        Kind::Full => database.source.size,
        _ => database.source.size / SHARE_OF_FULL,
    };
    let now = to_stream(session.instance.clock.now());
    let mut spec = Spec::new(database.source.seed ^ set.as_u64_pair().0, size, families);
    spec.block_size = sizes.block;
    spec.kind = kind;
    spec.database.clone_from(&database.name);
    spec.server = session.instance.server_name().to_owned();
    spec.user.clone_from(&session.login.name);
    spec.set_name = plan.text("NAME").unwrap_or_default();
    spec.description = plan.text("DESCRIPTION").unwrap_or_default();
    spec.media_name = plan.text("MEDIANAME").unwrap_or_default();
    spec.mirrors = plan.mirrors.len() as u16 + 1;
    spec.version = (version.major, version.minor, version.build);
    spec.database_version = version.database_version() as u16;
    spec.compatibility = version.major.saturating_mul(10);
    spec.database_id = u16::try_from(database.id).unwrap_or(u16::MAX);
    spec.set_guid = set;
    spec.media_set_guid = media_set;
    spec.created = to_stream(database.created);
    spec.started = now;
    spec.finished = now;
    let expires = record::expires(plan, session.instance.clock.now());
    spec.expires = expires.map(to_stream).unwrap_or_default();
    spec.checksum = plan.has("CHECKSUM");
    spec.flags = super::flags::bits(plan, database, kind);
    spec.files = database.files.iter().map(file).collect();
    place(&mut spec, database, kind);
    spec.check().map_err(unusable)?;
    Ok(spec)
}

fn file(file: &DbFile) -> SpecFile {
    SpecFile {
        id: u32::try_from(file.id).unwrap_or_default(),
        is_log: file.is_log,
        is_filestream: file.is_filestream,
        logical: file.logical.clone(),
        physical: file.physical.clone(),
        pages: u32::try_from(file.pages).unwrap_or_default(),
    }
}

/// Where the backup stands in the log, on which fork, over which base, and what it holds.
fn place(spec: &mut Spec, database: &Database, kind: Kind) {
    let first = match kind {
        Kind::Log => database.last_log_backup.unwrap_or(database.log_end),
        _ => database.log_end,
    };
    let base = database.base.filter(|_| kind == Kind::Differential);
    spec.lsns = Lsns {
        first: to_lsn(first),
        last: to_lsn(database.log_end.plus_blocks(BLOCKS_PER_BACKUP)),
        checkpoint: to_lsn(database.log_end),
        database_backup: to_lsn(database.full_checkpoint.unwrap_or_default()),
        differential_base: to_lsn(base.map(|base| base.lsn).unwrap_or_default()),
    };
    spec.family_guid = database.family_guid;
    spec.fork_guid = database.fork_guid;
    // A log that begins before the fork (or right at it) spans it.
    let spanned = database.fork_point.filter(|point| first <= *point);
    if let Some(point) = spanned {
        spec.first_fork_guid = database.first_fork_guid;
        spec.fork_point = to_lsn(point);
    } else {
        spec.first_fork_guid = Uuid::nil();
    }
    spec.binding_guid = database.database_guid;
    spec.last_full_guid = database.base.map(|base| base.set).unwrap_or_default();
    spec.base_guid = base.map(|base| base.set).unwrap_or_default();
}

/// What the log part of the backup says.
fn content(plan: &Plan, database: &Database, kind: Kind, known: &[Certificate]) -> Content {
    let first = database.last_log_backup.unwrap_or(database.log_end);
    let writes = database.writes.iter();
    let covered = writes.filter(|write| kind != Kind::Log || write.lsn >= first);
    Content {
        recovery: database.recovery.describe().1.to_owned(),
        begins_chain: kind == Kind::Log && !database.chain_begun,
        compression: record::algorithm(plan, plan.has("COMPRESSION")),
        encryption: record::encryption(plan, known),
        writes: covered.cloned().collect(),
    }
}

/// A position in the generator's words.
#[must_use]
pub fn to_lsn(lsn: Lsn) -> stream::Lsn {
    let (file, block, slot) = lsn.parts();
    stream::Lsn { file, block, slot }
}

/// A position from the stream's words.
#[must_use]
pub fn from_lsn(lsn: stream::Lsn) -> Lsn {
    Lsn::new(lsn.file, lsn.block, lsn.slot)
}

fn to_stream(moment: Moment) -> stream::DateTime {
    let ((year, month, day), (hour, minute, second)) = (moment.date(), moment.time());
    stream::DateTime {
        year: year as u16,
        month: month as u8,
        day: day as u8,
        hour: hour as u8,
        minute: minute as u8,
        second: second as u8,
    }
}

/// A time of the stream; `None` where it is unknown.
#[must_use]
pub fn from_stream(at: stream::DateTime) -> Option<Moment> {
    let date = (u32::from(at.year), u32::from(at.month), u32::from(at.day));
    let time = (
        u32::from(at.hour),
        u32::from(at.minute),
        u32::from(at.second),
    );
    Moment::from_parts(date, time, 0)
}

/// What a file says about itself; empty for compressed ones.
pub fn facts_of(path: &Path) -> io::Result<StreamFacts> {
    let mut check = StreamCheck::new(SumPolicy::Ignore);
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => {
                let fed = check.feed(&buffer[..read]);
                if fed.is_err() {
                    break;
                }
            }
        }
    }
    Ok(check.facts().clone())
}

/// Gives a database the identity that its real backup file tells of.
pub fn adopt_identity(database: &mut Database, path: &Path) -> io::Result<()> {
    let facts = facts_of(path)
        .map_err(|fault| io::Error::new(fault.kind(), format!("{}: {fault}", path.display())))?;
    let Some(set) = facts.sets.first() else {
        return Ok(());
    };
    database.family_guid = set.family_guid;
    database.database_guid = set.binding_guid;
    database.fork_guid = set.fork_guid;
    database.first_fork_guid = match set.first_fork_guid {
        nil if nil.is_nil() => set.fork_guid,
        other => other,
    };
    database.log_end = from_lsn(set.lsns.last);
    if let Some(created) = from_stream(set.created) {
        database.created = created;
    }
    Ok(())
}
