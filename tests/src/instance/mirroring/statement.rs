//! `ALTER DATABASE x SET PARTNER ...` and `SET WITNESS ...`: read, checked, run.

use super::messages::refused;
use super::settle::end;
use super::side::Mirroring;
use super::switch::Done;
use super::{Network, messages};
use crate::instance::session::{Session, missing};
use crate::instance::statement::{Kind, Reader};
use crate::tds::tokens::ServerMessage;

/// Shortest timeout; less counts as this.
const LEAST_TIMEOUT: i32 = 5;
/// Longest timeout.
const MOST_TIMEOUT: i64 = 32_767;

/// One option of SET PARTNER or SET WITNESS.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wish {
    Partner(String),
    Failover,
    Force,
    Off,
    Resume,
    Suspend,
    Safety(bool),
    Timeout(i64),
    Witness(Option<String>),
}

/// Whether the reader stands at one.
#[must_use]
pub fn is_one(reader: &Reader<'_>) -> bool {
    let next = reader.peek();
    next.is_some_and(|token| token.is_word("PARTNER") || token.is_word("WITNESS"))
}

/// Runs one on a database.
///
/// # Errors
/// Bad syntax, a right that is missing, or a state of the session that does not allow it.
pub fn run(session: &Session, name: &str, reader: &mut Reader<'_>) -> Done {
    let wish = parse(reader)?;
    let of_database = session.login.in_database_role(name, &["db_owner"]);
    if !of_database {
        let text = format!(
            "User does not have permission to alter database '{name}', the database does not \
             exist, or the database is not in a state that allows access checks."
        );
        return Err(ServerMessage::new(5011, 14, text));
    }
    if session.in_transaction() {
        let text = "ALTER DATABASE statement not allowed within multi-statement transaction.";
        return Err(ServerMessage::new(226, 16, text));
    }
    if session.instance.state().database(name).is_none() {
        return Err(missing(name));
    }
    if session.instance.version().engine_edition == 4 {
        return Err(refused(1463, name));
    }
    let Some(network) = session.instance.network() else {
        return Err(refused(1413, name));
    };
    network.alter(session, name, wish)
}

fn text(reader: &mut Reader<'_>) -> Result<String, ServerMessage> {
    match reader.take().map(|token| token.kind.clone()) {
        Some(Kind::Text(text)) => Ok(text),
        _ => Err(reader.wrong()),
    }
}

fn parse(reader: &mut Reader<'_>) -> Result<Wish, ServerMessage> {
    let wish = if reader.word("WITNESS") {
        if reader.word("OFF") {
            Wish::Witness(None)
        } else {
            reader.expect_sign('=')?;
            Wish::Witness(Some(text(reader)?))
        }
    } else {
        reader.expect_word("PARTNER")?;
        if reader.sign('=') {
            Wish::Partner(text(reader)?)
        } else {
            option(reader)?
        }
    };
    if reader.at_end() {
        Ok(wish)
    } else {
        Err(reader.wrong())
    }
}

fn option(reader: &mut Reader<'_>) -> Result<Wish, ServerMessage> {
    let plain = [
        ("FAILOVER", Wish::Failover),
        ("FORCE_SERVICE_ALLOW_DATA_LOSS", Wish::Force),
        ("OFF", Wish::Off),
        ("RESUME", Wish::Resume),
        ("SUSPEND", Wish::Suspend),
    ];
    for (word, wish) in plain {
        if reader.word(word) {
            return Ok(wish);
        }
    }
    if reader.word("SAFETY") {
        let full = reader.word("FULL");
        if !full {
            reader.expect_word("OFF")?;
        }
        return Ok(Wish::Safety(full));
    }
    reader.expect_word("TIMEOUT")?;
    match reader.take().map(|token| token.kind.clone()) {
        Some(Kind::Number(number)) => {
            let seconds = number.parse().map_err(|_| reader.wrong())?;
            Ok(Wish::Timeout(seconds))
        }
        _ => Err(reader.wrong()),
    }
}

