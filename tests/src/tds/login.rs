//! LOGIN7 as read from the client, and the tokens that admit or refuse it.

use super::bytes::{Cursor, Malformed, utf16};
use super::tokens;

/// Fixed part of LOGIN7.
const FIXED: usize = 94;
/// Most features of the extension block taken.
const MAX_FEATURES: usize = 32;
/// Smallest and largest packet size.
const PACKET_SIZES: (u32, u32) = (512, 32_767);
/// Packet size when the client leaves the choice to the server.
const DEFAULT_PACKET: u32 = 4096;

/// What the client said about itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// Packet size agreed on, in bytes.
    pub packet_size: u32,
    /// Client process id.
    pub process: u32,
    /// Client machine.
    pub host: String,
    /// SQL login.
    pub user: String,
    /// Password in clear.
    pub password: String,
    /// Program name.
    pub application: String,
    /// Client library.
    pub library: String,
    /// Initial database; empty for the login's default.
    pub database: String,
    /// Windows authentication was asked for.
    pub integrated: bool,
    /// What it begins with.
    pub sspi: Vec<u8>,
    /// The account of Windows that `user` names has proven itself.
    pub proven: bool,
    /// ApplicationIntent=ReadOnly.
    pub read_only: bool,
    /// Ids of requested features.
    pub features: Vec<u8>,
}

impl Login {
    /// Reads LOGIN7.
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        if body.len() < FIXED {
            return Err(Malformed("LOGIN7 shorter than its fixed part"));
        }
        let mut head = Cursor::new(body);
        head.take(8)?;
        let asked = head.u32()?;
        head.take(4)?;
        let process = head.u32()?;
        head.take(4)?;
        let (_, flags2, type_flags, flags3) = (head.u8()?, head.u8()?, head.u8()?, head.u8()?);
        let text = |slot| field(body, slot).map(utf16);
        let packet_size = match asked {
            0 => DEFAULT_PACKET,
            other => other.clamp(PACKET_SIZES.0, PACKET_SIZES.1),
        };
        let features = if flags3 & 0x10 != 0 {
            features(body)?
        } else {
            Vec::new()
        };
        Ok(Self {
            packet_size,
            process,
            host: text(0)?,
            user: text(1)?,
            password: utf16(&unscramble(field(body, 2)?)),
            application: text(3)?,
            library: text(6)?,
            database: text(8)?,
            integrated: flags2 & 0x80 != 0,
            sspi: sspi(body)?.to_vec(),
            proven: false,
            read_only: type_flags & 0x20 != 0,
            features,
        })
    }
}

/// Text field number `slot` of the offset table at byte 36.
fn field(body: &[u8], slot: usize) -> Result<&[u8], Malformed> {
    let mut table = Cursor::new(&body[36..]);
    table.take(slot * 4)?;
    let offset = usize::from(table.u16()?);
    let bytes = usize::from(table.u16()?) * 2;
    body.get(offset..offset + bytes)
        .ok_or(Malformed("LOGIN7 field beyond the end"))
}

/// The SSPI blob, whose length counts bytes, behind the client's id of six bytes.
fn sspi(body: &[u8]) -> Result<&[u8], Malformed> {
    let mut slot = Cursor::new(&body[36 + 9 * 4 + 6..]);
    let offset = usize::from(slot.u16()?);
    let length = usize::from(slot.u16()?);
    if length == 0 {
        return Ok(&[]);
    }
    body.get(offset..offset + length)
        .ok_or(Malformed("LOGIN7 SSPI beyond the end"))
}

fn unscramble(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .map(|byte| (byte ^ 0xA5).rotate_left(4))
        .collect()
}

fn features(body: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut slot = Cursor::new(&body[36 + 5 * 4..]);
    let pointer = usize::from(slot.u16()?);
    let mut at = Cursor::new(
        body.get(pointer..)
            .ok_or(Malformed("extension beyond the end"))?,
    );
    let offset = at.u32()? as usize;
    let mut block = Cursor::new(
        body.get(offset..)
            .ok_or(Malformed("features beyond the end"))?,
    );
    let mut found = Vec::new();
    loop {
        match block.u8()? {
            0xFF => return Ok(found),
            _ if found.len() == MAX_FEATURES => return Err(Malformed("too many features")),
            id => found.push(id),
        }
        let length = block.u32()? as usize;
        block.take(length)?;
    }
}

/// What the reply to an admitted login needs to know.
#[derive(Debug)]
pub struct Admission<'a> {
    /// Server name in messages.
    pub server: &'a str,
    /// Major, minor, build (big-endian).
    pub version: [u8; 4],
    /// Database the session starts in.
    pub database: &'a str,
    /// Mirroring partner of that database.
    pub partner: Option<&'a str>,
    /// Where the client shall go instead.
    pub routing: Option<(&'a str, u16)>,
}

/// The tokens of an admitted login, without the final DONE.
#[must_use]
pub fn admit(login: &Login, facts: &Admission<'_>) -> Vec<u8> {
    let info = |number, state, text: String| {
        let message = tokens::ServerMessage {
            number,
            state,
            class: 0,
            text,
        };
        tokens::message(&message, facts.server, 1)
    };
    let mut out = tokens::env_text(1, facts.database, "master");
    out.extend(info(
        5701,
        2,
        format!("Changed database context to '{}'.", facts.database),
    ));
    out.extend(tokens::env_collation());
    out.extend(tokens::env_text(2, "us_english", ""));
    out.extend(info(
        5703,
        1,
        "Changed language setting to us_english.".into(),
    ));
    out.extend(tokens::login_ack(facts.version));
    if let Some((host, port)) = facts.routing {
        out.extend(tokens::env_routing(host, port));
    } else if let Some(partner) = facts.partner {
        out.extend(tokens::env_text(13, partner, ""));
    }
    let size = login.packet_size.to_string();
    out.extend(tokens::env_text(4, &size, &DEFAULT_PACKET.to_string()));
    // UTF-8 support is the one feature of the extension that needs no further protocol.
    if login.features.contains(&0x0A) {
        out.extend(tokens::feature_ack(&[(0x0A, vec![1])]));
    }
    out
}

#[cfg(test)]
mod tests;
