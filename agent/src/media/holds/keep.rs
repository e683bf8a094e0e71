//! A reader's hold: a record on every volume that says until when nothing is to be removed
//! (design 4.4). Left where the reader may write, renewed while it reads, removed at the end. A
//! reader that was killed leaves one that expires by itself.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use twinset_domain::name::HoldName;
use twinset_domain::{AgentId, Moment, RunId};

use crate::media::matrix::Matrix;
use crate::media::volume::Volume;

/// How long a hold holds, in seconds.
const HOLD_SECONDS: i64 = 15 * 60;
/// How long before the next one takes its place: three attempts fit into the life of one.
const RENEW: Duration = Duration::from_secs(5 * 60);

/// How long a hold holds, and when the next one takes its place.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Seconds from its writing on.
    pub seconds: i64,
    /// Much shorter than that.
    pub renew: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            seconds: HOLD_SECONDS,
            renew: RENEW,
        }
    }
}

/// Holds on all volumes of a media set; let go when dropped.
#[derive(Debug)]
pub struct Hold {
    stop: Option<Sender<()>>,
    keeper: Option<JoinHandle<()>>,
}

impl Hold {
    /// Leaves a hold on every volume where that is possible. The first ones are in place when this
    /// returns; a volume that takes none is read without.
    #[must_use]
    pub fn take(matrix: &Matrix, agent: AgentId, now: fn() -> Moment) -> Self {
        Self::take_for(matrix, agent, now, Terms::default())
    }

    /// The same on other terms.
    #[must_use]
    pub fn take_for(matrix: &Matrix, agent: AgentId, now: fn() -> Moment, terms: Terms) -> Self {
        let run = RunId::random();
        let name = move || {
            let until = Moment(now().0.saturating_add(terms.seconds));
            HoldName { until, agent, run }
        };
        let first = name();
        let mut held: Vec<(Arc<Volume>, HoldName)> = matrix
            .volumes()
            .filter(|volume| put(volume, &first))
            .map(|volume| (Arc::clone(volume), first))
            .collect();
        if held.is_empty() {
            return Self {
                stop: None,
                keeper: None,
            };
        }
        let (stop, stopped) = channel();
        let keep = move || {
            while stopped.recv_timeout(terms.renew) == Err(RecvTimeoutError::Timeout) {
                let next = name();
                for (volume, last) in &mut held {
                    // The old one goes only when the new one is there.
                    if put(volume, &next) {
                        remove(volume, last);
                        *last = next;
                    }
                }
            }
            for (volume, last) in &held {
                remove(volume, last);
            }
        };
        let keeper = std::thread::Builder::new()
            .name("hold".to_owned())
            .spawn(keep);
        Self {
            stop: Some(stop),
            keeper: keeper.ok(),
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(keeper) = self.keeper.take() {
            // It ends by itself; a device that hangs costs its deadline.
            let _ = keeper.join();
        }
    }
}

fn put(volume: &Volume, name: &HoldName) -> bool {
    let name = name.to_string();
    // Whoever clears up after a dead run may take the first attempt for its unfinished work.
    let attempt = || volume.put_record(&name, b"");
    match attempt().or_else(|_| attempt()) {
        Ok(()) => true,
        Err(fault) => {
            tracing::debug!(volume = %volume.place(), %fault, "no hold");
            false
        }
    }
}

fn remove(volume: &Volume, name: &HoldName) {
    let name = name.to_string();
    if let Err(fault) = volume.call(move |handle| handle.remove_record(&name)) {
        // It ends by itself, and the next writer removes it.
        tracing::debug!(volume = %volume.place(), %fault, "hold left behind");
    }
}
