//! How long a library file must be by its own word. Mapping one that was cut off, as a copy that
//! still runs leaves it, would end the process at the first touch of a missing page.

/// Bytes of the ELF header of 64-bit files.
const HEADER: usize = 64;
/// Bytes of a program header.
const PROGRAM: usize = 56;
/// A segment that is mapped.
const PT_LOAD: u32 = 1;

/// The end of the last mapped segment; `None` when `head`, the start of a file, is no 64-bit
/// little-endian ELF or does not hold its program headers. The loader judges those.
pub(super) fn least_length(head: &[u8]) -> Option<u64> {
    if head.get(..6)? != b"\x7fELF\x02\x01" || head.len() < HEADER {
        return None;
    }
    let table = usize::try_from(number(head, 32, 8)?).ok()?;
    let (size, count) = (number(head, 54, 2)?, number(head, 56, 2)?);
    if size != PROGRAM as u64 {
        return None;
    }
    let mut least = 0;
    for index in 0..usize::try_from(count).ok()? {
        let at = table.checked_add(index.checked_mul(PROGRAM)?)?;
        let program = head.get(at..at.checked_add(PROGRAM)?)?;
        if number(program, 0, 4)? == u64::from(PT_LOAD) {
            let end = number(program, 8, 8)?.checked_add(number(program, 32, 8)?)?;
            least = end.max(least);
        }
    }
    Some(least)
}

/// A little-endian number of `size` bytes.
fn number(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    )
}

#[cfg(test)]
mod tests;
