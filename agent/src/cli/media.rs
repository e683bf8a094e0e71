//! `twinset media`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use twinset_domain::append;
use twinset_domain::append::Tail;
use twinset_domain::{Exit, Fault, MediaSetId, Position, code};
use twinset_format::card::Card;

use super::args::{MediaVerb, SetArgs};
use super::context::{Context, desk, patience, target_of};
use super::format::{self, Wish};
use super::show::{self, VolumeLine};
use super::{backup, interrupt, owner, recover, repair, retention, spool, verify};
use crate::backup::finished::Finished;
use crate::backup::import;
use crate::backup::repair::after_run;
use crate::clock;
use crate::config::Repair;
use crate::media::holds::Hold;
use crate::media::inventory::{SetLine, SetOnMedia};
use crate::report::Output;
use crate::restore::export;

/// Runs one of the verbs.
pub(super) fn media(
    context: &mut Context,
    verb: MediaVerb,
    output: &Output,
) -> Result<Exit, Fault> {
    match verb {
        MediaVerb::Format {
            set,
            if_needed,
            overwrite,
            destroy,
        } => {
            let wish = Wish {
                if_needed,
                overwrite,
                destroy,
            };
            format::format_set(context, &set, &wish, output)
        }
        MediaVerb::Show {
            set: Some(set),
            database,
            id,
            ..
        } => show_set(context, &SetArgs { set, database, id }, output),
        // One device alone was shown before anything was opened.
        MediaVerb::Show { .. } => Err(Fault::new(code::USAGE, "media show", "name a media set")),
        MediaVerb::Verify(args) => verify::verify_set(context, &args, output),
        MediaVerb::Import {
            set,
            database,
            files,
        } => import_files(context, &set, &database, &files, output),
        MediaVerb::Spool(args) => spool::spool(context, &args, output),
        MediaVerb::Export { set, position, to } => export_set(context, &set, position, &to, output),
        MediaVerb::PlanRetention {
            set,
            at,
            without_partner,
        } => {
            let wish = retention::Wish {
                without_partner,
                ..retention::Wish::default()
            };
            retention::plan(context, &set, wish, at, output)
        }
        MediaVerb::Expire(order) => {
            let wish = retention::Wish {
                without_partner: order.without_partner,
                yes: order.yes,
                now_is_right: order.now_is_right,
            };
            if order.dry_run {
                retention::dry_run(context, &order.set, wish, output)
            } else {
                retention::expire(context, &order.set, wish, output)
            }
        }
        MediaVerb::Repair {
            set,
            mirror,
            dry_run,
        } => repair::repair_set(context, &set, mirror, dry_run, output),
        MediaVerb::Recover { set, dry_run: true } => recover::recover_plan(context, &set, output),
        MediaVerb::Recover {
            set,
            dry_run: false,
        } => recover::recover_set(context, &set, output),
        MediaVerb::Adopt(args) => owner::adopt(context, &args, output),
        MediaVerb::DropMirror(args) => owner::drop_mirror(context, &args, output),
    }
}

#[derive(Serialize)]
struct Shown {
    media_set: Option<MediaSetId>,
    volumes: Vec<VolumeLine>,
    sets: Vec<SetLine>,
    /// The last record of the chain: keep it elsewhere, and `media verify --expect-tail` finds
    /// what was cut off since.
    tail: Option<Tail>,
}

fn show_set(context: &mut Context, args: &SetArgs, output: &Output) -> Result<Exit, Fault> {
    let (_, target) = target_of(context, args)?;
    let (opened, cards) = context.look_at(&target)?;
    if let Some(header) = opened.matrix.any_header() {
        show::print_header(header, output);
    }
    let seen = opened.matrix.seen();
    let volumes = show::volumes(
        &opened.matrix,
        &append::mirror_standings(target.shape, &seen),
        &opened.unread,
    );
    show::print_volumes(&volumes, output);
    let cards: BTreeMap<Position, &Card> = cards.iter().map(|card| (card.position, card)).collect();
    let line = |set: &SetOnMedia| match cards.get(&set.position) {
        Some(card) if set.manifests.is_empty() => set.line_by(card),
        _ => set.line(),
    };
    let sets: Vec<SetLine> = opened.sets.iter().map(line).collect();
    show::print_sets(&sets, volumes.len(), output);
    let tail = append::newest_tail(&seen);
    if let Some(tail) = &tail {
        output.line(format!("tail {}:{}", tail.sequence, tail.hash));
    }
    let exit = if opened.missing().is_empty() {
        Exit::Done
    } else {
        Exit::Degraded
    };
    let shown = Shown {
        media_set: opened.matrix.media_set,
        volumes,
        sets,
        tail,
    };
    Ok(output.finish(Ok((exit, shown))))
}

fn import_files(
    context: &mut Context,
    set: &str,
    database: &str,
    files: &[PathBuf],
    output: &Output,
) -> Result<Exit, Fault> {
    let (finished, degraded) = import_one(context, set, database, files, output)?;
    Ok(output.finish_both(Exit::Done, finished, &degraded))
}

/// Makes files a set and tells of it; gives what is thinner than configured.
pub(super) fn import_one(
    context: &mut Context,
    set: &str,
    database: &str,
    files: &[PathBuf],
    output: &Output,
) -> Result<(Finished, Vec<Fault>), Fault> {
    let args = SetArgs {
        set: set.to_owned(),
        database: Some(database.to_owned()),
        id: None,
    };
    let (media_set, target) = target_of(context, &args)?;
    let memory_limit = context.config.agent.memory_limit;
    let progress = output.progress();
    let order = import::Order {
        database,
        files,
        memory_limit,
    };
    let mut desk = desk(context, &*progress);
    let mut finished = import::import(&mut desk, &target, &order)?;
    let automatic = media_set.repair == Repair::Auto;
    after_run(&mut desk, &target, automatic, &mut finished);
    backup::tell(&finished, output);
    let degraded: Vec<Fault> = finished.degraded(set).into_iter().collect();
    Ok((finished, degraded))
}

fn export_set(
    context: &Context,
    args: &SetArgs,
    position: Position,
    to: &std::path::Path,
    output: &Output,
) -> Result<Exit, Fault> {
    let (_, target) = target_of(context, args)?;
    let opened = spool::open(context, &target, args.id)?;
    let _hold = Hold::take(&opened.matrix, context.state.agent, clock::now);
    opened.matrix.wait_with(&patience(output));
    let progress = output.progress();
    let folder = std::path::absolute(to).unwrap_or_else(|_| to.to_owned());
    let exported = export::export(&opened, position, &folder, &*progress, interrupt::flag())?;
    for damage in &exported.map.damage {
        output.line(format!("damaged {damage}: taken from its twin"));
    }
    for file in &exported.files {
        output.line(format!("wrote {}", file.display()));
    }
    output.line(format!("restore with: {}", exported.statement));
    let exit = if exported.map.damage.is_empty() {
        Exit::Done
    } else {
        Exit::Degraded
    };
    Ok(output.finish(Ok((exit, exported))))
}
