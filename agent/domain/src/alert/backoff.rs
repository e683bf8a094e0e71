//! When a receiver that did not take a message is tried again.

use serde::Serialize;

use crate::Moment;

/// Pauses between tries: bounded in number, length and sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Backoff {
    /// Seconds before the second try; doubled for each further one.
    pub first: u32,
    /// Longest pause, in seconds.
    pub longest: u32,
    /// Tries in all.
    pub tries: u32,
}

/// What follows a failed try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Next {
    /// Another try at this time.
    At(Moment),
    /// None: the alert stays in the list, this receiver is not told.
    GivenUp,
}

impl Backoff {
    /// Half a minute, a minute, two ... up to an hour: three days in all.
    pub const USUAL: Self = Self {
        first: 30,
        longest: 3600,
        tries: 80,
    };

    /// What follows the `tries`th failure, which was at `now`.
    #[must_use]
    pub fn after(self, tries: u32, now: Moment) -> Next {
        if tries >= self.tries {
            return Next::GivenUp;
        }
        let doubled = tries.saturating_sub(1).min(31);
        let pause = u64::from(self.first) << doubled;
        let pause = pause.min(self.longest.into());
        Next::At(Moment(
            now.0
                .saturating_add(i64::try_from(pause).unwrap_or(i64::MAX)),
        ))
    }
}
