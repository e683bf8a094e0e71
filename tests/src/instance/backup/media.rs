//! What lies on the files already, and whether BACKUP may write there (facts: sqlserver.md 3.1,
//! "When media gets formatted").

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::source::from_stream;
use crate::instance::moment::Moment;
use crate::instance::query::unsupported;
use crate::instance::session::Session;
use crate::instance::transfer::messages::numbered;
use crate::instance::transfer::{DeviceKind, Plan};
use crate::stream::{Behind, Spec, StreamCheck, StreamFacts, StreamFault, SumPolicy};
use crate::tds::tokens::ServerMessage;

/// Bytes read at a time.
const STEP: usize = 1 << 20;

/// A medium that keeps its header: the new set goes behind what stays.
pub struct Found {
    /// A checker that was fed with everything that stays.
    pub check: StreamCheck,
    /// Where the set begins, and what it says of those before it.
    pub behind: Behind,
    /// Bytes of the file that stay.
    pub kept: u64,
    /// Position of the new set.
    position: u16,
}

impl Found {
    /// What the medium fixed when it was formatted.
    pub fn continues(&self, spec: &mut Spec) {
        let facts = self.check.facts();
        spec.media_set_guid = facts.media_set_guid;
        spec.media_name.clone_from(&facts.media_name);
        spec.mirrors = facts.mirrors;
        spec.block_size = facts.block_size;
        spec.position = self.position;
    }
}

/// What a file that is not empty holds.
struct Look {
    check: StreamCheck,
    fault: Option<StreamFault>,
    digest: [u8; 32],
    /// Bytes of a container's head.
    head: u64,
}

/// Refuses to write over or behind what lies there, and tells of each device what of it stays.
/// `None` = the medium is written anew.
pub fn before_write(
    session: &Session,
    plan: &Plan,
    folder: &Path,
) -> Result<Vec<Option<Found>>, ServerMessage> {
    let anew = || plan.devices.iter().map(|_| None).collect();
    if plan.kind != DeviceKind::Disk || plan.has("FORMAT") {
        return Ok(anew());
    }
    let mirrors = plan.mirrors.iter().map(|(names, _)| names);
    let lists: Vec<&Vec<String>> = std::iter::once(&plan.devices).chain(mirrors).collect();
    let mut looks = Vec::new();
    for name in lists.iter().copied().flatten() {
        looks.push(match look(&folder.join(name)) {
            // Where sets shall be overwritten, no header is as good as none of ours.
            Err(_) if plan.has("INIT") => None,
            Err(number) => return Err(numbered(number, name)),
            Ok(look) => look,
        });
    }
    if looks.iter().all(Option::is_none) {
        return match plan.mirrors.is_empty() {
            true => Ok(anew()),
            false => Err(numbered(3215, "")),
        };
    }
    let mut first: Vec<Look> = Vec::new();
    for (at, (name, look)) in lists.iter().copied().flatten().zip(looks).enumerate() {
        let Some(look) = look else {
            return Err(numbered(3254, name));
        };
        let family = at % plan.devices.len();
        header(session, plan, (name, family), &look)?;
        let media = look.check.facts().media_set_guid;
        if first
            .first()
            .is_some_and(|one| one.check.facts().media_set_guid != media)
        {
            return Err(numbered(3258, name));
        }
        match first.get(family) {
            None => first.push(look),
            Some(twin) if twin.digest != look.digest => return Err(numbered(3210, name)),
            Some(_) => {}
        }
    }
    let found = first.into_iter().zip(&plan.devices);
    found
        .map(|(look, name)| kept(plan, &folder.join(name), look).map(Some))
        .map(|found| found.map_err(unsupported))
        .collect()
}

/// Everything that a file holds: nothing for absent and empty ones, a number for foreign ones.
fn look(path: &Path) -> Result<Option<Look>, i32> {
    let Ok(file) = File::open(path) else {
        return Ok(None);
    };
    let mut check = StreamCheck::new(SumPolicy::Ignore);
    let length = file.metadata().map_or(0, |facts| facts.len());
    let fault = feed(file, length, &mut check).map_err(|_| 3241)?;
    let facts = check.facts();
    if facts.length == 0 {
        return Ok(None);
    }
    // Whose a container is cannot be told: only FORMAT takes it.
    if facts.is_opaque {
        return Err(3241);
    }
    if facts.families == 0 {
        let number = fault.map_or(3241, |fault| fault.number);
        return Err(i32::try_from(number).unwrap_or(3241));
    }
    let head = check.container().map_or(0, |container| container.head);
    Ok(Some(Look {
        digest: check.digest(),
        head: u64::from(head),
        check,
        fault,
    }))
}

