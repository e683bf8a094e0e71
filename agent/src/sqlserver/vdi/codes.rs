//! Numbers of the interface (facts/vdi.md 1.6 to 1.9).

use std::fmt;

/// Feature flags of a set.
pub mod feature {
    /// Strictly sequential: Read, Write, Flush and ClearError only. The only kind that works on
    /// Linux.
    pub const LIKE_PIPE: u32 = 0;
    /// Asks for the Complete command.
    pub const REQUEST_COMPLETE: u32 = 0x2000;
    /// The server will write: BACKUP.
    pub const WRITE_MEDIA: u32 = 0x1_0000;
    /// The server will read: RESTORE.
    pub const READ_MEDIA: u32 = 0x2_0000;
    /// The server will send Complete.
    pub const COMPLETE_ENABLED: u32 = 0x4_0000;
}

/// What the server wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Read,
    Write,
    ClearError,
    Flush,
    Complete,
    /// Any other number: answered with "not supported".
    Other(i32),
}

impl Order {
    pub(super) const fn from_code(code: i32) -> Self {
        match code {
            1 => Self::Read,
            2 => Self::Write,
            3 => Self::ClearError,
            12 => Self::Flush,
            19 => Self::Complete,
            other => Self::Other(other),
        }
    }
}

/// A completion code: what SQL Server shows as "Operating system error N".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Win32(pub i32);

impl Win32 {
    /// Done.
    pub const SUCCESS: Self = Self(0);
    /// The store failed while writing.
    pub const WRITE_FAULT: Self = Self(29);
    /// The store failed while reading.
    pub const READ_FAULT: Self = Self(30);
    /// No more data; bytes may still come with it.
    pub const HANDLE_EOF: Self = Self(38);
    /// The command is not known.
    pub const NOT_SUPPORTED: Self = Self(50);
    /// The store is full.
    pub const DISK_FULL: Self = Self(112);
    /// Hard I/O error.
    pub const IO_DEVICE: Self = Self(1117);
}

/// A return code of the library, on Windows an HRESULT; 0 is success, everything negative a failure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Vde(pub(super) i32);

impl Vde {
    pub(super) const TIMEOUT: Self = Self::numbered(3);
    pub(super) const ABORT: Self = Self::numbered(4);
    pub(super) const MEMORY: Self = Self::numbered(0xA);
    pub(super) const PROTOCOL: Self = Self::numbered(0xC);
    pub(super) const CLOSE: Self = Self::numbered(0xE);

    /// `E_OUTOFMEMORY`, which COM says for itself.
    pub(super) const OUT_OF_MEMORY: Self = Self(0x8007_000E_u32.cast_signed());

    const fn numbered(n: u32) -> Self {
        Self((0x8077_0000_u32 + n).cast_signed())
    }

    const fn name(self) -> &'static str {
        match self.0.cast_unsigned() {
            0x8000_4002 => return "E_NOINTERFACE, an older library",
            0x8000_4003 => return "E_POINTER",
            0x8001_010E => return "RPC_E_WRONG_THREAD",
            0x8004_0111 => return "CLASS_E_CLASSNOTAVAILABLE",
            0x8004_0154 => return "REGDB_E_CLASSNOTREG, class not registered",
            0x8004_01F0 => return "CO_E_NOTINITIALIZED",
            0x8007_0002 => return "file not found",
            0x8007_0005 => return "E_ACCESSDENIED, access denied",
            0x8007_000E => return "E_OUTOFMEMORY, out of memory",
            0x8007_0057 => return "E_INVALIDARG",
            0x8007_007E => return "module not found",
            0x8007_00C1 => return "not a program of this architecture",
            _ => {}
        }
        match self.0.cast_unsigned().wrapping_sub(0x8077_0000) {
            2 => "VD_E_NOTOPEN, object not open",
            3 => "VD_E_TIMEOUT, wait expired",
            4 => "VD_E_ABORT, abort requested",
            5 => "VD_E_SECURITY, the security environment could not be made",
            6 => "VD_E_INVALID, bad parameter or unknown name",
            7 => "VD_E_INSTANCE_NAME, instance name not recognised",
            9 => "VD_E_NOTSUPPORTED, configuration invalid",
            0xA => "VD_E_MEMORY, out of memory",
            0xB => "VD_E_UNEXPECTED, internal error",
            0xC => "VD_E_PROTOCOL, wrong state or name in use",
            0xD => "VD_E_OPEN, devices open",
            0xE => "VD_E_CLOSE, device closed by server",
            0xF => "VD_E_BUSY, resource busy",
            _ => "unknown code",
        }
    }
}

impl fmt::Display for Vde {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08X} ({})", self.0, self.name())
    }
}

impl fmt::Debug for Vde {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
