//! One family of a backup set as a stream of bytes.

mod config;
mod layout;

use super::pages::{PAGE, Pages};
use super::spec::Spec;
use super::sum::BackupSum;
use super::words::Kind;
use layout::Layout;

/// What a set is appended to: one family of a medium that holds sets already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// Offset on the medium at which the set begins.
    pub at: u64,
    /// Places of all filemarks before it, oldest first.
    pub marks: Vec<u64>,
    /// Entries of the earlier sets in the set map, as they stand there.
    pub map: Vec<u8>,
    /// Media family id of the medium.
    pub family_id: u32,
}

/// A family's bytes, made while they are read. Its length is known beforehand.
///
/// ```
/// # use twinset_tests::stream::{GeneratedStream, Spec};
/// let spec = Spec::new(7, 1 << 20, 2);
/// let mut family = GeneratedStream::new(&spec, 1)?;
/// let mut first = [0; 512];
/// assert_eq!(family.fill(&mut first), 512);
/// assert_eq!(&first[..4], b"TAPE");
/// # Ok::<(), String>(())
/// ```
pub struct GeneratedStream {
    layout: Layout,
    pages: Pages,
    body: u64,
    at: u64,
    page: Box<[u8; PAGE]>,
    sum: Option<BackupSum>,
    // Stands at the start of the body of a log backup's first family.
    record: Vec<u8>,
}

impl GeneratedStream {
    /// The stream of family `family`, counted from 1.
    ///
    /// # Errors
    /// What [`Spec::check`] says, or that there is no such family.
    pub fn new(spec: &Spec, family: u16) -> Result<Self, String> {
        Self::behind(spec, family, None)
    }

    /// The same, behind the sets of a medium.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn behind(spec: &Spec, family: u16, behind: Option<&Behind>) -> Result<Self, String> {
        spec.check()?;
        if family == 0 || family > spec.families {
            return Err(format!("there is no family {family} of {}", spec.families));
        }
        let records = spec.kind == Kind::Log && family == 1;
        Ok(Self {
            layout: Layout::new(spec, family, behind),
            pages: Pages::new(spec.seed, family, spec.kind == Kind::Log),
            body: spec.family_size(),
            at: 0,
            page: Box::new([0; PAGE]),
            sum: spec.checksum.then(BackupSum::default),
            record: if records {
                spec.log.clone()
            } else {
                Vec::new()
            },
        })
    }

    /// Bytes of the whole stream.
    #[must_use]
    pub fn total_length(&self) -> u64 {
        self.layout.head.len() as u64 + self.body + self.layout.tail.len() as u64
    }

    /// Bytes given so far.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.at
    }

    /// Puts the next bytes into `buffer` and says how many; fewer than asked only at the
    /// end of the stream.
    pub fn fill(&mut self, buffer: &mut [u8]) -> usize {
        let mut done = 0;
        while done < buffer.len() {
            let more = self.step(&mut buffer[done..]);
            if more == 0 {
                break;
            }
            done += more;
        }
        done
    }

    fn step(&mut self, room: &mut [u8]) -> usize {
        let head = self.layout.head.len() as u64;
        let count = if self.at < head {
            copy(&self.layout.head[self.at as usize..], room)
        } else if self.at - head < self.body {
            self.step_body(self.at - head, room)
        } else {
            if let Some(sum) = self.sum.take() {
                self.layout.set_sum(sum.value());
            }
            copy(
                &self.layout.tail[(self.at - head - self.body) as usize..],
                room,
            )
        };
        self.at += count as u64;
        count
    }

    fn step_body(&mut self, at: u64, room: &mut [u8]) -> usize {
        let (number, inside) = (at / PAGE as u64, (at % PAGE as u64) as usize);
        if inside > 0 {
            return copy(&self.page[inside..], room);
        }
        let in_place = room.len() >= PAGE;
        let page = if in_place {
            &mut room[..PAGE]
        } else {
            self.page.as_mut_slice()
        };
        self.pages.make(number, page);
        let record = self.record.get(at as usize..).unwrap_or_default();
        copy(record, page);
        if let Some(sum) = &mut self.sum {
            sum.add(page);
        }
        if in_place {
            PAGE
        } else {
            copy(self.page.as_slice(), room)
        }
    }
}

impl std::io::Read for GeneratedStream {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        Ok(self.fill(buffer))
    }
}

fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let count = from.len().min(to.len());
    to[..count].copy_from_slice(&from[..count]);
    count
}
