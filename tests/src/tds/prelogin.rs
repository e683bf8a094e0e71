//! PRELOGIN: which options the client named, what the server answers, and which TLS follows.

use serde::Deserialize;

use super::bytes::{Cursor, Malformed};

/// Longest option table taken (the protocol knows eight options).
const MAX_OPTIONS: usize = 32;

const VERSION: u8 = 0;
const ENCRYPTION: u8 = 1;
const INSTANCE: u8 = 2;
const THREAD: u8 = 3;
const MARS: u8 = 4;
const FED_AUTH: u8 = 6;
const END: u8 = 0xFF;

const OFF: u8 = 0;
const ON: u8 = 1;
const NOT_SUPPORTED: u8 = 2;
const REQUIRED: u8 = 3;

/// What the server is set to, as its encryption options have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerEncryption {
    /// Force encryption for everybody.
    #[default]
    Required,
    /// Encryption on.
    On,
    /// Off: the login alone is encrypted unless the client asks for more.
    Off,
    /// A server without any certificate.
    NotSupported,
}

/// What happens on the wire after PRELOGIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// No TLS.
    Plain,
    /// LOGIN7 inside TLS, everything after it plain.
    LoginOnly,
    /// Everything inside TLS.
    Full,
    /// The client has to give up; the connection is closed once it does not.
    Refused,
}

/// The client's PRELOGIN.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Prelogin {
    /// Option tokens in the order asked.
    asked: Vec<u8>,
    encryption: Option<u8>,
    /// Instance the client thinks it talks to; empty for the default one.
    pub instance: String,
}

impl Prelogin {
    /// Reads the option table.
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let mut table = Cursor::new(body);
        let mut found = Self::default();
        loop {
            let token = table.u8()?;
            if token == END {
                return Ok(found);
            }
            if found.asked.len() == MAX_OPTIONS {
                return Err(Malformed("too many PRELOGIN options"));
            }
            let offset = usize::from(table.u16_be()?);
            let length = usize::from(table.u16_be()?);
            let data = offset
                .checked_add(length)
                .and_then(|end| body.get(offset..end))
                .ok_or(Malformed("PRELOGIN option beyond the end"))?;
            found.asked.push(token);
            match token {
                ENCRYPTION => {
                    found.encryption = data.first().copied();
                }
                INSTANCE => {
                    let text = data.split(|byte| *byte == 0).next().unwrap_or_default();
                    found.instance = String::from_utf8_lossy(text).into_owned();
                }
                _ => {}
            }
        }
    }

    /// The channel and the encryption byte to answer with. `strict` = TLS is already up.
    #[must_use]
    pub fn negotiate(&self, server: ServerEncryption, strict: bool) -> (Channel, u8) {
        use ServerEncryption as S;
        let client = self.encryption.unwrap_or(NOT_SUPPORTED);
        if strict {
            return (Channel::Plain, client);
        }
        match (client, server) {
            (_, S::NotSupported) => (Channel::Plain, NOT_SUPPORTED),
            (NOT_SUPPORTED, S::Off) => (Channel::Plain, NOT_SUPPORTED),
            (NOT_SUPPORTED, S::On | S::Required) => (Channel::Refused, REQUIRED),
            (OFF, S::Off) => (Channel::LoginOnly, OFF),
            (OFF, S::On | S::Required) => (Channel::Full, REQUIRED),
            (_, S::Required) => (Channel::Full, REQUIRED),
            (_, S::On | S::Off) => (Channel::Full, ON),
        }
    }

    /// The answer's payload: only options that were asked for, because clients refuse others.
    #[must_use]
    pub fn answer(&self, version: [u8; 6], encryption: u8, instance_matches: bool) -> Vec<u8> {
        let mut options: Vec<(u8, Vec<u8>)> = vec![(VERSION, version.to_vec())];
        for token in &self.asked {
            let data = match *token {
                ENCRYPTION => vec![encryption],
                INSTANCE => vec![u8::from(!instance_matches)],
                THREAD => Vec::new(),
                MARS => vec![0],
                FED_AUTH => vec![0],
                _ => continue,
            };
            options.push((*token, data));
        }
        let mut offset = options.len() * 5 + 1;
        let mut table = Vec::new();
        for (token, data) in &options {
            table.push(*token);
            table.extend_from_slice(&(offset as u16).to_be_bytes());
            table.extend_from_slice(&(data.len() as u16).to_be_bytes());
            offset += data.len();
        }
        table.push(END);
        options.into_iter().for_each(|(_, data)| table.extend(data));
        table
    }
}

#[cfg(test)]
mod tests;
