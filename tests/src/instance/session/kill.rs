//! KILL, and what a killed session does until it is gone.

use std::time::Duration;

use super::Session;
use crate::instance::FIRST_SPID;
use crate::instance::state::State;
use crate::tds::reply::Stop;
use crate::tds::tokens::ServerMessage;
use crate::tds::types::Value;

/// Command of a killed session in sys.dm_exec_requests.
const ROLLBACK: &str = "KILLED/ROLLBACK";
/// Longest rollback.
const MAX_ROLLBACK: Duration = Duration::from_secs(600);

impl Session {
    /// The session to be killed, if this one may kill it.
    fn target(&self, state: &State, target: &Value) -> Result<i16, ServerMessage> {
        let number = target.text();
        if !self.login.holds("ALTER ANY CONNECTION") {
            let text = "User does not have permission to use the KILL statement.";
            return Err(ServerMessage::new(6102, 14, text));
        }
        let wrong = || {
            let text = format!("Session ID {number} is not valid.");
            ServerMessage::new(6101, 16, text)
        };
        let spid = number.parse::<i16>().map_err(|_| wrong())?;
        if spid < 1 {
            return Err(wrong());
        }
        if spid < FIRST_SPID {
            let text = "Only user processes can be killed.";
            return Err(ServerMessage::new(6107, 14, text));
        }
        if spid == self.spid {
            let text = "Cannot use KILL to kill your own process.";
            return Err(ServerMessage::new(6104, 16, text));
        }
        if !state.sessions.contains_key(&spid) {
            let text = format!("Process ID {number} is not an active process ID.");
            return Err(ServerMessage::new(6106, 16, text));
        }
        Ok(spid)
    }

    /// KILL.
    pub fn kill(&self, target: &Value) -> Result<(), ServerMessage> {
        let state = self.instance.state();
        let spid = self.target(&state, target)?;
        if self.in_transaction() {
            let text = "KILL command cannot be used inside user transactions.";
            return Err(ServerMessage::new(6115, 16, text));
        }
        if let Some(row) = state.sessions.get(&spid) {
            row.interrupt.raise(Stop::Killed);
        }
        Ok(())
    }

    /// KILL ... WITH STATUSONLY: how far the rollback is (its number is not known), or 6120.
    pub fn kill_status(&self, target: &Value) -> Result<ServerMessage, ServerMessage> {
        let state = self.instance.state();
        let spid = self.target(&state, target)?;
        let row = state.sessions.get(&spid);
        let request = row.and_then(|row| row.request.as_ref());
        if request.is_none_or(|request| request.command != ROLLBACK) {
            let text = format!(
                "Status report cannot be obtained. Rollback operation for Process ID {spid} is \
                 not in progress."
            );
            return Err(ServerMessage::new(6120, 16, text));
        }
        let text = format!(
            "SPID {spid}: transaction rollback in progress. Estimated rollback completion: 0%. \
             Estimated time remaining: 0 seconds."
        );
        Ok(ServerMessage {
            number: 0,
            state: 1,
            class: 0,
            text,
        })
    }

    /// A killed session still shows for a while, where the knob says so.
    pub(super) fn roll_back(&self) {
        let span = Duration::from_millis(self.instance.faults().rollback_delay_ms);
        let killed = {
            let state = self.instance.state();
            let row = state.sessions.get(&self.spid);
            row.is_some_and(|row| row.interrupt.raised() == Some(Stop::Killed))
        };
        if killed && !span.is_zero() {
            let _ = self.note_request(ROLLBACK);
            std::thread::sleep(span.min(MAX_ROLLBACK));
        }
    }
}
