//! Sets and volumes as tables for people and as objects for programs.

use std::collections::BTreeMap;

use serde::Serialize;
use twinset_domain::recover::SetState;
use twinset_domain::standing::Standing;
use twinset_domain::{MirrorNo, Moment};
use twinset_format::header::MediaHeader;

use crate::media::inventory::{SetLine, Unread};
use crate::media::matrix::Matrix;
use crate::report::{Output, bytes, table, utc};

/// A volume.
#[derive(Serialize)]
pub(super) struct VolumeLine {
    device: String,
    mirror: u8,
    family: u16,
    state: String,
    header: Option<MediaHeader>,
}

/// Every place of a matrix.
pub(super) fn volumes(
    matrix: &Matrix,
    standings: &BTreeMap<MirrorNo, Standing>,
    unread: &[Unread],
) -> Vec<VolumeLine> {
    let line = |cell: &crate::media::matrix::Cell| {
        let mut state = match (&cell.volume, &cell.header) {
            (Err(fault), _) => format!("missing: {}", fault.text),
            (_, Err(fault)) => format!("damaged: {}", fault.message),
            _ => match unread.iter().find(|unread| unread.slot == cell.place.slot) {
                Some(unread) => format!("unreadable: {}", unread.why),
                None => "sound".to_owned(),
            },
        };
        match standings.get(&cell.place.slot.mirror) {
            Some(Standing::OutOfStep { since, .. }) => {
                state = format!("out of step since position {since}; {state}");
            }
            Some(Standing::Dropped) => state = format!("dropped; {state}"),
            Some(Standing::InStep) | None => {}
        }
        VolumeLine {
            device: cell.place.label.clone(),
            mirror: cell.place.slot.mirror.0,
            family: cell.place.slot.family.0,
            state,
            header: cell.header.as_ref().ok().cloned(),
        }
    };
    matrix.cells.iter().map(line).collect()
}

/// Mirrors that do not take part in backups, in words.
pub(super) fn out_of_step(matrix: &Matrix) -> Vec<String> {
    let words = |(mirror, standing)| match standing {
        Standing::InStep => None,
        Standing::OutOfStep { since, .. } => Some(format!(
            "{mirror} is out of step since position {since}: media repair brings it back"
        )),
        Standing::Dropped => Some(format!("{mirror} was dropped")),
    };
    matrix.standings().into_iter().filter_map(words).collect()
}

/// Prints volumes.
pub(super) fn print_volumes(volumes: &[VolumeLine], output: &Output) {
    let rows: Vec<Vec<String>> = volumes
        .iter()
        .map(|volume| {
            let (mirror, family) = (volume.mirror.to_string(), volume.family.to_string());
            vec![mirror, family, volume.device.clone(), volume.state.clone()]
        })
        .collect();
    output.line(table(&["mirror", "family", "device", "state"], &rows));
}

/// Prints the facts of a header.
pub(super) fn print_header(header: &MediaHeader, output: &Output) {
    let described = if header.is_label {
        "media label"
    } else {
        "description"
    };
    output.line(format!("media name          {}", header.name));
    output.line(format!("{described:<20}{}", header.description));
    output.line(format!("media set id        {}", header.media_set));
    output.line(format!(
        "families x mirrors  {} x {}",
        header.shape.families, header.shape.mirrors
    ));
    output.line(format!(
        "family              {} ({})",
        header.family.0, header.family_id
    ));
    output.line(format!("mirror              {}", header.mirror.0));
    output.line(format!("media sequence      {}", header.media_sequence));
    output.line(format!(
        "software            {} (vendor 0x{:04X})",
        header.software, header.vendor_id
    ));
    output.line(format!("written             {}", utc(header.written)));
    output.line(format!("block size          {}", header.block_size));
    output.line(format!("encoding            {}", header.encoding));
    output.line(format!(
        "agent               {} ({})",
        header.agent_name, header.agent
    ));
}

/// Prints sets.
pub(super) fn print_sets(sets: &[SetLine], volumes: usize, output: &Output) {
    if sets.is_empty() {
        return output.line("no backup sets");
    }
    let written = |moment: Option<Moment>| moment.map_or_else(|| "-".to_owned(), utc);
    let rows: Vec<Vec<String>> = sets
        .iter()
        .map(|set| {
            vec![
                set.position.to_string(),
                match set.over_damage {
                    true => format!("{}, damaged database", state(set.state)),
                    false => state(set.state).to_owned(),
                },
                set.database.clone().unwrap_or_else(|| "-".to_owned()),
                set.kind
                    .map_or_else(|| "-".to_owned(), |kind| kind.to_string()),
                written(set.written),
                bytes(set.bytes),
                format!("{} of {volumes}", set.volumes),
            ]
        })
        .collect();
    let head = [
        "position", "state", "database", "kind", "written", "bytes", "volumes",
    ];
    output.line(table(&head, &rows));
}

/// A set's state for people.
pub(super) const fn state(state: SetState) -> &'static str {
    match state {
        SetState::Published => "published",
        SetState::Unconfirmed => "unconfirmed",
        SetState::Unsealed => "unsealed",
        SetState::Void => "void",
        SetState::Dropped => "dropped",
        SetState::Empty => "empty",
    }
}
