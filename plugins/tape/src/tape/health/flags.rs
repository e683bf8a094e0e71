//! The flags of TapeAlert, as SSC-3 has them (annex of TapeAlert flags): number, how grave, name, and
//! what an operator does about it.

/// How grave a flag is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grave {
    /// Data, drive or cartridge are in danger.
    Critical,
    /// They may be soon.
    Warning,
    /// Good to know.
    Note,
}

impl Grave {
    /// As the host reads it at the beginning of a line.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// What a flag is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// The cartridge that is in the drive.
    Cartridge,
    /// The drive, whichever is in it.
    Drive,
}

/// A flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flag {
    pub(crate) number: u8,
    pub(crate) grave: Grave,
    pub(crate) of: Of,
    pub(crate) name: &'static str,
    pub(crate) means: &'static str,
    pub(crate) remedy: &'static str,
}

/// A flag by its number; one that has no name is told by its number alone.
pub(crate) fn flag(number: u8) -> Flag {
    let row = TABLE.iter().find(|row| row.0 == number);
    let (_, grave, of, name, means, remedy) = *row.unwrap_or(&UNKNOWN);
    Flag {
        number,
        grave,
        of,
        name,
        means,
        remedy,
    }
}

type Row = (u8, Grave, Of, &'static str, &'static str, &'static str);

const C: Grave = Grave::Critical;
const W: Grave = Grave::Warning;
const N: Grave = Grave::Note;
const TAPE: Of = Of::Cartridge;
const DRIVE: Of = Of::Drive;

const VERIFY: &str = "verify its media set, repair what is bad, and take it out of use";
const NO_DATA: &str = "take it out, and put a data cartridge in";
const SERVICE: &str = "have the drive looked at; use another one meanwhile";
const MAKER: &str = "look into the drive's manual, or ask its maker";
const CLEAN: &str = "put a cleaning cartridge in";
const UNKNOWN: Row = (
    0,
    N,
    DRIVE,
    "a flag without a name",
    "the drive raised it",
    MAKER,
);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    (1, W, TAPE, "read warning", "reading is hard, the data are still good", VERIFY),
    (2, W, TAPE, "write warning", "writing is hard, the data are still good", VERIFY),
    (3, W, TAPE, "hard error", "a read or a write failed that cannot be put right", VERIFY),
    (4, C, TAPE, "media", "the cartridge is bad: it can no longer be written or read", VERIFY),
    (5, C, TAPE, "read failure", "cartridge or drive is bad: reading failed", VERIFY),
    (6, C, TAPE, "write failure", "cartridge or drive is bad: writing failed", VERIFY),
    (7, W, TAPE, "media life", "the cartridge is at the end of its life", VERIFY),
    (8, W, TAPE, "not data grade", "it is not made for data", NO_DATA),
    (9, C, TAPE, "write protect", "a write met a protected cartridge", "open its tab"),
    (10, N, DRIVE, "no removal", "the cartridge was to be ejected while in use",
        "wait until the run has ended"),
    (11, N, TAPE, "cleaning media", "a cleaning cartridge is in the drive", NO_DATA),
    (12, N, TAPE, "unsupported format", "the drive does not know this kind of cartridge", NO_DATA),
    (13, C, TAPE, "recoverable mechanical failure", "the tape is torn, and can be taken out",
        "take it out of use; repair the mirror onto another one"),
    (14, C, TAPE, "unrecoverable mechanical failure", "the tape is torn and sits in the drive",
        "do not pull it out; have the drive serviced"),
    (15, W, TAPE, "memory chip failure", "the chip in the cartridge failed", VERIFY),
    (16, C, DRIVE, "forced eject", "the cartridge was taken out while it was in use",
        "put it back, then run `twinset media recover`"),
    (17, W, TAPE, "read only format", "the drive reads such cartridges and does not write them",
        "put one of the drive's own generation in"),
    (18, W, TAPE, "directory corrupted", "the cartridge's own directory is bad: searching is slow",
        "verify its media set: reading all of it puts the directory right"),
    (19, N, TAPE, "nearing media life", "the cartridge comes to the end of its life",
        "have another one ready"),
    (20, C, DRIVE, "clean now", "the drive must be cleaned before it goes on", CLEAN),
    (21, W, DRIVE, "clean periodic", "the drive is due for cleaning", CLEAN),
    (22, C, DRIVE, "expired cleaning media", "the cleaning cartridge is used up",
        "throw it away, and put a new one in"),
    (23, C, DRIVE, "invalid cleaning media", "the cleaning cartridge is of a wrong kind",
        "put one in that the drive's maker names"),
    (24, W, DRIVE, "retension", "the tape should be wound once over its length", MAKER),
    (25, W, DRIVE, "port interface", "one of the drive's ports failed", "look at its cables"),
    (26, W, DRIVE, "cooling fan", "a fan in the drive failed", SERVICE),
    (27, W, DRIVE, "power supply", "a redundant power supply failed", SERVICE),
    (28, W, DRIVE, "power consumption", "the drive takes more power than it should", SERVICE),
    (29, W, DRIVE, "drive maintenance", "the drive is due for maintenance, not cleaning", SERVICE),
    (30, C, DRIVE, "hardware A", "a fault in the drive that a reset may end",
        "give the cartridge out and reset the drive; have it looked at if it comes again"),
    (31, C, DRIVE, "hardware B", "a fault in the drive that it did not get over when it started",
        "turn the drive off and on; have it looked at if it comes again"),
    (32, W, DRIVE, "interface", "the drive met an error on its way to the host",
        "look at cables, terminators and adapters"),
    (33, C, DRIVE, "eject media", "an error that needs the cartridge out",
        "give it out, put it back, and run again"),
    (34, W, DRIVE, "microcode update", "new firmware was not taken", "load it again"),
    (35, W, DRIVE, "humidity", "it is too dry or too damp for the drive", "look at the room"),
    (36, W, DRIVE, "temperature", "the drive is too warm or too cold", "look at the room"),
    (37, W, DRIVE, "voltage", "the drive's supply is out of its limits", SERVICE),
    (38, C, DRIVE, "predictive failure", "the drive expects to fail soon", SERVICE),
    (39, W, DRIVE, "diagnostics", "the drive may be failing", SERVICE),
    (50, W, TAPE, "lost statistics", "what the cartridge counted was lost", "nothing need be done"),
    (51, W, TAPE, "directory invalid at unload",
        "the cartridge's own directory was not written: searching is slow",
        "verify its media set: reading all of it puts the directory right"),
    (52, C, TAPE, "system area write failure", "what the drive keeps on the tape was not written",
        VERIFY),
    (53, C, TAPE, "system area read failure", "what the drive keeps on the tape cannot be read",
        VERIFY),
    (54, C, TAPE, "no start of data", "the beginning of the data was not found",
        "is it the right cartridge, of the right kind? verify its media set"),
    (55, C, TAPE, "loading failure", "the cartridge could not be threaded",
        "take it out and try another one; if that fails too it is the drive"),
    (56, C, DRIVE, "unload failure", "the cartridge cannot be given out",
        "do not pull it out; have the drive serviced"),
    (57, C, DRIVE, "automation interface", "the drive and its library do not hear each other",
        "have the library looked at"),
    (58, W, DRIVE, "microcode failure", "the drive's firmware met a fault of its own", SERVICE),
    (59, W, TAPE, "WORM integrity", "a cartridge that is written once is not as it was left",
        "keep it as it is; verify its media set"),
    (60, W, TAPE, "WORM overwrite", "something tried to write over a cartridge that is written once",
        "look who else uses the drive"),
];
