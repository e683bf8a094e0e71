//! What a drive answers when a call fails, in the numbers of Linux: its `st` driver is the model of
//! the drive layer. What another system says is put into these words by its `os` module.

use std::fmt;

use super::os;

/// A number of Linux. Only those have names that mean something to this plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(i32);

macro_rules! numbers {
    ($($name:ident = $number:literal $text:literal,)*) => {
        #[allow(dead_code)]
        impl Errno {
            $(#[doc = $text] pub(crate) const $name: Self = Self($number);)*

            /// The words for a system that has others for its own numbers.
            pub(crate) const fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    _ => "not known",
                }
            }
        }
    };
}

numbers! {
    PERM = 1 "operation not permitted",
    NOENT = 2 "no such file or folder",
    IO = 5 "the drive reports an error",
    NXIO = 6 "no such device",
    BADF = 9 "not opened for this",
    AGAIN = 11 "not now",
    NOMEM = 12 "out of memory, or a block longer than the buffer",
    ACCESS = 13 "access denied",
    BUSY = 16 "in use by another program",
    EXIST = 17 "exists already",
    NODEV = 19 "the device is gone",
    NOTDIR = 20 "not a folder",
    INVAL = 22 "refused as not valid",
    FBIG = 27 "file too large",
    NOSPC = 28 "no room left",
    ROFS = 30 "write-protected",
    NOSYS = 38 "not known to the drive",
    OVERFLOW = 75 "too large a number",
    DQUOT = 122 "quota exceeded",
    NOMEDIUM = 123 "no cartridge",
}

impl Errno {
    /// From a number of Linux.
    #[allow(dead_code)]
    pub(crate) const fn from_raw(number: i32) -> Self {
        Self(number)
    }

    /// The number of Linux.
    #[allow(dead_code)]
    pub(crate) const fn raw(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&os::words(*self))
    }
}
