//! Back to what SQL Server wrote: each chunk is checked before it is decoded, no more comes out
//! than the manifest says, and what came out is hashed and compared before success is told.

use std::io::{self, BufRead, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use twinset_domain::{Fault, code};
use twinset_format::canonical;

use super::Keys;
use super::encoder::WINDOW;
use crate::age::{self, AgeError};
use crate::media::reader::{FamilyReader, ReadReport};

/// Bytes handed on at once.
const BLOCK: usize = 1 << 20;

/// Reads one family as SQL Server wrote it, whatever its encoding.
pub struct PlainReader {
    way: Way,
    length: u64,
    object: String,
}

enum Way {
    Raw(Box<FamilyReader>),
    Decoded(Box<Decoded>),
}

struct Decoded {
    shared: Shared,
    stream: Box<dyn Read + Send>,
    /// The first block, decoded to prove the keys.
    first: Option<Vec<u8>>,
    hasher: blake3::Hasher,
    expected: String,
    given: u64,
    ended: bool,
    spare: Vec<u8>,
}

impl PlainReader {
    /// A reader whose keys are proved: the first bytes were decoded when this returns.
    ///
    /// # Errors
    /// [`code::NO_KEY`] when nothing opens it, [`code::UNDECODABLE`], and the reader's.
    pub fn open(reader: FamilyReader, keys: &Keys) -> Result<Self, Fault> {
        let facts = &reader.manifest().facts;
        let (encoding, length) = (facts.encoding.clone(), facts.plain_length);
        let object = format!("position {}, {}", facts.position, facts.family);
        if encoding == "raw" {
            let way = Way::Raw(Box::new(reader));
            return Ok(Self {
                way,
                length,
                object,
            });
        }
        let expected = facts.plain_blake3.clone();
        let shared = Shared(Arc::new(Mutex::new(Inner {
            reader,
            fault: None,
        })));
        let source = Source {
            shared: shared.clone(),
            chunk: Vec::new(),
            used: 0,
        };
        let stream = decoding(&encoding, source, keys, &shared, &object)?;
        let mut decoded = Decoded {
            shared,
            stream,
            first: None,
            hasher: blake3::Hasher::new(),
            expected,
            given: 0,
            ended: false,
            spare: Vec::new(),
        };
        decoded.first = decoded.decode(length, &object)?;
        let way = Way::Decoded(Box::new(decoded));
        Ok(Self {
            way,
            length,
            object,
        })
    }

    /// Bytes of the family before the encoding.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// The next bytes; `None` behind the end, where everything was proved. Hand the last ones back
    /// by `reuse`.
    ///
    /// # Errors
    /// [`code::LOST`] when no mirror has a chunk sound; [`code::UNDECODABLE`].
    pub fn next_block(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        match &mut self.way {
            Way::Raw(reader) => reader.next_chunk(),
            Way::Decoded(decoded) => match decoded.first.take() {
                Some(first) => Ok(Some(first)),
                None => decoded.decode(self.length, &self.object),
            },
        }
    }

    /// Takes memory back.
    pub fn reuse(&mut self, bytes: Vec<u8>) {
        match &mut self.way {
            Way::Raw(reader) => reader.reuse(bytes),
            Way::Decoded(decoded) => decoded.spare = bytes,
        }
    }

    /// Reads what nobody asked for, so that the whole is proved. Raw bytes were proved one chunk
    /// after the other.
    ///
    /// # Errors
    /// As [`Self::next_block`].
    pub fn settle(&mut self) -> Result<(), Fault> {
        if matches!(self.way, Way::Raw(_)) {
            return Ok(());
        }
        while let Some(block) = self.next_block()? {
            self.reuse(block);
        }
        Ok(())
    }

    /// What reading came to.
    #[must_use]
    pub fn finish(self) -> ReadReport {
        match self.way {
            Way::Raw(reader) => reader.finish(),
            Way::Decoded(decoded) => decoded.shared.lock().reader.report(),
        }
    }
}

impl Decoded {
    /// The next block. Never more than the manifest says, and at the end exactly that.
    fn decode(&mut self, length: u64, object: &str) -> Result<Option<Vec<u8>>, Fault> {
        if self.ended {
            return Ok(None);
        }
        let mut block = std::mem::take(&mut self.spare);
        block.resize(BLOCK, 0);
        let mut filled = 0;
        while let Some(room) = block.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.stream.read(room) {
                Ok(0) => break,
                Ok(got) => filled += got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(object, &error)),
            }
        }
        block.truncate(filled);
        self.given += filled as u64;
        self.hasher.update(&block);
        if self.given > length {
            return Err(undecodable(object).cause(format!("more than {length} bytes come out")));
        }
        if filled > 0 {
            return Ok(Some(block));
        }
        self.ended = true;
        let found = canonical::hex(self.hasher.finalize().as_bytes());
        if self.given != length || found != self.expected {
            return Err(undecodable(object).cause(format!(
                "{} bytes with hash {found} came out, {length} with {} went in",
                self.given, self.expected
            )));
        }
        Ok(None)
    }

    /// The reader's own fault is the cause where there is one.
    fn failed(&self, object: &str, error: &io::Error) -> Fault {
        let fault = self.shared.lock().fault.clone();
        fault.unwrap_or_else(|| undecodable(object).cause(error))
    }
}

