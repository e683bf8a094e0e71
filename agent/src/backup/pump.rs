//! Reads files into lent buffers. The one place where bytes enter memory that is ours.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use twinset_domain::{Fault, code};

use super::sink::Pace;
use crate::media::encoding::Recipe;
use crate::media::writer::{FamilyWriter, cancelled};
use crate::payload::Pool;
use crate::report::Progress;

/// Bytes of one buffer: large enough for few calls, small enough for a core's cache.
pub(super) const BUFFER: usize = 1 << 20;
/// Buffers of all families together, unless the memory limit is smaller.
const BUFFERS: usize = 32;
/// A family cannot overlap reading and writing with fewer.
const LEAST_BUFFERS: usize = 3;
/// How often a wait for a buffer looks whether a mirror has failed.
const GLANCE: Duration = Duration::from_millis(200);

/// Buffers for each family within the memory limit, half of which is for buffers and encoding.
///
/// # Errors
/// [`code::CONFIG_VALUE`] when the limit is too small for any plan.
pub(super) fn buffers(families: u16, memory_limit: u64, recipe: &Recipe) -> Result<usize, Fault> {
    let encoding = recipe.memory(families);
    let families = usize::from(families.max(1));
    let room = (memory_limit / 2).saturating_sub(encoding);
    let most = usize::try_from(room).unwrap_or(usize::MAX) / BUFFER;
    if most < families * LEAST_BUFFERS {
        let least = ((families * LEAST_BUFFERS * BUFFER) as u64 + encoding) * 2;
        let message = format!("{families} families need at least {least} bytes");
        let fault = Fault::new(code::CONFIG_VALUE, "memory_limit", message);
        return Err(if recipe.is_raw() {
            fault.remedy("raise memory_limit in agent.toml, or use fewer families")
        } else {
            fault
                .cause(format!(
                    "the encoding {} takes {encoding} of them",
                    recipe.name()
                ))
                .remedy("raise memory_limit in agent.toml, or lower zstd_level and zstd_threads")
        });
    }
    Ok((BUFFERS.min(most) / families).max(LEAST_BUFFERS))
}

/// Sends a whole file to a family's mirrors and says how long it was.
///
/// # Errors
/// The file's, the first mirror's, or that the operator stopped it.
pub(super) fn pump_file(
    file: &mut File,
    path: &Path,
    writer: &mut FamilyWriter<'_>,
    buffers: usize,
    progress: &dyn Progress,
    pace: &Pace<'_>,
) -> Result<u64, Fault> {
    let pool = Pool::new(buffers, BUFFER);
    loop {
        if pace.stop.load(Ordering::Relaxed) {
            return Err(cancelled());
        }
        let mut buffer = loop {
            if let Some(buffer) = pool.take_timeout(GLANCE) {
                break buffer;
            }
            writer.enforce_deadlines()?;
        };
        let filled = fill(file, &mut buffer).map_err(|error| {
            Fault::new(code::FILE, path.display().to_string(), "cannot be read")
                .cause(error)
                .remedy("check the file and its device; nothing was published")
        })?;
        if filled == 0 {
            return Ok(writer.length());
        }
        pace.brake.hold(filled as u64, pace.stop);
        writer.write(&buffer.lend(filled))?;
        progress.advance(filled as u64);
    }
}

fn fill(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
