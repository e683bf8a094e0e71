//! Where a restore shall stop: a time, a mark, a record; and what of a log set lies before it.

use crate::instance::ledger::Write;
use crate::instance::model::Lsn;
use crate::instance::moment::Moment;
use crate::instance::transfer::messages::numbered;
use crate::instance::transfer::{Plan, Verb};
use crate::tds::tokens::ServerMessage;

/// A point to stop at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// STOPAT: what was committed before this time.
    Time(Moment),
    /// A named mark, the first at or after a time; whether its transaction is left out.
    Mark(String, Option<Moment>, bool),
    /// `lsn:n`; whether that record is left out.
    Record(Lsn, bool),
}

/// A log set as far as stop points see it.
#[derive(Clone, Copy, Debug)]
pub struct Log<'a> {
    /// Position of the database before the set.
    pub from: Lsn,
    /// Record behind the set.
    pub last: Lsn,
    /// The set's writes behind `from`, in order.
    pub writes: &'a [Write],
    /// When the set was finished.
    pub finished: Option<Moment>,
}

/// How far a log set rolls the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To its end, which lies before the stop point (4322 or 4329).
    Short(i32),
    /// To the stop point, at this record.
    Stopped(Lsn),
}

fn moment(text: &str) -> Result<Moment, ServerMessage> {
    Moment::parse(text).ok_or_else(|| {
        let text = "Conversion failed when converting date and/or time from character string.";
        ServerMessage::new(241, 16, text)
    })
}

/// The stop point that a statement names.
pub fn of(plan: &Plan) -> Result<Option<Stop>, ServerMessage> {
    if let Some(text) = plan.text("STOPAT") {
        return moment(&text).map(|at| Some(Stop::Time(at)));
    }
    for (option, before) in [("STOPATMARK", false), ("STOPBEFOREMARK", true)] {
        let Some((name, after)) = plan.mark(option) else {
            continue;
        };
        let after = after.map(moment).transpose()?;
        let Some(record) = name.strip_prefix("lsn:") else {
            if plan.verb != Verb::RestoreLog {
                return Err(numbered(4340, ""));
            }
            return Ok(Some(Stop::Mark(name.to_owned(), after, before)));
        };
        let lsn = match record.strip_prefix("0x") {
            Some(hex) => i128::from_str_radix(hex, 16).ok(),
            None => record.parse().ok(),
        };
        let lsn = lsn
            .filter(|lsn| *lsn > 0)
            .ok_or_else(|| numbered(4334, ""))?;
        return Ok(Some(Stop::Record(Lsn(lsn), before)));
    }
    Ok(None)
}

impl Stop {
    /// Whether a data set that ends here reaches too far (4338).
    pub fn allows_data(&self, last: Lsn, finished: Option<Moment>) -> Result<(), ServerMessage> {
        let too_early = match self {
            Self::Time(at) => finished.is_some_and(|finished| *at < finished),
            Self::Record(lsn, _) => *lsn < last,
            Self::Mark(..) => false,
        };
        if too_early {
            return Err(numbered(4338, ""));
        }
        Ok(())
    }

    /// How far this log set goes. `rolled_to` = the time that the database has reached already.
    pub fn reach(&self, log: Log<'_>, rolled_to: Option<Moment>) -> Result<Reach, ServerMessage> {
        match self {
            Self::Time(at) => {
                if rolled_to.is_some_and(|reached| *at < reached) {
                    return Err(numbered(4335, ""));
                }
                let behind = log.writes.iter().find(|write| write.at >= *at);
                let covered = log.finished.is_some_and(|finished| finished >= *at);
                Ok(match behind {
                    Some(write) => Reach::Stopped(write.lsn),
                    None if covered => Reach::Stopped(log.last),
                    None => Reach::Short(4322),
                })
            }
            Self::Mark(name, after, before) => {
                let marked = log.writes.iter().position(|write| {
                    let named = write.mark.as_deref() == Some(name);
                    named && after.is_none_or(|after| write.at >= after)
                });
                Ok(marked.map_or(Reach::Short(4329), |at| {
                    let end = if *before { at } else { at + 1 };
                    Reach::Stopped(log.writes.get(end).map_or(log.last, |write| write.lsn))
                }))
            }
            Self::Record(lsn, _) if *lsn < log.from => Err(numbered(4335, "")),
            Self::Record(lsn, _) if *lsn >= log.last => Ok(Reach::Short(4329)),
            Self::Record(lsn, before) => {
                let behind = |write: &&Write| write.lsn > *lsn || (*before && write.lsn == *lsn);
                let next = log.writes.iter().find(behind);
                Ok(Reach::Stopped(next.map_or(log.last, |write| write.lsn)))
            }
        }
    }
}

#[cfg(test)]
mod tests;
