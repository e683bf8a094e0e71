//! The threads of lanes at the end of the process.
//!
//! A lane closes its device behind the last answer, on its own thread. A process that ends before
//! ends in the middle of a plugin's close: under Wine it then crashed or hung now and then.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::worker::abandoned_lanes;

#[cfg(test)]
mod tests;

/// Those that may live still.
static THREADS: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());
/// How often they are looked at.
const LOOK: Duration = Duration::from_millis(1);

/// Remembers a lane's thread for [`settle`].
pub(super) fn remember(thread: JoinHandle<()>) {
    let mut threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    threads.retain(|thread| !thread.is_finished());
    threads.push(thread);
}

/// Waits until every lane has closed its device and its thread is gone, but for those that are left
/// behind in a call: at most so long.
pub fn settle(longest: Duration) {
    let threads = std::mem::take(&mut *THREADS.lock().unwrap_or_else(PoisonError::into_inner));
    end_of(threads, longest, abandoned_lanes);
}

fn end_of(mut threads: Vec<JoinHandle<()>>, longest: Duration, left_behind: fn() -> usize) {
    let begun = Instant::now();
    loop {
        for ended in threads.extract_if(.., |thread| thread.is_finished()) {
            // What it panicked about was said.
            let _ = ended.join();
        }
        if threads.len() <= left_behind() || begun.elapsed() >= longest {
            return;
        }
        thread::sleep(LOOK);
    }
}
