//! The mapping, against calls that answer as Windows does of a tape in memory.
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;

use super::super::super::drive::{Drive, Errno};
use super::super::super::head::{Got, Head, Place};
use super::{Answer, Calls, Code, Media, Win32, code, errno, method, prepare};

/// A tape of blocks and filemarks (`None`), which refuses what Windows refuses.
#[derive(Debug, Default)]
struct Fake {
    objects: Vec<Option<Vec<u8>>>,
    at: usize,
    /// Objects behind which the drive warns of the end, and behind which nothing fits.
    warns: Option<usize>,
    ends: Option<usize>,
    protected: bool,
    empty: bool,
    variable: bool,
    locked: bool,
    immediate: bool,
    /// What the next calls answer instead.
    pending: VecDeque<Code>,
}

impl Fake {
    fn begin(&mut self) -> Answer {
        match self.pending.pop_front() {
            Some(code) => Err(code),
            None if self.empty => Err(code::NO_MEDIA_IN_DRIVE),
            None => Ok(()),
        }
    }

    fn put(&mut self, object: Option<Vec<u8>>) -> Answer {
        if self.protected {
            return Err(code::WRITE_PROTECT);
        }
        if self.ends.is_some_and(|ends| self.at >= ends) {
            return Err(code::EOM_OVERFLOW);
        }
        self.objects.truncate(self.at);
        self.objects.push(object);
        self.at += 1;
        Ok(())
    }

    /// Behind the warning each write says so, and is done.
    fn warned(&self) -> Answer {
        match self.warns {
            Some(warns) if self.at > warns => Err(code::END_OF_MEDIA),
            _ => Ok(()),
        }
    }
}

impl Calls for Fake {
    fn read(&mut self, buffer: &mut [u8]) -> Answer<usize> {
        self.begin()?;
        let object = self.objects.get(self.at).ok_or(code::NO_DATA_DETECTED)?;
        self.at += 1;
        let block = object.as_ref().ok_or(code::FILEMARK_DETECTED)?;
        let place = buffer.get_mut(..block.len()).ok_or(code::MORE_DATA)?;
        place.copy_from_slice(block);
        Ok(block.len())
    }

    fn write(&mut self, block: &[u8]) -> Answer<usize> {
        self.begin()?;
        if !self.variable {
            return Err(code::INVALID_BLOCK_LENGTH);
        }
        self.put(Some(block.to_vec()))?;
        self.warned().map(|()| block.len())
    }

    fn status(&mut self) -> Answer {
        self.begin()
    }

    fn position(&mut self) -> Answer<u64> {
        self.begin()?;
        Ok(self.at as u64)
    }

    fn set_position(&mut self, method: u32, offset: i64) -> Answer {
        self.begin()?;
        let count = usize::try_from(offset).map_err(|_| code::INVALID_PARAMETER)?;
        match method {
            method::REWIND => self.at = 0,
            method::LOGICAL_BLOCK if count > self.objects.len() => {
                self.at = self.objects.len();
                return Err(code::NO_DATA_DETECTED);
            }
            method::LOGICAL_BLOCK => self.at = count,
            method::FILEMARKS | method::RELATIVE_BLOCKS => {
                let mut left = count;
                while left > 0 {
                    let object = self.objects.get(self.at).ok_or(code::NO_DATA_DETECTED)?;
                    self.at += 1;
                    match (method, object.is_none()) {
                        (method::RELATIVE_BLOCKS, true) => return Err(code::FILEMARK_DETECTED),
                        (method::FILEMARKS, false) => {}
                        _ => left -= 1,
                    }
                }
            }
            _ => return Err(code::INVALID_PARAMETER),
        }
        Ok(())
    }

    fn write_marks(&mut self, count: u32, immediate: bool) -> Answer {
        self.begin()?;
        if immediate && !self.immediate {
            return Err(code::NOT_SUPPORTED);
        }
        for _ in 0..count {
            self.put(None)?;
        }
        self.warned()
    }

    fn prepare(&mut self, operation: u32) -> Answer {
        match operation {
            prepare::LOCK => self.locked = true,
            prepare::UNLOCK => self.locked = false,
            prepare::UNLOAD if self.locked => return Err(code::NOT_SUPPORTED),
            prepare::UNLOAD => self.empty = true,
            _ => return Err(code::INVALID_PARAMETER),
        }
        Ok(())
    }

    fn media(&mut self) -> Answer<Media> {
        self.begin()?;
        Ok(Media {
            capacity: 1000,
            remaining: 400,
            protected: self.protected,
        })
    }

    fn set_block(&mut self, length: u32) -> Answer {
        self.begin()?;
        self.variable = length == 0;
        Ok(())
    }

    fn set_compression(&mut self, _: bool) -> Answer {
        Err(code::NOT_SUPPORTED)
    }
}

fn drive(fake: Fake) -> Win32<Fake> {
    Win32::new(r"\\.\TAPE0".into(), fake, Some(false)).unwrap()
}

