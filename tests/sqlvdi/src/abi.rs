//! The words of the interface: structures, flags, commands and codes (facts/vdi.md 1.5-1.9).

/// What client and server agree upon; eleven 32-bit words (`VDConfig`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VdConfig {
    /// Number of devices in the set, 1 to 64; set by the client.
    pub device_count: u32,
    /// `VDF_*` mask; the server adds its own bits.
    pub features: u32,
    /// Bytes kept free just before each data zone.
    pub prefix_zone_size: u32,
    /// Alignment of data zones in bytes; 0 stands for the block size.
    pub alignment: u32,
    /// Only for devices with file marks.
    pub soft_file_mark_block_size: u32,
    /// Size of the end-of-media warning zone in bytes.
    pub eom_warning_size: u32,
    /// Milliseconds; the server gives up after two of them without progress; 0 = never.
    pub server_time_out: u32,
    /// Device block size in bytes; set by the server.
    pub block_size: u32,
    /// Always 4; set by the server.
    pub max_io_depth: u32,
    /// Largest single transfer in bytes; set by the server.
    pub max_transfer_size: u32,
    /// Bytes of the whole shared buffer area; set by the server.
    pub buffer_area_size: u32,
}

impl VdConfig {
    /// The eleven words in their order of the C structure.
    pub(crate) fn words(&self) -> [u32; 11] {
        [
            self.device_count,
            self.features,
            self.prefix_zone_size,
            self.alignment,
            self.soft_file_mark_block_size,
            self.eom_warning_size,
            self.server_time_out,
            self.block_size,
            self.max_io_depth,
            self.max_transfer_size,
            self.buffer_area_size,
        ]
    }

    /// The structure made of its eleven words.
    pub(crate) fn from_words(w: [u32; 11]) -> Self {
        Self {
            device_count: w[0],
            features: w[1],
            prefix_zone_size: w[2],
            alignment: w[3],
            soft_file_mark_block_size: w[4],
            eom_warning_size: w[5],
            server_time_out: w[6],
            block_size: w[7],
            max_io_depth: w[8],
            max_transfer_size: w[9],
            buffer_area_size: w[10],
        }
    }
}

/// One command as the client sees it (`VDC_Command`, 24 bytes).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VdcCommand {
    /// A `VDC_*` number.
    pub command_code: i32,
    /// Bytes to transfer, or a count.
    pub size: i32,
    /// Only used by random access devices.
    pub position: i64,
    /// Data zone in the client's address space; null for commands without data.
    pub buffer: *mut u8,
}

const _: () = assert!(size_of::<VdConfig>() == 44);
const _: () = assert!(size_of::<VdcCommand>() == 24 && align_of::<VdcCommand>() == 8);

/// Most devices in a set (T-SQL message 3205 beyond).
pub const MAX_DEVICES: usize = 64;

/// Feature flags, `VDF_*`.
pub mod features {
    /// Media may be changed.
    pub const REMOVABLE: u32 = 0x1;
    /// `VDC_Discard` is supported.
    pub const DISCARD: u32 = 0x80;
    /// Every transfer carries a position.
    pub const RANDOM_ACCESS: u32 = 0x200;
    /// `VDC_PrepareToFreeze` is wanted.
    pub const SNAPSHOT_PREPARE: u32 = 0x400;
    /// File listing of the snapshot writer.
    pub const ENUM_FROZEN_FILES: u32 = 0x800;
    /// The client asks for `VDC_Complete`.
    pub const REQUEST_COMPLETE: u32 = 0x2000;
    /// The operation writes (BACKUP).
    pub const WRITE_MEDIA: u32 = 0x1_0000;
    /// The operation reads (RESTORE).
    pub const READ_MEDIA: u32 = 0x2_0000;
    /// The server grants `VDC_Complete`.
    pub const COMPLETE_ENABLED: u32 = 0x4_0000;
    /// Tape-like devices.
    pub const LIKE_TAPE: u32 = 0x173;
}

/// Command codes, `VDC_*`.
pub mod commands {
    /// Fill the buffer.
    pub const READ: i32 = 1;
    /// Store the buffer.
    pub const WRITE: i32 = 2;
    /// Leave the error state.
    pub const CLEAR_ERROR: i32 = 3;
    /// Make everything before it durable.
    pub const FLUSH: i32 = 12;
    /// Everything was sent; take responsibility.
    pub const COMPLETE: i32 = 19;
}

/// Return codes of the library, `VD_E_*`.
pub mod returns {
    const fn code(n: u32) -> i32 {
        (0x8077_0000_u32 + n) as i32
    }
    /// Done.
    pub const OK: i32 = 0;
    /// The object is not open.
    pub const NOT_OPEN: i32 = code(2);
    /// The wait expired.
    pub const TIMEOUT: i32 = code(3);
    /// Abort was requested by one side.
    pub const ABORT: i32 = code(4);
    /// The security environment could not be made.
    pub const SECURITY: i32 = code(5);
    /// Bad parameter, unknown name, or not an active command.
    pub const INVALID: i32 = code(6);
    /// The configuration is invalid.
    pub const NOT_SUPPORTED: i32 = code(9);
    /// Out of memory.
    pub const MEMORY: i32 = code(0xA);
    /// Internal error.
    pub const UNEXPECTED: i32 = code(0xB);
    /// Wrong state, or it already exists.
    pub const PROTOCOL: i32 = code(0xC);
    /// All devices are open, or Close with open devices.
    pub const OPEN: i32 = code(0xD);
    /// The server closed the device: the normal end.
    pub const CLOSE: i32 = code(0xE);
    /// A resource is busy.
    pub const BUSY: i32 = code(0xF);
}

/// Completion codes, Win32 numbers.
pub mod completions {
    /// Done.
    pub const SUCCESS: i32 = 0;
    /// No more data to read.
    pub const HANDLE_EOF: i32 = 38;
    /// The command is not known.
    pub const NOT_SUPPORTED: i32 = 50;
    /// The store is full.
    pub const DISK_FULL: i32 = 112;
    /// Aborted; never the root cause.
    pub const OPERATION_ABORTED: i32 = 995;
    /// Hard error; also what queued commands get in the error state.
    pub const IO_DEVICE: i32 = 1117;
}
