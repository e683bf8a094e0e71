//! RESTORE of a whole chain through the virtual device interface, under a name that is free, or over
//! a database that may be replaced (P11).
//!
//! Every set is looked at before the first one is restored: keys, certificates and the list of
//! files. A set that turns out to be damaged on every mirror is gone around, where another chain
//! leads to the same point; then the chain begins anew, for SQL Server takes nothing behind a set
//! that broke off.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use twinset_domain::restore::{Goal, Place, Plan, Stop, Wanted, plan};
use twinset_domain::{Fault, Position, RunId, code};

use super::chain::{self, Chain};
use super::holdings::Holdings;
use super::open::DamageMap;
use super::replace::Replace;
use super::state::{self, Reached};
use super::stream::{Server, judged, transfer};
use super::target::{Lists, free_name, named, placed};
use crate::media::encoding::decoder::PlainReader;
use crate::report::Progress;
use crate::sqlserver::facts::{self, ListedFile};
use crate::sqlserver::orphans;
use crate::sqlserver::statement::{Move, file_list_sql};
use crate::sqlserver::vdi::VdiLibrary;
use crate::sqlserver::{Connector, InstanceSettings, Purpose, Session};

/// What is to be restored, and where to.
pub struct Order<'a> {
    /// What is wanted.
    pub wanted: &'a Wanted,
    /// The instance that takes it.
    pub settings: &'a InstanceSettings,
    /// Name of the restored database.
    pub name: &'a str,
    /// Folder for its files, as SQL Server sees it.
    pub data_dir: Option<&'a str>,
    /// Places of single files, by logical name.
    pub moves: &'a [Move],
    /// Leave it RESTORING: more will be rolled forward.
    pub norecovery: bool,
    /// Over the database of that name, if it is there.
    pub replace: Option<Replace>,
    /// The group, for messages.
    pub group: &'a str,
}

/// What was restored.
#[derive(Debug, Serialize)]
pub struct Restored {
    /// Name of the restored database.
    pub database: String,
    /// Instance.
    pub instance: String,
    /// Position of the last set.
    pub position: Position,
    /// Every set, in order.
    pub sets: Vec<Place>,
    /// Bytes that SQL Server read.
    pub bytes: u64,
    /// Where its files went.
    pub files: Vec<(String, String)>,
    /// What was damaged, and where it was taken from.
    pub map: DamageMap,
    /// Sets that turned out to be unreadable and were gone around.
    pub detours: Vec<Place>,
    /// `ONLINE`, or `RESTORING` when it was asked so.
    pub state: String,
}

/// A set that ended a chain, and why.
pub(super) struct Broken {
    pub(super) place: Place,
    pub(super) fault: Box<Fault>,
}

impl Broken {
    fn at(place: &Place, fault: Fault) -> Self {
        Self {
            place: place.clone(),
            fault: Box::new(fault),
        }
    }
}

/// Restores.
///
/// # Errors
/// 3141 when the name is taken, 3104 when it is in a mirroring session, [`code::LOST`] when no
/// mirror has a chunk and no other chain leads there, SQL Server's own, and what planning refuses.
/// Each says how the database stands and how to go on.
pub fn restore(
    holdings: &Holdings,
    order: &Order<'_>,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Restored, Fault> {
    usable(order.norecovery, &order.wanted.goal)?;
    named(order.name)?;
    let first = plan(order.wanted, &holdings.candidates)?;
    whole_sets(holdings, &first)?;
    let library = VdiLibrary::load(&order.settings.vdi_library)?;
    let run = RunId::random().to_string();
    let connector = Connector::new(order.settings.clone(), &run);
    let mut control = connector.open(Purpose::Control)?;
    for orphan in orphans::sweep(&connector, &mut control)? {
        progress.note(&orphan.told);
    }
    free_name(&mut control, holdings, order, &first)?;
    let server = Server {
        library: &library,
        settings: order.settings,
        progress,
        stop,
    };
    let mut wanted = order.wanted.clone();
    let mut restored = begun(order);
    let mut next = first;
    loop {
        let mut reached = Reached {
            set: None,
            sets: next.steps.len(),
        };
        let outcome = follow(
            holdings,
            order,
            &next,
            &server,
            &mut control,
            &mut restored,
            &mut reached,
        );
        progress.end();
        let Err(broken) = outcome else {
            return Ok(restored);
        };
        let unreadable = [code::LOST, code::UNDECODABLE].contains(&broken.fault.code);
        if unreadable && !stop.load(Ordering::Relaxed) {
            wanted.lost.push(broken.place.clone());
            if let Ok(around) = plan(&wanted, &holdings.candidates)
                && whole_sets(holdings, &around).is_ok()
            {
                progress.note(&format!(
                    "{}: {}",
                    broken.fault.object, broken.fault.message
                ));
                progress.note("goes around it, from the first set again");
                restored.detours.push(broken.place);
                next = around;
                continue;
            }
        }
        return Err(state::told(broken, order, &reached, &mut control, stop));
    }
}

fn begun(order: &Order<'_>) -> Restored {
    Restored {
        database: order.name.to_owned(),
        instance: order.settings.name.clone(),
        position: Position::FIRST,
        sets: Vec::new(),
        bytes: 0,
        files: Vec::new(),
        map: DamageMap::default(),
        detours: Vec::new(),
        state: String::new(),
    }
}

/// What does not go together, whatever the media hold.
///
/// # Errors
/// [`code::USAGE`].
pub fn usable(norecovery: bool, goal: &Goal) -> Result<(), Fault> {
    if norecovery && matches!(goal, Goal::Mark(_)) {
        let message = "whether a mark was found shows only when the database is opened";
        return Err(Fault::new(code::USAGE, "--norecovery", message)
            .remedy("leave it out, or name a time or an LSN"));
    }
    Ok(())
}

