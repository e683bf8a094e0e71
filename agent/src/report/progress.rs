//! How far long work is: a bar on a terminal, plain lines elsewhere, JSON lines for programs.
//!
//! The work itself only adds to a number; a thread of the reporter's own looks at it now and then
//! and prints.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::text::{bytes, duration, rate};

/// How often the bar is drawn anew.
const BAR_EVERY: Duration = Duration::from_millis(100);
/// How often a plain line is printed.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// How often a JSON line is printed.
const JSON_EVERY: Duration = Duration::from_secs(1);

/// Told by long work how far it is. Cheap, and safe from any thread.
pub trait Progress: Send + Sync + fmt::Debug {
    /// Work begins; what was under way before has ended. `total` in bytes, if known.
    fn begin(&self, what: &str, total: Option<u64>);
    /// So many more bytes are done: one atomic addition.
    fn advance(&self, bytes: u64);
    /// A total that became known, or is known better, while the work goes on.
    fn expect(&self, total: u64);
    /// Something worth a line of its own.
    fn note(&self, text: &str);
    /// A device waits for the operator, who has to do what `wish` says.
    fn operator(&self, device: &str, wish: &str);
    /// The work has ended, well or not.
    fn end(&self);
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A bar that is drawn over and over.
    Bar,
    /// A plain line every few seconds.
    Lines,
    /// A JSON object per line.
    Json,
    /// Notes only.
    Notes,
    /// Nothing.
    Silent,
}

/// The bar that is on the terminal now, so that other lines can step around it.
static ON_SCREEN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Writes something else than the bar while the bar is out of the way.
pub(super) fn aside<T>(write: impl FnOnce() -> T) -> T {
    let bar = locked(&ON_SCREEN).clone();
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

type Sink = Box<dyn Fn(&str) + Send + Sync>;

/// The [`Progress`] of a command.
pub(super) struct Reporter {
    style: Style,
    shared: Arc<Shared>,
    worker: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    done: AtomicU64,
    work: Mutex<Option<Work>>,
    ended: Condvar,
    every: Duration,
    sink: Sink,
}

#[derive(Clone)]
struct Work {
    what: String,
    total: Option<u64>,
    since: Instant,
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter")
            .field("style", &self.style)
            .finish_non_exhaustive()
    }
}

impl Reporter {
    /// Shows progress on standard error.
    pub(super) fn new(style: Style) -> Self {
        let every = match style {
            Style::Bar => BAR_EVERY,
            Style::Lines | Style::Notes | Style::Silent => LINE_EVERY,
            Style::Json => JSON_EVERY,
        };
        let print = |line: &str| {
            // A closed standard error does not stop the work.
            let _ = aside(|| writeln!(io::stderr(), "{line}"));
        };
        Self::with(style, every, Box::new(print))
    }

    fn with(style: Style, every: Duration, sink: Sink) -> Self {
        let shared = Shared {
            done: AtomicU64::new(0),
            work: Mutex::new(None),
            ended: Condvar::new(),
            every,
            sink,
        };
        Self {
            style,
            shared: Arc::new(shared),
            worker: Mutex::new(None),
        }
    }
}

impl Progress for Reporter {
    fn begin(&self, what: &str, total: Option<u64>) {
        self.end();
        let work = Work {
            what: what.to_owned(),
            total,
            since: Instant::now(),
        };
        self.shared.done.store(0, Ordering::Relaxed);
        if matches!(self.style, Style::Notes | Style::Silent) {
            return;
        }
        let bar = (self.style == Style::Bar).then(|| bar(&work));
        locked(&ON_SCREEN).clone_from(&bar);
        if self.style == Style::Json {
            (self.shared.sink)(&json_line("begin", &work, 0, Duration::ZERO));
        }
        *locked(&self.shared.work) = Some(work);
        let (shared, style) = (self.shared.clone(), self.style);
        let watch = move || shared.watch(style, bar.as_ref());
        // Without a thread the work goes on, and only its end is told.
        *locked(&self.worker) = thread::Builder::new()
            .name("progress".into())
            .spawn(watch)
            .ok();
    }

    fn advance(&self, bytes: u64) {
        self.shared.done.fetch_add(bytes, Ordering::Relaxed);
    }

    fn expect(&self, total: u64) {
        if let Some(work) = locked(&self.shared.work).as_mut() {
            work.total = Some(total);
        }
    }

    fn note(&self, text: &str) {
        match self.style {
            Style::Silent => {}
            Style::Json => (self.shared.sink)(&json!({ "note": text }).to_string()),
            Style::Bar | Style::Lines | Style::Notes => (self.shared.sink)(text),
        }
    }

