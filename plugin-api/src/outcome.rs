//! Classes of outcomes, classes of devices, capability bits: numbers with fixed meaning.

use std::fmt;

/// What became of a call. The class decides what the agent does next, never the text.
///
/// A plain number, so that later revisions can add classes: an unknown one is treated as
/// [`Outcome::PERMANENT`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Outcome(pub u32);

macro_rules! outcomes {
    ($($(#[$doc:meta])* $name:ident = $number:literal $text:literal;)*) => {
        impl Outcome {
            $($(#[$doc])* pub const $name: Self = Self($number);)*

            /// The class in words, as messages say it.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    _ => "unknown outcome",
                }
            }

            const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

outcomes! {
    /// Done.
    OK = 0 "done";
    /// The medium is full; the error says how many bytes of this call were taken.
    END_OF_MEDIUM = 1 "end of medium";
    /// A read or seek met the end of the section.
    END_OF_SECTION = 2 "end of section";
    /// There is no volume in the device.
    NO_MEDIUM = 3 "no volume";
    /// There is a volume, but not the wanted one.
    WRONG_MEDIUM = 4 "wrong volume";
    /// The volume or device does not take writes.
    WRITE_PROTECTED = 5 "write protected";
    /// Somebody else holds the volume; the text is `agent TAB host`.
    LOCKED = 6 "locked";
    /// What was to be made exists; nothing was changed.
    EXISTS = 7 "exists already";
    /// This device does not have this call.
    NOT_SUPPORTED = 8 "not supported";
    /// A person has to do something (put in a tape); the text says what.
    NEEDS_OPERATOR = 9 "needs the operator";
    /// May work when tried again later.
    TRANSIENT = 10 "failed for now";
    /// Trying again will not help.
    PERMANENT = 11 "failed";
    /// The plugin panicked; this handle is of no more use.
    PANICKED = 12 "panicked";
    /// What was asked for is not there.
    NOT_FOUND = 13 "not found";
    /// The options were refused; the text begins with the key path: `path: must be absolute`.
    BAD_OPTION = 14 "option refused";
    /// The call ended because it was cancelled.
    CANCELLED = 15 "cancelled";
    /// The host's buffer is too small; nothing was taken away, the needed size is said.
    TOO_SMALL = 16 "buffer too small";
    /// The device did not answer in time. Only the host says this, never a plugin.
    DEADLINE = 17 "no answer within the deadline";
}

impl Outcome {
    /// True for [`Outcome::OK`] alone.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        self.0 == Self::OK.0
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Outcome({})", self.0),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Disk or tape: mirrors of one media set have one class (number 3011).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeviceClass(pub u32);

impl DeviceClass {
    /// A folder, an object store: sections can be reached and removed one by one.
    pub const DISK: Self = Self(1);
    /// A drive with tapes.
    pub const TAPE: Self = Self(2);
}

impl fmt::Debug for DeviceClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for DeviceClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::DISK => f.write_str("disk"),
            Self::TAPE => f.write_str("tape"),
            Self(other) => write!(f, "class {other}"),
        }
    }
}

/// What a device can do beyond the calls that all have. Bits; new ones may be added.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities;

impl Capabilities {
    /// Single sections can be removed (`remove_section`).
    pub const RANDOM_REMOVE: u32 = 1;
    /// Sections can be opened in any order at little cost, and `seek` is cheap.
    pub const RANDOM_READ: u32 = 1 << 1;
    /// Sections can be added to a volume that holds some.
    pub const APPEND: u32 = 1 << 2;
    /// A family may go on on a further volume at end of medium.
    pub const SPAN: u32 = 1 << 3;
    /// The device changes volumes by itself.
    pub const CHANGER: u32 = 1 << 4;
    /// What was written cannot be removed before its time.
    pub const WORM: u32 = 1 << 5;
    /// The exclusive lock holds against other hosts too, where the storage allows it.
    pub const LOCK_ACROSS_HOSTS: u32 = 1 << 6;
    /// A damaged section can be replaced (`SectionMode::Repair`).
    pub const REPAIR: u32 = 1 << 7;
    /// Records and leftovers can be removed.
    pub const REMOVE_RECORDS: u32 = 1 << 8;
    /// Reading takes bytes out of a store whose owner may charge for them.
    pub const METERED_READ: u32 = 1 << 9;
}