impl Network {
    /// SET PARTNER by the lab's own administrator: `OFF`, `RESUME`, or the address of a partner.
    ///
    /// # Errors
    /// As the statement.
    pub fn set_partner(&self, instance: &crate::instance::Instance, name: &str, to: &str) -> Done {
        match to {
            "OFF" => self.off(instance, name),
            "RESUME" => self.resume(instance, name),
            address => self.establish(instance, name, address),
        }
    }

    fn alter(&self, session: &Session, name: &str, wish: Wish) -> Done {
        let instance = &*session.instance;
        match wish {
            Wish::Partner(address) => self.establish(instance, name, &address),
            Wish::Failover => self
                .ready(instance, name, true)
                .and_then(|()| self.fail_over(instance, name, None)),
            Wish::Force => {
                self.ready(instance, name, false)?;
                self.force(instance, name)
            }
            Wish::Off => self.off(instance, name),
            Wish::Suspend => self.set(instance, name, false, |side| {
                side.suspended = true;
                Ok(())
            }),
            Wish::Resume => self.resume(instance, name),
            Wish::Safety(full) => {
                // Standard knows FULL alone.
                if instance.version().engine_edition != 3 && !full {
                    return Err(refused(1473, name));
                }
                self.set(instance, name, true, |side| {
                    side.safety_sequence += i32::from(side.safety_full != full);
                    side.safety_full = full;
                    Ok(())
                })
            }
            Wish::Timeout(seconds) if seconds > MOST_TIMEOUT => {
                Err(refused(1476, &seconds.to_string()))
            }
            Wish::Timeout(seconds) => self.set(instance, name, true, |side| {
                side.timeout = i32::try_from(seconds).unwrap_or(0).max(LEAST_TIMEOUT);
                Ok(())
            }),
            Wish::Witness(address) => self.set_witness(instance, name, address),
        }
    }

    /// Whether the database is mirrored here, and is principal where that is needed.
    pub(super) fn ready(
        &self,
        instance: &crate::instance::Instance,
        name: &str,
        principal: bool,
    ) -> Done {
        self.settle(instance);
        let state = instance.state();
        let session = state
            .database(name)
            .and_then(|found| found.mirroring.as_ref());
        match session {
            None => Err(refused(1416, name)),
            Some(session) if principal && !session.principal => Err(refused(1470, name)),
            Some(_) => Ok(()),
        }
    }

    /// Changes this side; the other one hears of it when they talk.
    pub(super) fn set(
        &self,
        instance: &crate::instance::Instance,
        name: &str,
        principal: bool,
        change: impl FnOnce(&mut Mirroring) -> Done,
    ) -> Done {
        self.ready(instance, name, principal)?;
        let changed = {
            let mut state = instance.state();
            let session = state
                .database_mut(name)
                .and_then(|found| found.mirroring.as_mut());
            session.map_or_else(|| Err(refused(1416, name)), change)
        };
        self.settle(instance);
        changed
    }

    fn resume(&self, instance: &crate::instance::Instance, name: &str) -> Done {
        self.ready(instance, name, true)?;
        let done = self.change(instance, name, |network, link, end| {
            if !network.partners_talk(link) {
                return Err(refused(1447, name));
            }
            for (at, mut side) in network.sides(link, end).into_iter().enumerate() {
                let Some(database) = side.database() else {
                    continue;
                };
                if at == 1 {
                    // What an abandoned branch wrote is rolled back to the common point.
                    database.state = crate::instance::model::DbState::Restoring;
                }
                if let Some(session) = database.mirroring.as_mut() {
                    (session.suspended, session.abandoned) = (false, false);
                }
            }
            Ok(())
        });
        done.unwrap_or_else(|| Err(refused(1447, name)))
    }

    fn off(&self, instance: &crate::instance::Instance, name: &str) -> Done {
        self.ready(instance, name, false)?;
        let ended = self.change(instance, name, |network, link, at| {
            end(&mut network.sides(link, at)[0]);
        });
        if ended.is_none() {
            // A side whose partner is not of this lab.
            let now = instance.clock.now();
            let mut state = instance.state();
            if let Some(database) = state.database_mut(name) {
                database.mirroring = None;
            }
            state.errorlog.add(now, &messages::terminated(name));
        }
        Ok(())
    }
}
