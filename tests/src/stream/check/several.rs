//! Several sets on one medium: where the next one goes, and where to stop looking.

use super::StreamCheck;
use crate::stream::container::Container;
use crate::stream::generate::Behind;

impl StreamCheck {
    /// Looks at nothing behind this set: whoever restores it does not care for those that follow.
    #[must_use]
    pub const fn until(mut self, position: u16) -> Self {
        self.last = Some(position);
        self
    }

    /// What a set would be appended to, here where the last one ended; in the place of all of them
    /// when `over`.
    #[must_use]
    pub fn behind(&self, over: bool) -> Behind {
        Behind {
            at: if over { self.first_set } else { self.at },
            marks: match over {
                true => self.marks.iter().take(1).copied().collect(),
                false => self.marks.clone(),
            },
            map: if over { Vec::new() } else { self.map.clone() },
            family_id: self.facts.family_id,
        }
    }

    /// The container that holds the sets, if it is one of ours.
    #[must_use]
    pub fn container(&self) -> Option<&Container> {
        self.container.as_ref()
    }
}
