//! Which drives are believed to tell addresses.
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;

use super::super::drive::Facts;
use super::*;

/// A drive that tells these addresses, one after the other.
#[derive(Debug)]
struct Telling {
    addresses: VecDeque<Done<u32>>,
    blank: bool,
}

impl Drive for Telling {
    fn name(&self) -> &str {
        "telling"
    }

    fn rewind(&mut self) -> Done {
        Ok(())
    }

    fn read(&mut self, _: &mut [u8]) -> Done<usize> {
        Ok(0)
    }

    fn write(&mut self, _: &[u8]) -> Done {
        Ok(())
    }

    fn mark(&mut self, _: bool) -> Done {
        Ok(())
    }

    fn sync(&mut self) -> Done {
        Ok(())
    }

    fn skip_marks(&mut self, _: u32) -> Done {
        Ok(())
    }

    fn skip_blocks(&mut self, _: u32) -> Done {
        if self.blank { Err(Errno::IO) } else { Ok(()) }
    }

    fn locate(&mut self, _: u32) -> Done {
        Ok(())
    }

    fn address(&mut self) -> Done<u32> {
        self.addresses.pop_front().unwrap_or(Err(Errno::IO))
    }

    fn status(&mut self) -> Done<Status> {
        Ok(Status::default())
    }

    fn facts(&mut self) -> Facts {
        Facts::default()
    }

    fn eject(&mut self) -> Done {
        Ok(())
    }
}

fn is_believed(addresses: &[Done<u32>], blank: bool) -> bool {
    let mut head = Head::new(Box::new(Telling {
        addresses: addresses.iter().copied().collect(),
        blank,
    }));
    head.begin().unwrap();
    assert_eq!(head.at(), Some(Place { file: 0, block: 0 }));
    head.locates
}

#[test]
fn a_drive_is_believed_that_tells_two_addresses_right() {
    assert!(is_believed(&[Ok(0), Ok(1)], false));
    assert!(!is_believed(&[Err(Errno::IO)], false));
    assert!(!is_believed(&[Ok(0), Err(Errno::IO)], false));
    // What lay in a buffer: zeros, or anything.
    assert!(!is_believed(&[Ok(0), Ok(0)], false));
    assert!(!is_believed(&[Ok(0x7473), Ok(1)], false));
    // Nothing to stand behind; it is asked again when the tape has its label.
    assert!(!is_believed(&[Ok(0), Ok(1)], true));
}
