//! `twinset media verify`.

mod estimate;

use twinset_domain::append::Tail;
use twinset_domain::{Exit, Fault, Position, code};
use twinset_format::sign::PublicKey;

use super::args::VerifyArgs;
use super::context::{Context, patience, target_of};
use super::{interrupt, key};
use crate::backup::desk::Target;
use crate::clock;
use crate::media::holds::Hold;
use crate::media::matrix::Matrix;
use crate::media::verify::{self, Lost, Proof, Report, Wanted, Watch};
use crate::report::{Output, Progress, bytes};
use crate::restore::open::OpenSet;
use crate::restore::prove::{self, Proved};
use estimate::Estimate;

/// Progress of a verify pass.
struct Advance<'a>(&'a dyn Progress);

impl Watch for Advance<'_> {
    fn advance(&self, bytes: u64) {
        self.0.advance(bytes);
    }
}

/// Reads every byte of every mirror.
pub(super) fn verify_set(
    context: &Context,
    args: &VerifyArgs,
    output: &Output,
) -> Result<Exit, Fault> {
    let (set, target) = target_of(context, &args.set)?;
    let only = args.position;
    let given = args.public_key.iter().map(|key| key::public_key(key));
    let given = given.collect::<Result<Vec<PublicKey>, Fault>>()?;
    let opened = context.open_set(&target)?;
    let _hold = Hold::take(&opened.matrix, context.state.agent, clock::now);
    if let Some(wanted) = only
        && opened.sets.iter().all(|set| set.position != wanted)
    {
        let message = format!("no backup set at position {wanted}");
        return Err(
            Fault::new(code::SET_MISSING, target.key, message).remedy("look: twinset media show")
        );
    }
    let encoded = match args.decode {
        true => prove::encoded(&opened, only),
        false => Vec::new(),
    };
    prove::keys(&opened, &encoded)?;
    let estimate = Estimate::of(&opened, args, set.egress_price.as_deref());
    estimate.tell(&target.key, output);
    if args.dry_run {
        return Ok(output.finish(Ok((Exit::Done, estimate))));
    }
    let progress = output.progress();
    opened.matrix.wait_with(&patience(output));
    let total = estimate.total();
    progress.begin(&format!("verify {}", target.key), Some(total));
    let watch = Advance(&*progress);
    let stop = interrupt::flag();
    let proof = proof(context, given, args.expect_tail.clone(), &opened.matrix);
    let wanted = Wanted {
        only,
        quick: args.quick,
    };
    let report = verify::verify(&opened.matrix, &opened.sets, wanted, &proof, &watch, stop);
    progress.end();
    if stop.load(std::sync::atomic::Ordering::Relaxed) {
        return Err(
            Fault::new(code::CANCELLED, target.key, "stopped by the operator")
                .remedy("nothing was changed; start it again when it suits"),
        );
    }
    let mut report = report;
    if args.decode {
        let proved = proved(&opened, &encoded, &target.key, &*progress)?;
        report.decoded = Some(proved.decoded);
        report.undecodable = proved.undecodable;
    }
    report.behind = behind_catalog(context, &target, &opened.matrix)?;
    Ok(tell_report(&target.key, report, output))
}

/// Decodes every encoded set once, from whichever mirror is sound.
fn proved(
    opened: &OpenSet,
    encoded: &[Position],
    key: &str,
    progress: &dyn Progress,
) -> Result<Proved, Fault> {
    let total = encoded
        .iter()
        .filter_map(|position| opened.sets.iter().find(|set| set.position == *position))
        .flat_map(|set| set.manifests.values())
        .map(|manifest| manifest.facts.plain_length)
        .sum();
    progress.begin(&format!("decode {key}"), Some(total));
    let proved = prove::decode(opened, encoded, progress, interrupt::flag());
    progress.end();
    proved
}

