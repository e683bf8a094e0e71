//! The devices behind TO, FROM and MIRROR TO.

use super::values::text;
use crate::instance::query::Variables;
use crate::instance::statement::Reader;
use crate::instance::transfer::messages;
use crate::tds::tokens::ServerMessage;

/// Class of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// VIRTUAL_DEVICE
    Virtual,
    /// DISK
    Disk,
    /// TAPE
    Tape,
    /// URL
    Url,
    /// A device that was made with sp_addumpdevice.
    Logical,
}

/// One or more devices of one class, with their names.
pub fn list(
    reader: &mut Reader<'_>,
    variables: &Variables,
) -> Result<(Vec<String>, DeviceKind), ServerMessage> {
    let mut names = Vec::new();
    let mut first = None;
    loop {
        let (name, kind) = one(reader, variables)?;
        if *first.get_or_insert(kind) != kind {
            return Err(messages::mixed_devices());
        }
        names.push(name);
        if !reader.sign(',') {
            return Ok((names, kind));
        }
    }
}

fn one(
    reader: &mut Reader<'_>,
    variables: &Variables,
) -> Result<(String, DeviceKind), ServerMessage> {
    let classes = [
        ("VIRTUAL_DEVICE", DeviceKind::Virtual),
        ("DISK", DeviceKind::Disk),
        ("TAPE", DeviceKind::Tape),
        ("URL", DeviceKind::Url),
    ];
    let class = classes.iter().find(|(word, _)| reader.word(word));
    match class {
        Some((_, kind)) => {
            reader.expect_sign('=')?;
            Ok((text(reader, variables)?, *kind))
        }
        None => match reader.name() {
            Ok(name) => Ok((name, DeviceKind::Logical)),
            Err(_) => Ok((text(reader, variables)?, DeviceKind::Logical)),
        },
    }
}