/// Feeds the first `length` bytes of a file.
fn feed(file: File, length: u64, check: &mut StreamCheck) -> io::Result<Option<StreamFault>> {
    let (mut rest, mut buffer) = (file.take(length), vec![0; STEP]);
    loop {
        match rest.read(&mut buffer)? {
            0 => return Ok(None),
            read => {
                if let Err(fault) = check.feed(&buffer[..read]) {
                    return Ok(Some(fault));
                }
            }
        }
    }
}

/// What stays of a medium: all sets, or its header alone.
fn kept(plan: &Plan, path: &Path, look: Look) -> io::Result<Found> {
    let over = plan.has("INIT");
    let behind = look.check.behind(over);
    let kept = look.head + behind.at;
    let check = match over {
        false => look.check,
        true => {
            let mut check = StreamCheck::new(SumPolicy::Ignore);
            feed(File::open(path)?, kept, &mut check)?;
            check
        }
    };
    let position = check.facts().sets.last().map_or(0, |last| last.position) + 1;
    Ok(Found {
        check,
        behind,
        kept,
        position,
    })
}

/// Whether a set may go there, in the order 3231, 3240, 3133, 3098, 4037, 4030, 3266.
fn header(
    session: &Session,
    plan: &Plan,
    (name, family): (&str, usize),
    look: &Look,
) -> Result<(), ServerMessage> {
    let facts = look.check.facts();
    let refuse = |number| Err(numbered(number, name));
    let (families, given) = (usize::from(facts.families), plan.devices.len());
    if families < given {
        return refuse(3231);
    }
    if families > given {
        return refuse(3132);
    }
    let mirrors = plan.mirrors.len() + 1;
    if usize::from(facts.mirrors) > mirrors {
        return refuse(3240);
    }
    if usize::from(facts.mirrors) < mirrors {
        return refuse(3215);
    }
    if usize::from(facts.family) != family + 1 {
        return refuse(3133);
    }
    mixes(plan, name, facts)?;
    let skip = plan.has("SKIP");
    let wanted = plan.text("MEDIANAME");
    if !skip && wanted.is_some_and(|wanted| !wanted.eq_ignore_ascii_case(&facts.media_name)) {
        return refuse(4037);
    }
    if plan.has("INIT") {
        return if skip {
            Ok(())
        } else {
            overwrites(session, plan, name, facts)
        };
    }
    // Behind a set that was cut off nothing is appended.
    if look.fault.is_some() || !look.check.is_at_end_of_set() {
        return refuse(3266);
    }
    Ok(())
}

/// A medium holds either plain, or compressed, or encrypted sets, of one block size.
fn mixes(plan: &Plan, name: &str, facts: &StreamFacts) -> Result<(), ServerMessage> {
    if plan.has("ENCRYPTION") || facts.certificate.is_some() {
        return Err(numbered(3095, name));
    }
    // What says nothing is stored as the others are.
    let wanted = match (plan.has("COMPRESSION"), plan.has("NO_COMPRESSION")) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    if wanted.is_some_and(|wanted| wanted != facts.is_compressed) {
        return Err(numbered(3098, name));
    }
    let block = plan.number("BLOCKSIZE");
    if block.is_some_and(|block| block != u64::from(facts.block_size)) {
        return Err(numbered(3268, name));
    }
    Ok(())
}

/// INIT without SKIP: no set that has not expired, none of another name.
fn overwrites(
    session: &Session,
    plan: &Plan,
    name: &str,
    facts: &StreamFacts,
) -> Result<(), ServerMessage> {
    let now: Moment = session.instance.clock.now();
    let later = |at| from_stream(at).is_some_and(|at| at > now);
    if facts.sets.iter().any(|set| later(set.expires)) {
        return Err(numbered(4030, name));
    }
    let wanted = plan.text("NAME");
    let other = |wanted: &String| facts.sets.iter().any(|set| set.name != *wanted);
    if wanted.as_ref().is_some_and(other) {
        // SQL Server's number for it is not known.
        return Err(unsupported("INIT over a set of another NAME without SKIP"));
    }
    Ok(())
}
