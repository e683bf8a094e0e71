//! The talk between the COM double and the door: questions and answers, each with its length in
//! front, numbers with the lowest byte first.

use std::io::{self, ErrorKind, Read, Write};

/// Longest message: the largest transfer of the interface and what goes with it.
const LIMIT: usize = (4 << 20) + 4096;
/// Longest name, in bytes.
const MAX_NAME: usize = 1024;
/// The variable that names the door, as `HOST:PORT`.
pub const DOOR: &str = "SQLVDI_DOUBLE_DOOR";

/// One call of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// `CreateEx`: this connection owns the set; when it breaks, the set's process has died.
    Create {
        /// Bare name of the instance; `None` is the default one.
        instance: Option<String>,
        /// Name of the set.
        name: String,
        /// The words of a `VDConfig`.
        config: [u32; 11],
    },
    /// Speaks of a set that another connection owns.
    Join {
        /// Name of the set.
        name: String,
    },
    /// `GetConfiguration`, with milliseconds or `u32::MAX`.
    Configuration(u32),
    /// `OpenDevice`: from now on this connection is the device.
    Open {
        /// Name of the device.
        name: String,
    },
    /// `GetCommand`, with milliseconds or `u32::MAX`.
    Command(u32),
    /// `CompleteCommand`.
    Complete(Completion),
    /// `SignalAbort`.
    Abort,
    /// `Close`.
    Close,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Names the command, as its [`Command`] did.
    pub token: u64,
    /// A Win32 number.
    pub code: u32,
    /// What the client says it moved.
    pub bytes: u32,
    /// For devices with positions.
    pub position: u64,
    /// What the client put into the buffer of a read.
    pub data: Vec<u8>,
}

/// A command for the client, the body of the answer to [`Ask::Command`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Names it until it is completed.
    pub token: u64,
    /// `VDC_` number.
    pub code: i32,
    /// Bytes to move.
    pub size: i32,
    /// For devices with positions.
    pub position: i64,
    /// Whether a buffer goes with it.
    pub has_buffer: bool,
    /// What the buffer of a write holds.
    pub data: Vec<u8>,
}

/// What a call came to: a `VD_E_` code, and what it gives when that is 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// 0 is success.
    pub code: i32,
    /// The call's own.
    pub body: Vec<u8>,
}

impl From<i32> for Answer {
    fn from(code: i32) -> Self {
        Self {
            code,
            body: Vec::new(),
        }
    }
}

impl Ask {
    /// Sends it.
    ///
    /// # Errors
    /// The connection's.
    pub fn say(&self, to: &mut impl Write) -> io::Result<()> {
        let mut text = Vec::new();
        match self {
            Self::Create {
                instance,
                name,
                config,
            } => {
                text.extend([1, u8::from(instance.is_some())]);
                put_text(&mut text, instance.as_deref().unwrap_or_default());
                put_text(&mut text, name);
                text.extend(config.iter().flat_map(|word| word.to_le_bytes()));
            }
            Self::Join { name } => {
                text.push(2);
                put_text(&mut text, name);
            }
            Self::Configuration(timeout) => {
                text.push(3);
                text.extend(timeout.to_le_bytes());
            }
            Self::Open { name } => {
                text.push(4);
                put_text(&mut text, name);
            }
            Self::Command(timeout) => {
                text.push(5);
                text.extend(timeout.to_le_bytes());
            }
            Self::Complete(done) => {
                text.push(6);
                text.extend(done.token.to_le_bytes());
                text.extend(done.code.to_le_bytes());
                text.extend(done.bytes.to_le_bytes());
                text.extend(done.position.to_le_bytes());
                text.extend(&done.data);
            }
            Self::Abort => text.push(7),
            Self::Close => text.push(8),
        }
        send(to, &text)
    }