/// What documents are held against: the keys given; without any, our own key's public half where
/// the media are ours.
fn proof(context: &Context, given: Vec<PublicKey>, tail: Option<Tail>, matrix: &Matrix) -> Proof {
    let required = !given.is_empty();
    let mut keys = given;
    let ours = matrix
        .any_header()
        .is_some_and(|header| header.agent == context.state.agent);
    // A key that cannot be read keeps nobody from verifying; the signatures must still be good.
    if let Ok(Some(signer)) = context.state.signer()
        && ours
        && !required
    {
        keys.push(signer.public());
    }
    Proof {
        keys,
        required,
        tail,
    }
}

/// The media may agree with each other and still lack what the catalog saw last: a set that was
/// removed from every mirror leaves no other trace.
fn behind_catalog(
    context: &Context,
    target: &Target,
    matrix: &Matrix,
) -> Result<Option<String>, Fault> {
    let known = context
        .catalog
        .media_set(&target.key)?
        .map_or(0, |known| known.sequence);
    let found = matrix.newest_tail().map_or(0, |tail| tail.sequence);
    Ok((known > found).then(|| {
        format!("the media end at record {found}, the catalog knows record {known}: sets were removed, or older volumes were put back")
    }))
}

fn tell_report(key: &str, report: Report, output: &Output) -> Exit {
    for note in &report.notes {
        output.line(format!("note {note}"));
    }
    for damage in &report.damage {
        output.line(format!("damaged {damage}"));
    }
    for finding in &report.history {
        output.line(format!("history {finding}"));
    }
    for undecodable in &report.undecodable {
        output.line(format!("undecodable {undecodable}"));
    }
    if let Some(decoded) = report.decoded {
        output.line(format!("decoded {decoded} encoded sets"));
    }
    if let Some(behind) = &report.behind {
        output.line(format!("behind {behind}"));
    }
    for (lost, last) in ranges(&report.lost) {
        let chunks = if lost.chunk == last {
            format!("chunk {last}")
        } else {
            format!("chunks {} to {last}", lost.chunk)
        };
        output.line(format!(
            "lost position {}, family {}, {chunks}: damaged on every mirror",
            lost.position, lost.family
        ));
    }
    let read = match report.by_checksum {
        0 => format!("{} read", bytes(report.bytes)),
        told => format!(
            "{} read, {} told by stored checksums",
            bytes(report.bytes),
            bytes(told)
        ),
    };
    let (sets, volumes) = (report.sets, report.volumes);
    let whole = report.damage.is_empty() && report.behind.is_none();
    let readable = report.lost.is_empty() && report.undecodable.is_empty();
    let exit = match (readable && report.history.is_empty(), whole) {
        (false, _) => Exit::Lost,
        (true, false) => Exit::Degraded,
        (true, true) => Exit::Done,
    };
    output.line(match exit {
        Exit::Done => format!("{key}: sound, {sets} sets on {volumes} volumes, {read}"),
        Exit::Degraded => format!(
            "{key}: {} damaged places, everything is still readable, {read}",
            report.damage.len()
        ),
        _ if !report.lost.is_empty() => format!(
            "{key}: {} chunks are lost on every mirror",
            report.lost.len()
        ),
        _ if !report.undecodable.is_empty() => {
            format!("{key}: {} sets do not decode", report.undecodable.len())
        }
        _ => format!(
            "{key}: the history of the media set is broken in {} places",
            report.history.len()
        ),
    });
    output.finish(Ok((exit, report)))
}

/// Runs of lost chunks, each with its last chunk: a lost terabyte is one line.
fn ranges(lost: &[Lost]) -> Vec<(Lost, u64)> {
    let mut ranges: Vec<(Lost, u64)> = Vec::new();
    for lost in lost {
        match ranges.last_mut() {
            Some((first, last))
                if (first.position, first.family, *last + 1)
                    == (lost.position, lost.family, lost.chunk) =>
            {
                *last += 1;
            }
            _ => ranges.push((lost.clone(), lost.chunk)),
        }
    }
    ranges
}
