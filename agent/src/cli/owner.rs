//! `twinset media adopt` and `twinset media drop-mirror`.

use twinset_domain::{Exit, Fault, MirrorNo, code};

use super::args::{AdoptArgs, DropMirrorArgs};
use super::context::{Context, desk, target_of};
use crate::backup::owner;
use crate::report::Output;

/// Closes a media set whose host is lost.
pub(super) fn adopt(
    context: &mut Context,
    args: &AdoptArgs,
    output: &Output,
) -> Result<Exit, Fault> {
    let (_, target) = target_of(context, &args.set)?;
    let progress = output.progress();
    let closed = owner::close(&mut desk(context, &*progress), &target, args.yes)?;
    let (key, plan) = (&target.key, &closed.plan);
    let writer = format!("{} ({})", closed.writer_name, plan.writer);
    output.line(format!("media set {key}: {}", plan.media_set));
    output.line(if closed.own {
        format!("written by this agent, {writer}")
    } else {
        format!("written by agent {writer}, which loses it for good")
    });
    for absent in &plan.absent {
        output.line(format!(
            "{absent} does not answer; it is closed by its twins when it returns"
        ));
    }
    if plan.branches.len() > 1 {
        output.line(format!(
            "its mirrors tell {} histories; each of them is closed as it is",
            plan.branches.len()
        ));
    }
    if plan.branches.is_empty() && plan.copies.is_empty() {
        output.line("closed already");
    } else if closed.done {
        output.line(format!(
            "closed; read and repair it from here; for new backups: twinset media format {key}"
        ));
    } else {
        let message = format!("agent {writer} would lose the media set for good");
        return Err(
            Fault::new(code::CONFIRM, format!("media set {key}"), message)
                .remedy("make sure that its host is gone; then add --yes"),
        );
    }
    Ok(output.finish(Ok((Exit::Done, closed))))
}

/// Gives a mirror up.
pub(super) fn drop_mirror(
    context: &mut Context,
    args: &DropMirrorArgs,
    output: &Output,
) -> Result<Exit, Fault> {
    let (_, target) = target_of(context, &args.set)?;
    let mirror = MirrorNo(args.mirror);
    let progress = output.progress();
    let mut desk = desk(context, &*progress);
    let dropped = owner::drop_mirror(&mut desk, &target, mirror, args.yes)?;
    let left: Vec<String> = dropped.plan.left.iter().map(ToString::to_string).collect();
    let (key, left) = (&target.key, left.join(", "));
    if !dropped.done {
        let message = format!("{mirror} would be given up for good; {left} would be left");
        return Err(
            Fault::new(code::CONFIRM, format!("media set {key}"), message)
                .remedy("a dropped mirror never comes back into this media set; if that is wanted, add --yes"),
        );
    }
    output.line(format!("media set {key}: {mirror} is dropped, {left} left"));
    Ok(output.finish(Ok((Exit::Done, dropped))))
}
