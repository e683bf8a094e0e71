//! What users see: results, faults, progress and the log.
//!
//! Two voices: for people (results on standard output, faults and progress on standard error) and
//! for programs (`--json`: one object on standard output, progress as JSON lines on standard
//! error). Nothing here decides anything.

pub mod logging;
mod output;
mod progress;
mod text;

pub use output::{Output, fault_text};
pub use progress::{Progress, Style};
pub use text::{bytes, duration, rate, table, utc};
