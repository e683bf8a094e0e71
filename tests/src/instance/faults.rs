//! The knobs: how an instance can be made to misbehave.

use serde::Deserialize;

use super::availability::AvailabilityFaults;
use super::mirroring::knobs::MirroringFaults;

/// How an attention is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttentionForm {
    /// The response ends, then an acknowledgement of its own: SQL Server's way.
    #[default]
    Separate,
    /// The acknowledgement closes the open message.
    Inside,
    /// No acknowledgement.
    Never,
}

/// Where the connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drop {
    /// Before message 3014; the backup itself is complete.
    BeforeSuccess,
    /// After message 3014, before DONE.
    AfterSuccess,
}

/// Faults of virtual device sets; all off by default. What is off is left to the environment
/// (`SQLVDI_DOUBLE_*`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VdiFaults {
    /// The set cannot be opened, with this code (0x80770006, 0x80070002) in message 3201.
    pub open_code: Option<i64>,
    /// More bytes of buffers than this cannot be had (0x8007000E).
    pub memory_limit: Option<u64>,
    /// GetConfiguration answers this code, and nothing else happens.
    pub configure_code: i32,
    /// The client's timeouts count seconds.
    pub timeout_in_seconds: bool,
    /// Sets of several devices abort once all are open.
    pub two_devices_abort: bool,
    /// A client that asked for random access is aborted in the middle (vdi.md 5, row 14).
    pub random_access_aborts: bool,
    /// A dead client is not noticed.
    pub ignore_client_death: bool,
    /// Pause before each command, in milliseconds.
    pub idle_gap_ms: u64,
    /// ClearError is the first command of each device.
    pub clear_error_first: bool,
    /// One more read behind the end of the data.
    pub read_past_end: bool,
}

/// Faults of BACKUP and RESTORE, one set per instance; all off by default.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// How attentions are answered.
    pub attention: AttentionForm,
    /// SQL Server's number: the statement, if it names a database, fails with it (and 3013) before
    /// the set is opened.
    pub fail_before_open: Option<i32>,
    /// The server ends the transfer with an I/O error after so many bytes (all devices together).
    pub fail_after_bytes: Option<u64>,
    /// The statement fails although every device was closed normally.
    pub fail_after_close: bool,
    /// The history row cannot be written: 3009, then 3014.
    pub history_fails: bool,
    /// Cut the connection.
    pub drop_connection: Option<Drop>,
    /// Slows a transfer down to so many bytes a second (all devices together).
    pub bytes_per_second: Option<u64>,
    /// Wait between the close of the devices and DONE, in milliseconds.
    pub done_delay_ms: u64,
    /// Whether VDC_Complete is granted to a client that asks.
    pub complete_enabled: bool,
    /// The statement hangs before it opens the set.
    pub never_open: bool,
    /// msdb's history may be read by those alone who were granted it (unknown: often public).
    pub msdb_is_private: bool,
    /// A client that is gone is not noticed (vdi.md 5, row 27): its statement goes on until KILL.
    pub ignores_disconnect: bool,
    /// The server aborts the set after so many bytes.
    pub abort_after_bytes: Option<u64>,
    /// Flush, more writes, Flush again, as with FILESTREAM data.
    pub extra_flush: bool,
    /// An unknown command code sent before the first transfer.
    pub unknown_command: Option<i32>,
    /// The server closes the devices of a restore before all data was read.
    pub restore_closes_early: bool,
    /// How long DBCC CHECKDB takes, in milliseconds.
    pub check_delay_ms: u64,
    /// DBCC CHECKDB ends with this error: 8921, 8930 or 8967.
    pub check_terminates: Option<i32>,
    /// Whether PHYSICAL_ONLY moves LastGoodCheckDbTime (it depends on the version).
    pub physical_only_counts: bool,
    /// How long a killed session rolls back, in milliseconds.
    pub rollback_delay_ms: u64,
    /// Seeds the sizes of reads.
    pub seed: u64,
    /// The connection is cut after so many bytes of the answer to a BACKUP or RESTORE, which may
    /// be in the middle of a token.
    pub cut_reply_after: Option<u64>,
    /// The connection is cut once so many bytes of data have passed.
    pub lose_client_after_bytes: Option<u64>,
    /// A statement whose client is gone runs on (unknown: tds.md 8.2).
    pub lost_client_goes_on: bool,
    /// Neither DONE nor the end of the message comes behind 3014.
    pub never_done: bool,
    /// An error is told before 3014 although the statement succeeds.
    pub error_then_success: Option<i32>,
    /// The whole process dies once so many bytes of data have passed.
    pub die_after_bytes: Option<u64>,
    /// Wait before the answer to a login, in milliseconds.
    pub login_delay_ms: u64,
    /// The virtual device sets.
    pub vdi: VdiFaults,
    /// A log that ends exactly where the database stands applies once more; else 4326 (unknown).
    pub equal_log_applies: bool,
    /// The virtual devices cannot be opened: the number that 3201 shows.
    pub open_fails: Option<u32>,
    /// BUFFERCOUNT times MAXTRANSFERSIZE for which there is memory, in bytes.
    pub vdi_memory: Option<u64>,
    /// No history row is written, and nothing is said of it.
    pub history_silent: bool,
    /// Database mirroring.
    pub mirroring: MirroringFaults,
    /// Availability groups.
    pub availability: AvailabilityFaults,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            attention: AttentionForm::Separate,
            fail_before_open: None,
            fail_after_bytes: None,
            fail_after_close: false,
            history_fails: false,
            drop_connection: None,
            bytes_per_second: None,
            done_delay_ms: 0,
            complete_enabled: true,
            never_open: false,
            msdb_is_private: false,
            ignores_disconnect: false,
            abort_after_bytes: None,
            extra_flush: false,
            unknown_command: None,
            restore_closes_early: false,
            check_delay_ms: 0,
            check_terminates: None,
            physical_only_counts: false,
            rollback_delay_ms: 0,
            seed: 0,
            cut_reply_after: None,
            lose_client_after_bytes: None,
            lost_client_goes_on: false,
            never_done: false,
            error_then_success: None,
            die_after_bytes: None,
            login_delay_ms: 0,
            vdi: VdiFaults::default(),
            equal_log_applies: false,
            open_fails: None,
            vdi_memory: None,
            history_silent: false,
            mirroring: MirroringFaults::default(),
            availability: AvailabilityFaults::default(),
        }
    }
}