/// Virtual devices give one set of SQL Server; a file with several cannot be told which.
pub(super) fn whole_sets(holdings: &Holdings, plan: &Plan) -> Result<(), Fault> {
    for step in &plan.steps {
        let sets = holdings.facts(&step.set.place)?.sets.len();
        if sets > 1 {
            let message = format!("it holds {sets} backup sets of SQL Server");
            return Err(
                Fault::new(code::SET_TYPE, step.set.place.to_string(), message)
                    .remedy("export it and restore the one you want with FILE = n"),
            );
        }
    }
    Ok(())
}

/// Restores one chain from its first set to its last.
fn follow(
    holdings: &Holdings,
    order: &Order<'_>,
    plan: &Plan,
    server: &Server<'_>,
    control: &mut Session,
    restored: &mut Restored,
    reached: &mut Reached,
) -> Result<(), Broken> {
    restored.sets.clear();
    let (moves, bytes) = look(holdings, order, plan, server, control)?;
    let chain = Chain {
        plan,
        name: order.name,
        norecovery: order.norecovery,
        replace: order.replace == Some(Replace::GivenUp),
        moves: &moves,
    };
    let what = format!("restore {} as {}", plan.database, order.name);
    server.progress.begin(&what, Some(bytes));
    for (number, step) in plan.steps.iter().enumerate() {
        let place = &step.set.place;
        if plan.steps.len() > 1 {
            let text = format!(
                "set {} of {}: {}",
                number + 1,
                plan.steps.len(),
                step.set.named()
            );
            server.progress.note(&text);
        }
        let broken = |fault| Broken::at(place, fault);
        let streamed = one(holdings, &chain, number, server, control).map_err(broken)?;
        restored.bytes += streamed.1;
        restored.map.join(streamed.0);
        restored.sets.push(place.clone());
        restored.position = place.position;
        reached.set = Some(step.set.clone());
        if matches!(plan.stop, Some(Stop::Mark { .. }))
            && state::of(control, order.name).as_deref() == Some("ONLINE")
        {
            break;
        }
    }
    restored.files = moves
        .into_iter()
        .flatten()
        .map(|m| (m.logical, m.to))
        .collect();
    let ended = state::ended(control, order, plan);
    restored.state = ended.map_err(|fault| match plan.steps.last() {
        Some(step) => Broken::at(&step.set.place, fault),
        None => Broken::at(&nowhere(order), fault),
    })?;
    Ok(())
}

/// A chain always has a set; this names the goal should it have none.
fn nowhere(order: &Order<'_>) -> Place {
    Place {
        media_set: order.wanted.database.clone(),
        position: Position::FIRST,
    }
}

/// Looks at every set before the first is restored. Gives the places of the files that each brings,
/// and the bytes that SQL Server will read.
pub(super) fn look(
    holdings: &Holdings,
    order: &Order<'_>,
    plan: &Plan,
    server: &Server<'_>,
    control: &mut Session,
) -> Result<(Vec<Vec<Move>>, u64), Broken> {
    server.progress.note("read the list of database files");
    let (mut lists, mut bytes) = (Lists::new(), 0);
    for step in &plan.steps {
        let place = &step.set.place;
        let looked = file_list(holdings, order, place, server, control);
        let (list, length) = looked.map_err(|fault| Broken::at(place, fault))?;
        lists.push(list);
        bytes += length;
    }
    let moves = placed(control, order, &lists);
    let moves = moves.map_err(|fault| match plan.steps.first() {
        Some(step) => Broken::at(&step.set.place, fault),
        None => Broken::at(&nowhere(order), fault),
    })?;
    Ok((moves, bytes))
}

fn file_list(
    holdings: &Holdings,
    order: &Order<'_>,
    place: &Place,
    server: &Server<'_>,
    control: &mut Session,
) -> Result<(Vec<ListedFile>, u64), Fault> {
    let readers = holdings.readers(place)?;
    let bytes = readers.iter().map(PlainReader::length).sum();
    let transfer = transfer(holdings.facts(place)?);
    let statement = |devices: Vec<_>| file_list_sql(&devices, transfer);
    let streamed = server.stream(readers, false, &statement, control);
    let rows = judged(streamed, &object(order, place))?.rows;
    let rows = rows.ok_or_else(|| {
        let message = "no list of database files came";
        Fault::new(code::SQL_ERROR, &order.settings.name, message)
            .remedy("see SQL Server's error log")
    })?;
    Ok((facts::file_list(&rows)?, bytes))
}

fn object(order: &Order<'_>, place: &Place) -> String {
    format!("database {}, {place}", order.name)
}

/// Restores one set of a chain.
fn one(
    holdings: &Holdings,
    chain: &Chain<'_>,
    number: usize,
    server: &Server<'_>,
    control: &mut Session,
) -> Result<(DamageMap, u64), Fault> {
    let Some(step) = chain.plan.steps.get(number) else {
        return Ok((DamageMap::default(), 0));
    };
    let place = &step.set.place;
    let readers = holdings.readers(place)?;
    let facts = holdings.facts(place)?;
    let statement = |devices: Vec<_>| chain::statement(chain, number, devices, facts).to_sql();
    let streamed = server.stream(readers, true, &statement, control);
    let read = streamed.devices.iter().map(|device| device.bytes).sum();
    let object = format!("database {}, {}", chain.name, step.set.named());
    judged(streamed, &object).map(|streamed| (streamed.map, read))
}