    /// Receives one; `None` when the other end has hung up.
    ///
    /// # Errors
    /// The connection's, and what is no question.
    pub fn hear(from: &mut impl Read) -> io::Result<Option<Self>> {
        let Some(text) = receive(from)? else {
            return Ok(None);
        };
        let mut rest = Rest(&text);
        let ask = match rest.number::<1>()?[0] {
            1 => {
                let is_named = rest.number::<1>()?[0] != 0;
                let instance = rest.text()?;
                let name = rest.text()?;
                let mut config = [0; 11];
                for word in &mut config {
                    *word = u32::from_le_bytes(rest.number()?);
                }
                Self::Create {
                    instance: is_named.then_some(instance),
                    name,
                    config,
                }
            }
            2 => Self::Join { name: rest.text()? },
            3 => Self::Configuration(u32::from_le_bytes(rest.number()?)),
            4 => Self::Open { name: rest.text()? },
            5 => Self::Command(u32::from_le_bytes(rest.number()?)),
            6 => Self::Complete(Completion {
                token: u64::from_le_bytes(rest.number()?),
                code: u32::from_le_bytes(rest.number()?),
                bytes: u32::from_le_bytes(rest.number()?),
                position: u64::from_le_bytes(rest.number()?),
                data: rest.all().to_vec(),
            }),
            7 => Self::Abort,
            8 => Self::Close,
            _ => return Err(nonsense()),
        };
        rest.is_over().then_some(Some(ask)).ok_or_else(nonsense)
    }
}

impl Answer {
    /// Sends it.
    ///
    /// # Errors
    /// The connection's.
    pub fn say(&self, to: &mut impl Write) -> io::Result<()> {
        let mut text = self.code.to_le_bytes().to_vec();
        text.extend(&self.body);
        send(to, &text)
    }

    /// Receives one.
    ///
    /// # Errors
    /// The connection's, its end included.
    pub fn hear(from: &mut impl Read) -> io::Result<Self> {
        let text = receive(from)?.ok_or(ErrorKind::UnexpectedEof)?;
        let mut rest = Rest(&text);
        Ok(Self {
            code: i32::from_le_bytes(rest.number()?),
            body: rest.all().to_vec(),
        })
    }

    /// The answer to [`Ask::Configuration`].
    #[must_use]
    pub fn of_config(config: [u32; 11]) -> Self {
        Self {
            code: 0,
            body: config.iter().flat_map(|word| word.to_le_bytes()).collect(),
        }
    }

    /// The words of a `VDConfig`.
    ///
    /// # Errors
    /// They are not in it.
    pub fn config(&self) -> io::Result<[u32; 11]> {
        let mut rest = Rest(&self.body);
        let mut config = [0; 11];
        for word in &mut config {
            *word = u32::from_le_bytes(rest.number()?);
        }
        Ok(config)
    }

    /// The answer to [`Ask::Command`].
    #[must_use]
    pub fn of_command(command: &Command) -> Self {
        let mut body = command.token.to_le_bytes().to_vec();
        body.extend(command.code.to_le_bytes());
        body.extend(command.size.to_le_bytes());
        body.extend(command.position.to_le_bytes());
        body.push(u8::from(command.has_buffer));
        body.extend(&command.data);
        Self { code: 0, body }
    }

    /// The command.
    ///
    /// # Errors
    /// It is not in it.
    pub fn command(&self) -> io::Result<Command> {
        let mut rest = Rest(&self.body);
        Ok(Command {
            token: u64::from_le_bytes(rest.number()?),
            code: i32::from_le_bytes(rest.number()?),
            size: i32::from_le_bytes(rest.number()?),
            position: i64::from_le_bytes(rest.number()?),
            has_buffer: rest.number::<1>()?[0] != 0,
            data: rest.all().to_vec(),
        })
    }
}

fn nonsense() -> io::Error {
    ErrorKind::InvalidData.into()
}

fn put_text(text: &mut Vec<u8>, name: &str) {
    text.extend((name.len() as u32).to_le_bytes());
    text.extend(name.as_bytes());
}

fn send(to: &mut impl Write, text: &[u8]) -> io::Result<()> {
    if text.len() > LIMIT {
        return Err(nonsense());
    }
    let mut message = (text.len() as u32).to_le_bytes().to_vec();
    message.extend(text);
    to.write_all(&message)
}

fn receive(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > LIMIT {
        return Err(nonsense());
    }
    let mut text = vec![0; length];
    from.read_exact(&mut text)?;
    Ok(Some(text))
}

/// What of a message was not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn number<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk().ok_or_else(nonsense)?;
        self.0 = tail;
        Ok(*head)
    }

    fn text(&mut self) -> io::Result<String> {
        let length = u32::from_le_bytes(self.number()?) as usize;
        if length > MAX_NAME {
            return Err(nonsense());
        }
        let (head, tail) = self.0.split_at_checked(length).ok_or_else(nonsense)?;
        self.0 = tail;
        String::from_utf8(head.to_vec()).map_err(|_| nonsense())
    }

    fn all(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    fn is_over(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests;
