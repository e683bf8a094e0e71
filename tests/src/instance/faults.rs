//! The knobs: how an instance can be made to misbehave.

use serde::Deserialize;

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

/// Faults of BACKUP and RESTORE, one set per instance; all off by default.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// How attentions are answered.
    pub attention: AttentionForm,
    /// SQL Server's number: the statement fails with it (and 3013) before the set is opened.
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
    /// A log that ends exactly where the database stands applies once more; else 4326 (unknown).
    pub equal_log_applies: bool,
    /// The virtual devices cannot be opened: the number that 3201 shows.
    pub open_fails: Option<u32>,
    /// BUFFERCOUNT times MAXTRANSFERSIZE for which there is memory, in bytes.
    pub vdi_memory: Option<u64>,
    /// A set of several virtual devices is aborted before its first byte.
    pub two_devices_abort: bool,
    /// No history row is written, and nothing is said of it.
    pub history_silent: bool,
    /// ClearError comes before the first write, and must be answered with success.
    pub clear_error_first: bool,
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
            equal_log_applies: false,
            open_fails: None,
            vdi_memory: None,
            two_devices_abort: false,
            history_silent: false,
            clear_error_first: false,
        }
    }
}
