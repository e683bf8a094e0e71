//! Telling receivers: what lies in the outbox goes out, channel by channel.
//!
//! A receiver that is down costs one try a round; its messages wait, the other channels go on. What
//! was raised stands in the log and in the list, whoever was told.

mod channels;
mod command;
pub mod integrity;
mod mail;
pub mod rpo;
pub mod runs;
mod webhook;

use serde::Serialize;
use twinset_domain::alert::{Alert, Notice, Pace, Raised, Severity, pace};
use twinset_domain::{Fault, Moment};

use crate::catalog::{Catalog, Parcel};
use crate::clock;

pub use channels::channels;
pub use command::Program;
pub use mail::{Mail, Way};
pub use webhook::Hook;

/// Most characters of what a receiver says that are kept.
const MAX_ANSWER: usize = 500;

/// A receiver.
#[derive(Debug)]
pub enum Channel {
    /// A program that reads JSON.
    Command(Program),
    /// An address that gets JSON.
    Webhook(Hook),
    /// Mail.
    Mail(Mail),
}

impl Channel {
    /// Its name, which stands in the outbox.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::Webhook(_) => "webhook",
            Self::Mail(_) => "mail",
        }
    }

    /// Tells one message, within the channel's bound of time.
    ///
    /// # Errors
    /// Why it was not taken, in words.
    pub fn tell(&self, notice: &Notice) -> Result<(), String> {
        let body = serde_json::to_string(notice).map_err(|error| error.to_string())?;
        let told = match self {
            Self::Command(program) => program.tell(body),
            Self::Webhook(hook) => hook.tell(&body),
            Self::Mail(mail) => mail.tell(notice),
        };
        told.map_err(|why| why.chars().take(MAX_ANSWER).collect())
    }
}

/// What became of a channel's messages in one round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Round {
    /// The channel.
    pub channel: &'static str,
    /// Messages that it took.
    pub told: usize,
    /// Why it did not take the next; the rest waits.
    pub failed: Option<String>,
}

/// Raises an alert; a new one stands in the log too.
///
/// # Errors
/// [`twinset_domain::code::CATALOG`].
pub fn raise(catalog: &mut Catalog, alert: &Alert, now: Moment) -> Result<Raised, Fault> {
    let raised = catalog.raise(alert, now)?;
    let (code, object, message) = (alert.code, &alert.object, &alert.message);
    match (raised, alert.severity) {
        (Raised::Again, _) => tracing::debug!("alert again: {code} {object}: {message}"),
        (Raised::New, Severity::Info) => tracing::info!("alert: {code} {object}: {message}"),
        (Raised::New, Severity::Warning) => tracing::warn!("alert: {code} {object}: {message}"),
        (Raised::New, _) => tracing::error!("alert: {code} {object}: {message}"),
    }
    Ok(raised)
}

/// What a channel is told now. Of an alert that comes and goes only the newest, now and then.
fn paced(catalog: &mut Catalog, channel: &str, agent: &str) -> Result<Vec<Parcel>, Fault> {
    let now = clock::now();
    let mut parcels = catalog.parcels(channel, agent, now)?;
    let mut goes: Vec<Parcel> = Vec::new();
    while !parcels.is_empty() {
        let mut parcel = parcels.remove(0);
        let about = |other: &Parcel| {
            let (one, other) = (&parcel.notice.alert, &other.notice.alert);
            one.code == other.code && one.object == other.object
        };
        let mut told = catalog.told(channel, &parcel, now)?;
        told.extend(goes.iter().filter(|other| about(other)).map(|_| now));
        let is_newest = !parcels.iter().any(about);
        match pace(&told, now) {
            Pace::Each => goes.push(parcel),
            _ if !is_newest => catalog.leave_out(channel, parcel.event, now)?,
            Pace::Newest => {
                parcel.notice.left_out = catalog.left_out(channel, &parcel, now)?;
                goes.push(parcel);
            }
            Pace::Wait => {}
        }
    }
    Ok(goes)
}

/// Tells each channel what it was not told yet and may be tried now.
///
/// # Errors
/// [`twinset_domain::code::CATALOG`]. A receiver that fails is no error: it is tried again.
pub fn deliver(
    catalog: &mut Catalog,
    channels: &[Channel],
    agent: &str,
) -> Result<Vec<Round>, Fault> {
    let mut rounds = Vec::new();
    for channel in channels {
        let mut round = Round {
            channel: channel.name(),
            told: 0,
            failed: None,
        };
        for parcel in paced(catalog, channel.name(), agent)? {
            let told = channel.tell(&parcel.notice);
            let failed = told.err();
            catalog.delivered(channel.name(), &parcel, failed.as_deref(), clock::now())?;
            match failed {
                None => round.told += 1,
                Some(why) => {
                    tracing::warn!(channel = channel.name(), "an alert was not taken: {why}");
                    round.failed = Some(why);
                    break;
                }
            }
        }
        rounds.push(round);
    }
    Ok(rounds)
}