#[test]
fn numbers_become_those_of_st() {
    let cases = [
        (code::WRITE_PROTECT, Errno::ROFS),
        (code::END_OF_MEDIA, Errno::NOSPC),
        (code::EOM_OVERFLOW, Errno::NOSPC),
        (code::NO_MEDIA_IN_DRIVE, Errno::NOMEDIUM),
        (code::MORE_DATA, Errno::NOMEM),
        (code::NO_DATA_DETECTED, Errno::IO),
        (code::MEDIA_CHANGED, Errno::IO),
        (code::BUS_RESET, Errno::IO),
        (1117, Errno::IO),
        (1167, Errno::NODEV),
        (32, Errno::BUSY),
        (2, Errno::NOENT),
    ];
    for (code, expected) in cases {
        assert_eq!(errno(code), expected, "{code}");
    }
}

#[test]
fn blocks_marks_and_the_end_of_data_are_told_apart() {
    let mut head = Head::new(Box::new(drive(Fake::default())));
    head.begin().unwrap();
    head.write(b"one").unwrap();
    head.mark(true).unwrap();
    head.write(b"two").unwrap();
    head.write(b"three").unwrap();
    head.mark(false).unwrap();
    head.begin().unwrap();
    let mut buffer = [0; 8];
    for expected in [
        Got::Block(3),
        Got::Mark,
        Got::Block(3),
        Got::Block(5),
        Got::Mark,
        Got::End,
    ] {
        assert_eq!(head.read(&mut buffer, 8), Ok(expected));
    }
    head.go_to(Place { file: 1, block: 1 }).unwrap();
    assert_eq!(head.read(&mut buffer, 8), Ok(Got::Block(5)));
    assert_eq!(&buffer[..5], b"three");
    let mut small = [0; 2];
    head.rewind().unwrap();
    assert_eq!(head.read(&mut small, 2), Err(Errno::NOMEM));
}

#[test]
fn spacing_meets_marks_and_the_end() {
    let mut drive = drive(Fake::default());
    assert_eq!(drive.skip_blocks(1), Err(Errno::IO));
    assert!(drive.status().unwrap().end_of_data);
    drive.write(b"x").unwrap();
    drive.mark(true).unwrap();
    drive.rewind().unwrap();
    assert_eq!(drive.skip_blocks(2), Err(Errno::IO));
    assert!(!drive.status().unwrap().end_of_data);
    assert_eq!(drive.skip_marks(1), Err(Errno::IO));
    assert_eq!(drive.locate(7), Err(Errno::IO));
    assert_eq!(drive.locate(1), Ok(()));
    assert_eq!(drive.address(), Ok(1));
}

#[test]
fn behind_the_warning_nothing_is_written_twice() {
    let fake = Fake {
        warns: Some(1),
        ends: Some(4),
        ..Fake::default()
    };
    let mut drive = drive(fake);
    drive.write(b"a").unwrap();
    assert_eq!(drive.write(b"b"), Err(Errno::NOSPC));
    assert_eq!(drive.address(), Ok(2), "it is on the tape");
    assert_eq!(drive.sync(), Ok(()));
    assert_eq!(drive.mark(true), Ok(()), "the mark landed");
    assert_eq!(drive.mark(false), Ok(()));
    assert_eq!(drive.mark(true), Err(Errno::NOSPC), "nothing fits any more");
    assert_eq!(drive.address(), Ok(4));
}

#[test]
fn states_of_drive_and_cartridge() {
    let empty = Fake {
        empty: true,
        ..Fake::default()
    };
    let opened = Win32::new("t".into(), empty, None);
    assert_eq!(opened.map(drop), Err(Errno::NOMEDIUM));
    let mut drive = drive(Fake {
        protected: true,
        pending: [code::MEDIA_CHANGED].into(),
        ..Fake::default()
    });
    let status = drive.status().unwrap();
    assert!(status.online && status.protected && !status.cleaning);
    assert_eq!(drive.write(b"x"), Err(Errno::ROFS));
    drive.calls.pending = [code::REQUIRES_CLEANING].into();
    assert!(drive.status().unwrap().cleaning);
    let facts = drive.facts();
    assert_eq!((facts.capacity, facts.free), (Some(1000), Some(400)));
    assert_eq!(facts.alerts, "the drive did not take: compression");
    assert!(drive.calls.locked);
    drive.eject().unwrap();
    assert!(!drive.status().unwrap().online);
    assert_eq!(drive.rewind(), Err(Errno::NOMEDIUM));
}

#[test]
fn a_reset_is_rewound_away_and_a_change_is_not() {
    let mut drive = drive(Fake::default());
    drive.calls.pending = [code::BUS_RESET].into();
    assert_eq!(drive.rewind(), Ok(()));
    drive.calls.pending = [code::BUS_RESET].into();
    assert_eq!(drive.write(b"x"), Err(Errno::IO));
    drive.calls.pending = [code::MEDIA_CHANGED].into();
    assert_eq!(drive.rewind(), Err(Errno::IO));
    assert_eq!(drive.rewind(), Ok(()));
}
