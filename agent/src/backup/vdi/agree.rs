//! Do our counters, the stream's own facts and msdb say the same? Each contradiction in words.

use twinset_format::mtf::{Container, SetFacts};
use uuid::Uuid;

use crate::media::writer::Sealed;
use crate::sqlserver::history::MsdbSet;

/// What the stream tells of its set; nothing where SQL Server compressed or encrypted it.
pub(super) fn stream_facts(sealed: &[Sealed]) -> Option<&SetFacts> {
    sealed.first()?.stream.sets.first()
}

/// Streams that show their facts must be whole, and agree with each other and with msdb.
pub(in crate::backup) fn contradictions(sealed: &[Sealed], found: Option<&MsdbSet>) -> Vec<String> {
    let mut all = Vec::new();
    for family in sealed {
        if family.stream.container == Container::Mtf && !family.stream.complete {
            all.push(format!("the stream of {} is not whole", family.family));
        }
    }
    let Some(first) = stream_facts(sealed) else {
        return all;
    };
    let facts = |set: &SetFacts| (set.set, set.first_lsn, set.last_lsn);
    let others = sealed.iter().filter_map(|family| {
        let set = family.stream.sets.first()?;
        (facts(set) != facts(first)).then_some(family.family)
    });
    all.extend(others.map(|family| format!("{family} tells of another set than family 1")));
    let Some(found) = found else { return all };
    let rows = [
        ("set", text(first.set), text(Some(found.backup_set_uuid))),
        ("first LSN", text(first.first_lsn), text(found.first_lsn)),
        ("last LSN", text(first.last_lsn), text(found.last_lsn)),
        (
            "checkpoint",
            text(first.checkpoint_lsn),
            text(found.checkpoint_lsn),
        ),
        (
            "database family",
            text(first.family_guid),
            text(found.family_guid),
        ),
        (
            "recovery fork",
            text(first.recovery_fork),
            text(found.last_recovery_fork_guid),
        ),
        (
            "kind",
            first.letter.map(String::from),
            Some(found.kind.clone()).filter(|kind| !kind.is_empty()),
        ),
    ];
    for (what, stream, msdb) in rows {
        if let (Some(stream), Some(msdb)) = (stream, msdb)
            && stream != msdb
        {
            all.push(format!(
                "{what}: the stream says {stream}, msdb says {msdb}"
            ));
        }
    }
    let media = sealed
        .first()
        .and_then(|family| family.stream.media.as_ref());
    let media = media.map(|media| media.media_set);
    if let (Some(stream), Some(msdb)) = (media, found.media_uuid)
        && stream != msdb
    {
        all.push(format!(
            "media set: the stream says {stream}, msdb says {msdb}"
        ));
    }
    all
}

fn text(value: Option<impl ToString>) -> Option<String> {
    value.map(|value| value.to_string())
}

/// The differential base, compared again: a full of somebody else may have come between the look
/// and the backup.
pub(in crate::backup) fn other_base(
    sealed: &[Sealed],
    found: Option<&MsdbSet>,
    wanted: Option<Uuid>,
) -> Option<String> {
    let wanted = wanted?;
    let stream = stream_facts(sealed).and_then(|set| set.differential_base);
    let taken = stream.or(found.and_then(|found| found.differential_base_guid))?;
    (taken != wanted).then(|| {
        format!(
            "it stands on the full {taken}, and {wanted} was looked at: another one came between"
        )
    })
}

/// msdb must name the virtual devices of this run, each as the family that it was.
pub(super) fn other_devices(set_name: &str, found: &MsdbSet) -> Option<String> {
    let wrong = found.families.iter().find(|family| {
        let expected = match family.family {
            1 => set_name.to_owned(),
            n => format!("{set_name}-{}", n - 1),
        };
        family
            .device
            .as_ref()
            .is_some_and(|device| *device != expected)
    })?;
    let device = wrong.device.as_deref().unwrap_or_default();
    Some(format!(
        "msdb names {device} as the device of family {}",
        wrong.family
    ))
}
