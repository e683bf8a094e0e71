//! Ends a statement that runs, and proves that it is gone.
//!
//! The driver's own cancel is not used: after it the connection lies about the next answers
//! (facts/tds.md 4.5). The work connection is dropped, which ends most statements; what is left is
//! killed from the control connection.

use std::thread;
use std::time::{Duration, Instant};

use twinset_domain::Fault;

use super::facts::may_see_others;
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
    /// Its connection was closed; the login may not see whether the server still works on it.
    Unseen,
}

impl Cancelled {
    /// The same as a clause about the session.
    #[must_use]
    pub const fn told(self) -> &'static str {
        match self {
            Self::Gone => "it has ended on the server",
            Self::Killed => "it was killed on the server",
            Self::Lingers => "it was killed and still rolls back on the server",
            Self::Unseen => "the login may not see whether the server still works on it",
        }
    }
}

/// Drops the statement's connection, then kills its session if it is still there.
///
/// A session is killed only while the server shows, under its number, the login time that it told
/// us right after our login, our login, and our program name, which carries the run's id and this
/// process. Takes at most about a minute.
///
/// # Errors
/// The faults of [`Session::query`] when the control connection fails.
pub fn cancel(running: Running, control: &mut Session) -> Result<Cancelled, Fault> {
    let identity = running.identity.clone();
    drop(running);
    end(control, &identity, CLOSE_WAIT)
}

/// Ends a session that was proven to be ours: waits for `grace`, then kills it.
pub(super) fn end(
    control: &mut Session,
    identity: &Identity,
    grace: Duration,
) -> Result<Cancelled, Fault> {
    if !may_see_others(control)? {
        return Ok(Cancelled::Unseen);
    }
    if wait_gone(control, identity, grace)? {
        return Ok(Cancelled::Gone);
    }
    // KILL takes no parameter; the number is ours, read from the server as an integer.
    let killed = control.query(&format!("KILL {}", identity.spid), &[]);
    if let Err(fault) = killed {
        // It may have ended in between; only a session that is still there makes this a failure.
        return if is_there(control, identity)? {
            Err(fault)
        } else {
            Ok(Cancelled::Gone)
        };
    }
    tracing::info!(
        spid = identity.spid,
        "killed a session of ours on the server"
    );
    let gone = wait_gone(control, identity, KILL_WAIT)?;
    Ok(if gone {
        Cancelled::Killed
    } else {
        Cancelled::Lingers
    })
}

fn wait_gone(control: &mut Session, identity: &Identity, limit: Duration) -> Result<bool, Fault> {
    let begun = Instant::now();
    loop {
        if !is_there(control, identity)? {
            return Ok(true);
        }
        if begun.elapsed() >= limit {
            return Ok(false);
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Session numbers are used again at once, so the number alone proves nothing.
fn is_there(control: &mut Session, identity: &Identity) -> Result<bool, Fault> {
    const LOOK: &str = "\
SELECT program_name, login_name, login_time FROM sys.dm_exec_sessions WHERE session_id = @P1";
    let spid = i32::try_from(identity.spid).unwrap_or(-1);
    let rows = control.query(LOOK, &[Param::Int(spid)])?;
    let Some(row) = rows.first() else {
        return Ok(false);
    };
    let program = row.text("program_name")?.unwrap_or_default();
    let login = row.text("login_name")?.unwrap_or_default();
    let since = row.time("login_time")?;
    Ok(since.is_some()
        && since == identity.since
        && program == identity.program
        && login == identity.login)
}
