//! Ends a statement that runs, and proves that it is gone.
//!
//! The driver's own cancel is not used: after it the connection lies about the next answers
//! (facts/tds.md 4.5). The work connection is dropped, which ends most statements; what is left is
//! killed from the control connection.

use std::thread;
use std::time::{Duration, Instant};

use twinset_domain::Fault;

use super::rows::Param;
use super::running::{Identity, Running};
use super::session::Session;

/// How long the server may take to notice the closed socket.
const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// How long a killed session may take to end.
const KILL_WAIT: Duration = Duration::from_secs(60);
/// Pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What became of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It ended by itself once its connection was closed.
    Gone,
    /// It was killed and is gone.
    Killed,
    /// It was killed, but the server still shows it after the bound: it rolls back.
    Lingers,
}

/// Drops the statement's connection, then kills its session if it is still there.
///
/// A session is killed only while the server shows our program name (which carries the run id) and
/// our login under its number. Takes at most about a minute.
///
/// # Errors
/// The faults of [`Session::query`] when the control connection fails.
pub fn cancel(running: Running, control: &mut Session) -> Result<Cancelled, Fault> {
    let identity = running.identity.clone();
    drop(running);
    if wait_gone(control, &identity, CLOSE_WAIT)? {
        return Ok(Cancelled::Gone);
    }
    // KILL takes no parameter; the number is ours, read from the server as an integer.
    let killed = control.query(&format!("KILL {}", identity.spid), &[]);
    if let Err(fault) = killed {
        // It may have ended in between; only a session that is still there makes this a failure.
        return if is_ours(control, &identity)? {
            Err(fault)
        } else {
            Ok(Cancelled::Gone)
        };
    }
    tracing::info!(
        spid = identity.spid,
        "killed the session of a cancelled statement"
    );
    let gone = wait_gone(control, &identity, KILL_WAIT)?;
    Ok(if gone {
        Cancelled::Killed
    } else {
        Cancelled::Lingers
    })
}

fn wait_gone(control: &mut Session, identity: &Identity, limit: Duration) -> Result<bool, Fault> {
    let begun = Instant::now();
    loop {
        if !is_ours(control, identity)? {
            return Ok(true);
        }
        if begun.elapsed() >= limit {
            return Ok(false);
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Session numbers are used again at once, so the number alone proves nothing.
fn is_ours(control: &mut Session, identity: &Identity) -> Result<bool, Fault> {
    const LOOK: &str = "SELECT program_name, login_name FROM sys.dm_exec_sessions \
                        WHERE session_id = @P1";
    let spid = i32::try_from(identity.spid).unwrap_or(-1);
    let rows = control.query(LOOK, &[Param::Int(spid)])?;
    let Some(row) = rows.first() else {
        return Ok(false);
    };
    let program = row.text("program_name")?.unwrap_or_default();
    let login = row.text("login_name")?.unwrap_or_default();
    Ok(program == identity.program && login == identity.login)
}
