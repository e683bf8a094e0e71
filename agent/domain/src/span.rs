//! Where all mirrors of a family are cut when one of them meets the end of its medium.
//!
//! The cut is the last byte that was given out, where every mirror took it; else the first that a
//! mirror did not take. That mirror still holds all bytes behind it, so every mirror can be given
//! them again on the next medium. What another one wrote behind the cut does not count.

/// How one mirror stands once nothing moves any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand {
    /// Bytes of the section that its device took.
    pub taken: u64,
    /// Its medium takes no more; it holds what was given out behind `taken`.
    pub full: bool,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Nothing: everything that was given out is written, and nothing more is to come.
    None,
    /// All go on on their next media at this byte.
    At {
        /// Bytes of the section on the media so far.
        byte: u64,
        /// Which mirror holds the bytes behind it; none where there are none.
        holder: Option<usize>,
    },
    /// This mirror's fresh medium took nothing: no further one will.
    Stuck(usize),
}

/// Decides.
///
/// `sent`: bytes of the section that were given out. `begun`: where the media that are written
/// begin, if they are not the first of the section. `more`: whether more bytes are to come.
#[must_use]
pub fn cut(sent: u64, begun: Option<u64>, mirrors: &[Stand], more: bool) -> Cut {
    let full = mirrors.iter().enumerate().filter(|(_, stand)| stand.full);
    match full.min_by_key(|(_, stand)| stand.taken) {
        Some((index, stand)) if begun == Some(stand.taken) => Cut::Stuck(index),
        Some((index, stand)) => Cut::At {
            byte: stand.taken,
            holder: Some(index),
        },
        None if more => Cut::At {
            byte: sent,
            holder: None,
        },
        None => Cut::None,
    }
}

#[cfg(test)]
mod tests;
