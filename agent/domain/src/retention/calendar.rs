//! Days, ISO weeks, months and years, in UTC.

use serde::Serialize;

use crate::Moment;

/// A count of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// By day.
    Daily,
    /// By ISO week.
    Weekly,
    /// By month.
    Monthly,
    /// By year.
    Yearly,
}

impl Period {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
        }
    }

    /// Name of the period that a moment lies in: `2026-11-22`, `2026-W47`, `2026-11`, `2026`.
    #[must_use]
    pub fn name(self, at: Moment) -> String {
        let (year, month, day) = Moment::date_of(at.day());
        match self {
            Self::Daily => format!("{year:04}-{month:02}-{day:02}"),
            Self::Weekly => {
                let (year, week) = iso_week(at.day());
                format!("{year:04}-W{week:02}")
            }
            Self::Monthly => format!("{year:04}-{month:02}"),
            Self::Yearly => format!("{year:04}"),
        }
    }
}

/// Year and number of the ISO week of a day: the week belongs to the year of its Thursday.
fn iso_week(day: i64) -> (i64, i64) {
    // 1970-01-01 was a Thursday.
    let monday = day - (day + 3).rem_euclid(7);
    let thursday = monday + 3;
    let (year, _, _) = Moment::date_of(thursday);
    (year, (thursday - Moment::new_year(year)) / 7 + 1)
}

#[cfg(test)]
mod tests;
