//! What a drive says of itself and of its cartridge: log pages of SCSI (SPC, SSC), read strictly, and
//! the flags of TapeAlert that were seen, in words.
//!
//! Reading the flags clears them in the drive. So only who writes asks for them, at moments after
//! which the cartridge is identified before anything is written to it: the question may be answered
//! by the drive's one word of a reset or of another cartridge, and the driver never hears it then.

mod flags;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use twinset_plugin_api::{Host, Level};

pub(crate) use flags::{Flag, Grave, Of, flag};

#[cfg(test)]
mod tests;

/// Log page of the TapeAlert flags.
pub(crate) const PAGE_FLAGS: u8 = 0x2e;
/// Log page of the capacity.
pub(crate) const PAGE_ROOM: u8 = 0x31;
/// Flags that the page has.
const FLAGS: u16 = 64;
/// Flags of one session that are kept.
const KEPT_MAX: usize = 256;
/// Bytes of all lines together: the host takes 2048.
const TOLD_MAX: usize = 1900;
/// Characters of a cartridge's name.
const NAME_MAX: usize = 64;

/// Why an answer is not believed.
pub(crate) type Odd = String;

/// Room on a cartridge, in bytes, without compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// What still fits.
    pub(crate) free: u64,
    /// What fits in all.
    pub(crate) capacity: u64,
}

/// The numbers of the flags that are set, by page 2Eh: 64 parameters of one byte.
pub(crate) fn read_flags(page: &[u8]) -> Result<Vec<u8>, Odd> {
    let mut set = Vec::new();
    for (code, value) in parameters(PAGE_FLAGS, page)? {
        let number = u8::try_from(code)
            .ok()
            .filter(|_| (1..=FLAGS).contains(&code));
        match (number, value) {
            (Some(number), [value]) if value & 1 == 1 => set.push(number),
            (Some(_), [_]) => {}
            _ => return Err(format!("flag {code} has {} bytes", value.len())),
        }
    }
    Ok(set)
}

/// Room by page 31h: what is left of the main partition (1), and what it holds (3), in MiB. A drive
/// without a cartridge says zero.
pub(crate) fn read_room(page: &[u8]) -> Result<Option<Room>, Odd> {
    let (mut free, mut capacity) = (None, None);
    for (code, value) in parameters(PAGE_ROOM, page)? {
        let place = match code {
            1 => &mut free,
            3 => &mut capacity,
            _ => continue,
        };
        let value: [u8; 4] = value
            .try_into()
            .map_err(|_| format!("parameter {code} has {} bytes", value.len()))?;
        *place = Some(u64::from(u32::from_be_bytes(value)) << 20);
    }
    match (free, capacity) {
        (Some(free), Some(capacity)) if free > capacity => {
            Err(format!("{free} of {capacity} bytes are left"))
        }
        (Some(free), Some(capacity)) if capacity > 0 => Ok(Some(Room { free, capacity })),
        _ => Ok(None),
    }
}

/// The parameters of a log page, in rising order: page code, subpage, length of the rest; each
/// parameter its code, a byte of control, its length, its value.
fn parameters(page: u8, bytes: &[u8]) -> Result<Vec<(u16, &[u8])>, Odd> {
    let short = || "it ends too early".to_owned();
    let [code, subpage, high, low, rest @ ..] = bytes else {
        return Err(short());
    };
    if (code & 0x3f, *subpage) != (page, 0) {
        return Err(format!("it is page {:02x}h of {subpage}", code & 0x3f));
    }
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let mut rest = rest.get(..length).ok_or_else(short)?;
    let mut found: Vec<(u16, &[u8])> = Vec::new();
    while let [high, low, _, length, behind @ ..] = rest {
        let code = u16::from_be_bytes([*high, *low]);
        let value = behind.get(..usize::from(*length)).ok_or_else(short)?;
        if found.last().is_some_and(|(last, _)| *last >= code) {
            return Err(format!("parameter {code} is out of order"));
        }
        found.push((code, value));
        rest = behind.get(value.len()..).unwrap_or_default();
    }
    match rest {
        [] => Ok(found),
        _ => Err(short()),
    }
}

/// Their lines, the gravest first.
type Seen = BTreeMap<(Grave, u8, String), String>;

/// Flags that were seen while a device was open, with the cartridge that was in the drive.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book(Arc<Mutex<Seen>>);

impl Book {
    /// Flags that were read; each is told once, one about cartridges once for each. Gives the lines
    /// of those that are new.
    pub(crate) fn note(&self, numbers: &[u8], cartridge: &str) -> Vec<String> {
        let plain = cartridge.chars().filter(|c| !c.is_control());
        let cartridge: String = plain.take(NAME_MAX).collect();
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = Vec::new();
        for flag in numbers.iter().map(|number| flag(*number)) {
            let about = match flag.of {
                Of::Cartridge => cartridge.clone(),
                Of::Drive => String::new(),
            };
            let key = (flag.grave, flag.number, about);
            if book.len() < KEPT_MAX && !book.contains_key(&key) {
                let line = line(&flag, &cartridge);
                book.insert(key, line.clone());
                new.push(line);
            }
        }
        new
    }

    /// A line for each, the gravest first, as many as a host takes.
    pub(crate) fn lines(&self) -> Vec<String> {
        let book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut room = TOLD_MAX;
        let fits = |line: &&String| {
            let left = room.checked_sub(line.len() + 1);
            room = left.unwrap_or(0);
            left.is_some()
        };
        book.values().take_while(fits).cloned().collect()
    }
}

/// `GRAVE: what it is called: what it means; what to do`.
fn line(flag: &Flag, cartridge: &str) -> String {
    let Flag { number, name, .. } = flag;
    let (about, inside) = match flag.of {
        _ if cartridge.is_empty() => (String::new(), String::new()),
        Of::Cartridge => (format!(", cartridge {cartridge}"), String::new()),
        Of::Drive => (String::new(), format!(" (cartridge {cartridge} was in it)")),
    };
    format!(
        "{}: {name} (TapeAlert {number}){about}: {}{inside}; {}",
        flag.grave.word(),
        flag.means,
        flag.remedy
    )
}

/// Who is asked, and where it is written down.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    /// What was seen.
    pub(crate) book: Book,
    /// The agent's services.
    pub(crate) host: Host,
    /// The program that asks a real drive.
    pub(crate) program: PathBuf,
    /// Flags are read, and so cleared: who only reads leaves them for who writes.
    pub(crate) takes: bool,
}

impl Asker {
    /// Writes down what a drive answered. A drive that cannot be asked costs nobody anything.
    pub(crate) fn hear(&self, drive: &str, answer: Result<Vec<u8>, String>, cartridge: &str) {
        match answer {
            Ok(flags) => {
                for line in self.book.note(&flags, cartridge) {
                    self.host.log(Level::Warn, &format!("{drive}: {line}"));
                }
            }
            Err(why) => {
                let text = format!("{drive} was not asked how it is: {why}");
                self.host.log(Level::Info, &text);
            }
        }
    }
}