fn undecodable(object: &str) -> Fault {
    let message = "the stored bytes are as they were written, but do not decode";
    Fault::new(code::UNDECODABLE, object, message)
        .remedy("restore an earlier set, and report this with the log")
}

/// The reader, and the fault that ended it, kept beside the decoders that cannot carry it.
#[derive(Clone)]
struct Shared(Arc<Mutex<Inner>>);

struct Inner {
    reader: FamilyReader,
    fault: Option<Fault>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checked chunks as a stream of bytes.
struct Source {
    shared: Shared,
    chunk: Vec<u8>,
    used: usize,
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.used >= self.chunk.len() {
            let mut inner = self.shared.lock();
            inner.reader.reuse(std::mem::take(&mut self.chunk));
            self.used = 0;
            match inner.reader.next_chunk() {
                Ok(chunk) => self.chunk = chunk.unwrap_or_default(),
                Err(fault) => {
                    let error = io::Error::other(fault.message.clone());
                    inner.fault.get_or_insert(fault);
                    return Err(error);
                }
            }
        }
        Ok(self.chunk.get(self.used..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.used += amount;
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let length = ready.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), ready.get(..length)) {
            to.copy_from_slice(from);
        }
        self.consume(length);
        Ok(length)
    }
}

/// The decoders of an encoding, one inside the other.
fn decoding(
    encoding: &str,
    source: Source,
    keys: &Keys,
    shared: &Shared,
    object: &str,
) -> Result<Box<dyn Read + Send>, Fault> {
    match encoding {
        "zstd" => expand(source),
        "age" => unseal(source, keys, shared, object),
        "zstd+age" => expand(io::BufReader::with_capacity(
            64 << 10,
            unseal(source, keys, shared, object)?,
        )),
        other => Err(Fault::new(
            code::FORMAT_VERSION,
            object,
            format!("encoding {other:?} is not known here"),
        )
        .remedy("use the version of Twinset that wrote the media, or a later one")),
    }
}

fn expand(source: impl BufRead + Send + 'static) -> Result<Box<dyn Read + Send>, Fault> {
    let failed = |error: io::Error| {
        Fault::new(code::INTERNAL, "compression", "no memory to read it").cause(error)
    };
    let mut decoder = zstd::stream::read::Decoder::with_buffer(source).map_err(failed)?;
    decoder.window_log_max(WINDOW).map_err(failed)?;
    Ok(Box::new(decoder))
}

fn unseal(
    source: Source,
    keys: &Keys,
    shared: &Shared,
    object: &str,
) -> Result<Box<dyn Read + Send>, Fault> {
    let refused = |error: AgeError| match error {
        AgeError::NoKey(why) => no_key(object, &why),
        error => {
            let fault = shared.lock().fault.clone();
            fault.unwrap_or_else(|| undecodable(object).cause(error))
        }
    };
    if let Some(identities) = keys.identities()? {
        let opened = age::open(source, &age::Key::Identities(&identities)).map_err(refused)?;
        return Ok(Box::new(opened));
    }
    let Some(fetch) = &keys.passphrase else {
        return Err(no_key(object, "no identity_file is configured"));
    };
    let mut source = Some(source);
    let mut opened = Err(AgeError::Crypto("no passphrase came"));
    fetch(&mut |passphrase| {
        if let Some(source) = source.take() {
            opened = age::open(source, &age::Key::Passphrase(passphrase));
        }
    })?;
    Ok(Box::new(opened.map_err(refused)?))
}

fn no_key(object: &str, why: &str) -> Fault {
    Fault::new(code::NO_KEY, object, "no key opens this set")
        .cause(why)
        .remedy("name the file of its private key: identity_file under [media_sets.NAME.age]")
}
