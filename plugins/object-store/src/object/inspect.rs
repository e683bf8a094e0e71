//! A section as the store describes it, without reading its bytes.

use twinset_plugin_api::{Checked, DeviceError, Inspection, Outcome};

use super::bucket::Bucket;
use super::errors::missing;
use super::listing;
use super::look::Seen;
use super::names;
use super::retain::shown;
use super::seal::Piece;

/// Compares what the store keeps of a section with what was noted when it was written, and looks
/// how long it is locked.
pub(crate) async fn inspect(
    bucket: &Bucket,
    volume: &str,
    index: u64,
) -> Result<Inspection, DeviceError> {
    let absent = || missing(&format!("section {index}"));
    let key = format!("{volume}/{}", names::seal(index));
    let of_seal = bucket.look(&key).await?.ok_or_else(absent)?;
    let seal = listing::seal(bucket, volume, index).await?;
    let seal = seal.ok_or_else(absent)?;
    let folder = format!("{volume}/{}", seal.attempt.folder());
    let (mut checked, mut until) = (Checked::Sound, of_seal.locked_until);
    for piece in &seal.pieces {
        let seen = bucket.look(&format!("{folder}/{}", piece.name)).await?;
        until = until.max(seen.as_ref().and_then(|seen| seen.locked_until));
        checked = match (checked, compare(piece, seen.as_ref())) {
            (Checked::Sound, now) => now,
            (Checked::Not, now @ Checked::Differs(_)) => now,
            (before, _) => before,
        };
    }
    Ok(Inspection {
        checked,
        locked_until: until.map(|second| second.saturating_mul(1000)),
    })
}

fn compare(piece: &Piece, seen: Option<&Seen>) -> Checked {
    let name = &piece.name;
    let Some(seen) = seen else {
        return Checked::Differs(format!("{name} is not there"));
    };
    if seen.length != piece.length {
        let (found, written) = (seen.length, piece.length);
        return Checked::Differs(format!("{name} has {found} bytes, {written} were written"));
    }
    let unlike = |what: &str, noted: &Option<String>, found: &Option<String>| {
        let (noted, found) = (noted.as_ref()?, found.as_ref()?);
        let text = format!("the {what} of {name} is {found}, {noted} was written");
        Some((noted != found).then_some(text))
    };
    let told = [
        unlike("checksum", &piece.sum, &seen.sum),
        unlike("tag", &piece.tag, &seen.tag),
    ];
    let mut compared = told.into_iter().flatten();
    match compared.next() {
        None => Checked::Not,
        Some(Some(text)) => Checked::Differs(text),
        Some(None) => compared
            .flatten()
            .next()
            .map_or(Checked::Sound, Checked::Differs),
    }
}

/// What stays of a section that is removed now, in words: where objects are locked, a removal hides
/// them, and they stay as old versions until their day. Who decides about removal asks before.
pub(crate) async fn remaining(
    bucket: &Bucket,
    volume: &str,
    index: u64,
    now_ms: i64,
) -> Result<Option<String>, DeviceError> {
    // What cannot be described can still be removed: a damaged seal has no objects to ask for.
    let until = match inspect(bucket, volume, index).await {
        Ok(told) => told.locked_until,
        Err(error) if error.outcome == Outcome::PERMANENT => None,
        Err(error) => return Err(error),
    };
    Ok(until.filter(|until| *until > now_ms).map(|until| {
        let until = match until {
            i64::MAX => until,
            other => other / 1000,
        };
        format!(
            "section {index} is locked: what is removed of it stays as old versions until {}",
            shown(until)
        )
    }))
}
