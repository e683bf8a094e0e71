//! What one instance believes of a session, and what a witness saw of one.

use uuid::Uuid;

use crate::instance::model::Lsn;

/// One side of a mirroring session.
#[derive(Clone, Debug)]
pub struct Mirroring {
    /// Identity of the partnership.
    pub guid: Uuid,
    /// This side is the principal.
    pub principal: bool,
    /// 0 suspended, 1 disconnected, 2 synchronizing, 3 pending failover, 4 synchronized.
    pub state: u8,
    /// Role switches so far.
    pub role_sequence: i32,
    /// SAFETY FULL.
    pub safety_full: bool,
    /// Changes of the safety level so far.
    pub safety_sequence: i32,
    /// Seconds until a silent partner counts as lost.
    pub timeout: i32,
    /// Network address of the other side.
    pub partner_address: String,
    /// Server name of the other side.
    pub partner_instance: String,
    /// Network address of the witness.
    pub witness: Option<String>,
    /// Whether this side can talk to it.
    pub witness_connected: bool,
    /// Newest record hardened on both sides.
    pub failover_lsn: Lsn,
    /// No log is sent: SUSPEND, a redo error, a forced service. Survives restarts.
    pub suspended: bool,
    /// Why a principal cannot be opened: 952 in transition, 955 no quorum, 956 not ready.
    pub closed: Option<i32>,
    /// This copy holds a branch that a forced service has left behind.
    pub abandoned: bool,
}

/// A row of sys.database_mirroring_witnesses.
#[derive(Clone, Debug)]
pub struct WitnessRow {
    /// Database.
    pub database: String,
    /// Server name of the principal.
    pub principal: String,
    /// Server name of the mirror.
    pub mirror: String,
    /// SAFETY FULL.
    pub safety_full: bool,
    /// Changes of the safety level.
    pub safety_sequence: i32,
    /// Role switches.
    pub role_sequence: i32,
    /// Identity of the partnership.
    pub guid: Uuid,
    /// Identity of the data.
    pub family: Uuid,
    /// No log is sent.
    pub suspended: bool,
    /// The copies are equal.
    pub synchronized: bool,
}
