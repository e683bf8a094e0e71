//! What is believed or unknown of mirroring, and the moments at which a session goes wrong.

use serde::Deserialize;

/// What the client of a backup meets when its server loses the role (unknown: sqlserver.md 1.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SwitchEnd {
    /// A broken connection.
    #[default]
    Cut,
    /// Message 596 before it.
    Killed,
    /// The statement ends with its errors, the connection lives.
    Error,
}

/// What happens to the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// SET PARTNER FAILOVER.
    Failover,
    /// The partners are cut apart and the mirror is forced into service.
    Force,
    /// The same, and they meet again: the old principal has to yield.
    Overthrow,
    /// SET PARTNER FAILOVER, and back.
    Twice,
    /// The principal loses partner and witness at once.
    Isolate,
}

/// When it happens, while a BACKUP runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Once the statement was accepted, before a device is opened.
    BeforeOpen,
    /// Every device has acknowledged its last command; the server has recorded nothing.
    Answered,
    /// The server has recorded the backup; its client does not know yet.
    Recorded,
}

/// A role switch in the middle of a BACKUP of the principal.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchAt {
    /// What happens.
    pub how: How,
    /// Once so many bytes of data have passed (all devices together).
    #[serde(default)]
    pub after_bytes: Option<u64>,
    /// At this moment.
    #[serde(default)]
    pub when: Option<When>,
}

/// The switches of an instance.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MirroringFaults {
    /// BACKUP of a mirror copy: 954 or 3059 (unknown which).
    pub backup_on_mirror: i32,
    /// BACKUP LOG WITH NORECOVERY or STANDBY on a principal (number unknown).
    pub tail_refusal: i32,
    /// A principal on its way out shows SYNCHRONIZING, not PENDING_FAILOVER (two pages differ).
    pub pending_shows_synchronizing: bool,
    /// mirroring_state 5 and 6 instead of 2 and 4 (two pages contradict each other).
    pub five_and_six: bool,
    /// Everybody sees the rows of mirrors (unknown since 2022).
    pub everybody_sees_mirrors: bool,
    /// Forced service although a witness is set, as the prose has it and the table not.
    pub force_with_witness: bool,
    /// The base of differentials is lost with the role (physically unexpected, undocumented).
    pub base_stays_behind: bool,
    /// How long a new principal recovers, in milliseconds.
    pub recovery_ms: u64,
    /// How a running backup learns of the switch.
    pub switch_ends: SwitchEnd,
    /// A switch in the middle of a BACKUP.
    pub switch: Option<SwitchAt>,
}

impl Default for MirroringFaults {
    fn default() -> Self {
        Self {
            backup_on_mirror: 954,
            tail_refusal: 1468,
            pending_shows_synchronizing: false,
            five_and_six: false,
            everybody_sees_mirrors: false,
            force_with_witness: true,
            base_stays_behind: false,
            recovery_ms: 0,
            switch_ends: SwitchEnd::Cut,
            switch: None,
        }
    }
}