    fn operator(&self, device: &str, wish: &str) {
        match self.style {
            Style::Silent => {}
            Style::Json => {
                let wish = json!({ "operator": { "device": device, "wish": wish } });
                (self.shared.sink)(&wish.to_string());
            }
            Style::Bar | Style::Lines | Style::Notes => {
                (self.shared.sink)(&format!("{device} waits for you: {wish}"));
            }
        }
    }

    fn end(&self) {
        let Some(work) = locked(&self.shared.work).take() else {
            return;
        };
        self.shared.ended.notify_all();
        if let Some(worker) = locked(&self.worker).take() {
            // A worker that panicked has nothing more to say.
            let _ = worker.join();
        }
        if let Some(bar) = locked(&ON_SCREEN).take() {
            bar.finish_and_clear();
        }
        let (done, elapsed) = (
            self.shared.done.load(Ordering::Relaxed),
            work.since.elapsed(),
        );
        (self.shared.sink)(&match self.style {
            Style::Json => json_line("end", &work, done, elapsed),
            _ => end_line(&work, done, elapsed),
        });
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    /// Prints until the work has ended.
    fn watch(&self, style: Style, bar: Option<&ProgressBar>) {
        let mut work = locked(&self.work);
        loop {
            let Some(now) = work.clone() else { return };
            let (next, waited) = self
                .ended
                .wait_timeout(work, self.every)
                .unwrap_or_else(PoisonError::into_inner);
            if next.is_none() {
                return;
            }
            // Nothing is printed under the lock, so that the end never waits for a terminal.
            drop(next);
            if waited.timed_out() {
                let (done, elapsed) = (self.done.load(Ordering::Relaxed), now.since.elapsed());
                match (style, bar) {
                    (Style::Json, _) => (self.sink)(&json_line("running", &now, done, elapsed)),
                    (_, Some(bar)) => show(bar, &now, done),
                    (_, None) => (self.sink)(&line(&now, done, elapsed)),
                }
            }
            work = locked(&self.work);
        }
    }
}

/// Moves the bar; a total that became known turns the spinner into a bar.
fn show(bar: &ProgressBar, work: &Work, done: u64) {
    if bar.length() != work.total
        && let Some(total) = work.total
    {
        bar.set_length(total.max(done));
        if let Ok(style) = ProgressStyle::with_template(WITH_TOTAL) {
            bar.set_style(style.progress_chars("#> "));
        }
    }
    bar.set_position(done);
}

/// Shape of a bar whose total is known.
const WITH_TOTAL: &str = "{msg} [{bar:30}] {percent:>3} % {binary_bytes}/{binary_total_bytes} \
                          {binary_bytes_per_sec} {eta}";

fn bar(work: &Work) -> ProgressBar {
    let shape = match work.total {
        Some(_) => WITH_TOTAL,
        None => "{msg} {spinner} {binary_bytes} {binary_bytes_per_sec} {elapsed}",
    };
    let target = ProgressDrawTarget::stderr();
    let bar = ProgressBar::with_draw_target(work.total, target).with_message(work.what.clone());
    match ProgressStyle::with_template(shape) {
        Ok(style) => bar.with_style(style.progress_chars("#> ")),
        Err(_) => bar,
    }
}

/// `backup Payroll: 1.20 GiB of 4.00 GiB (30 %), 210 MiB/s, 13.0 s left`
fn line(work: &Work, done: u64, elapsed: Duration) -> String {
    let mut line = format!("{}: {}", work.what, bytes(done));
    if let Some(total) = work.total {
        line.push_str(&format!(
            " of {} ({} %)",
            bytes(total),
            percent(done, total)
        ));
    }
    let speed = rate(done, elapsed);
    if !speed.is_empty() {
        line.push_str(&format!(", {speed}"));
    }
    if let Some(total) = work.total.filter(|total| done > 0 && done < *total) {
        let left = elapsed.as_millis() * u128::from(total - done) / u128::from(done);
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(u64::MAX));
        line.push_str(&format!(", {} left", duration(left)));
    }
    line
}

fn end_line(work: &Work, done: u64, elapsed: Duration) -> String {
    let speed = rate(done, elapsed);
    let comma = if speed.is_empty() { "" } else { ", " };
    format!(
        "{}: {} in {}{comma}{speed}",
        work.what,
        bytes(done),
        duration(elapsed)
    )
}

fn json_line(state: &str, work: &Work, done: u64, elapsed: Duration) -> String {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    json!({ "progress": {
        "state": state,
        "what": work.what,
        "done": done,
        "total": work.total,
        "elapsed_ms": millis,
    }})
    .to_string()
}

fn percent(done: u64, total: u64) -> u128 {
    if total == 0 {
        100
    } else {
        (u128::from(done) * 100 / u128::from(total)).min(100)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
