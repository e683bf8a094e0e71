//! The payload: pieces of 64 KiB, each sealed under its number; the last one says that it is last,
//! so that a file cut off between two pieces does not open.

use std::io::{self, BufRead, Read};

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};

use super::AgeError;
use super::header::{FileKey, cipher, derive, random};

/// Plain bytes in a piece.
pub(super) const PIECE: usize = 64 << 10;
/// What sealing adds to each piece.
pub(super) const TAG: usize = 16;
/// Random bytes in front of the payload.
const NONCE: usize = 16;

/// Seals a payload.
pub(crate) struct Sealer {
    key: LessSafeKey,
    number: u64,
    piece: Vec<u8>,
}

impl Sealer {
    /// A sealer, and the bytes that stand in front of the payload.
    pub(super) fn new(file_key: &FileKey) -> Result<([u8; NONCE], Self), AgeError> {
        let nonce: [u8; NONCE] = random()?;
        let sealer = Self {
            key: cipher(&derive(&nonce, &file_key.0, b"payload")?)?,
            number: 0,
            piece: Vec::with_capacity(PIECE + TAG),
        };
        Ok((nonce, sealer))
    }

    /// Takes plain bytes; whole pieces go to `out`.
    ///
    /// # Errors
    /// What `out` says, or [`AgeError::Crypto`] as its kind.
    pub(crate) fn push<E: From<AgeError>>(
        &mut self,
        mut plain: &[u8],
        out: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while !plain.is_empty() {
            if self.piece.len() == PIECE {
                self.seal(false, out)?;
            }
            let (now, later) = plain.split_at(plain.len().min(PIECE - self.piece.len()));
            self.piece.extend_from_slice(now);
            plain = later;
        }
        Ok(())
    }

    /// Seals what is left as the last piece.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(crate) fn finish<E: From<AgeError>>(
        mut self,
        out: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.seal(true, out)
    }

    fn seal<E: From<AgeError>>(
        &mut self,
        last: bool,
        out: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let nonce = nonce(self.number, last);
        self.key
            .seal_in_place_append_tag(nonce, Aad::empty(), &mut self.piece)
            .map_err(|_| AgeError::Crypto("seal"))?;
        self.number += 1;
        out(&self.piece)?;
        self.piece.clear();
        Ok(())
    }
}

/// The number of the piece in 11 bytes, and whether it is the last.
fn nonce(number: u64, last: bool) -> Nonce {
    let mut bytes = [0; 12];
    let (_, tail) = bytes.split_at_mut(3);
    let (counter, flag) = tail.split_at_mut(8);
    counter.copy_from_slice(&number.to_be_bytes());
    flag.fill(last.into());
    Nonce::assume_unique_for_key(bytes)
}

/// Opens a payload.
pub(super) struct Opener<R> {
    source: R,
    key: LessSafeKey,
    number: u64,
    piece: Vec<u8>,
    used: usize,
    ready: usize,
    done: bool,
}

impl<R: BufRead> Opener<R> {
    /// An opener behind the header.
    pub(super) fn new(mut source: R, file_key: &FileKey) -> Result<Self, AgeError> {
        let mut nonce = [0; NONCE];
        source.read_exact(&mut nonce)?;
        Ok(Self {
            source,
            key: cipher(&derive(&nonce, &file_key.0, b"payload")?)?,
            number: 0,
            piece: Vec::with_capacity(PIECE + TAG),
            used: 0,
            ready: 0,
            done: false,
        })
    }

    /// Opens the next piece.
    fn next(&mut self) -> io::Result<()> {
        self.piece.clear();
        (&mut self.source)
            .take((PIECE + TAG) as u64)
            .read_to_end(&mut self.piece)?;
        let last = self.source.fill_buf()?.is_empty();
        let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the age payload is cut off");
        if self.piece.len() < TAG || (self.piece.len() == TAG && self.number > 0) {
            return Err(cut());
        }
        let nonce = nonce(self.number, last);
        let opened = self
            .key
            .open_in_place(nonce, Aad::empty(), &mut self.piece)
            .map_err(|_| {
                io::Error::new(io::ErrorKind::InvalidData, "the age payload is altered")
            })?;
        self.ready = opened.len();
        self.used = 0;
        self.number += 1;
        self.done = last;
        Ok(())
    }
}

impl<R: BufRead> Read for Opener<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.used == self.ready {
            if self.done || buffer.is_empty() {
                return Ok(0);
            }
            self.next()?;
        }
        let ready = self.piece.get(self.used..self.ready).unwrap_or_default();
        let length = ready.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), ready.get(..length)) {
            to.copy_from_slice(from);
        }
        self.used += length;
        Ok(length)
    }
}
