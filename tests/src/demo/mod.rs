//! The demonstration: the real `twinset` with the real disk plugin against the double of SQL Server,
//! from the first look to a restore out of damaged media, and a mirrored database through a failover
//! and back.
//!
//! `steps` are those of one host in the order a person sees them, `partners` those of two; `stage`
//! sets the first scene up, `show` prints and counts, `media` looks at files and breaks them.

mod media;
mod partners;
mod show;
mod stage;
mod steps;

use std::io;

use show::Show;
use stage::Stage;

/// Shows everything and tells how many checks passed. The folder goes at the end, unless it is to
/// be kept.
///
/// # Errors
/// A program is missing or cannot be started, or a check failed.
pub fn run(keep: bool) -> io::Result<()> {
    let mut show = Show::new();
    let stage = Stage::set_up(keep)?;
    let told = steps::all(&stage, &mut show).and_then(|()| partners::all(stage.path(), &mut show));
    let ended = stage.end();
    if let Err(fault) = &told {
        show.check("every step could be taken", false);
        show.text(&format!("stopped: {fault}"));
    }
    show.check("the double of SQL Server ended by itself", ended.is_ok());
    show.finish()
}
