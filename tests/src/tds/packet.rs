//! Packets and messages: the eight-byte header, joining packets, cutting responses.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// Length of a packet header.
pub const HEADER: usize = 8;
/// Packet size until login has agreed on another.
pub const FIRST_SIZE: usize = 4096;
/// Longest request the double takes; a batch of this size is not a catalogue statement.
pub const MAX_MESSAGE: usize = 8 << 20;

/// SQL batch.
pub const BATCH: u8 = 0x01;
/// Remote procedure call.
pub const RPC: u8 = 0x03;
/// Every answer of the server.
pub const ANSWER: u8 = 0x04;
/// Attention: the client wants the running statement to stop.
pub const ATTENTION: u8 = 0x06;
/// Transaction manager request.
pub const TRANSACTION: u8 = 0x0E;
/// LOGIN7.
pub const LOGIN: u8 = 0x10;
/// SSPI: the client goes on with what its LOGIN7 began.
pub const SSPI: u8 = 0x11;
/// PRELOGIN, and TLS handshake records.
pub const PRELOGIN: u8 = 0x12;

/// Status: last packet of the message.
pub const LAST: u8 = 0x01;
/// Status: the client takes back what it sent so far.
const IGNORE: u8 = 0x02;

/// One whole request.
#[derive(Debug)]
pub struct Message {
    /// Packet type of its packets.
    pub kind: u8,
    /// Status bits of its last packet (08 and 10 ask for a reset of the connection).
    pub status: u8,
    /// The payloads, joined.
    pub body: Vec<u8>,
}

/// Reads one message; `None` when the peer closed between messages.
pub async fn read_message<R: AsyncRead + Unpin>(from: &mut R) -> io::Result<Option<Message>> {
    let mut body = Vec::new();
    loop {
        let mut header = [0_u8; HEADER];
        match from.read_exact(&mut header).await {
            Ok(_) => {}
            Err(fault) if fault.kind() == io::ErrorKind::UnexpectedEof && body.is_empty() => {
                return Ok(None);
            }
            Err(fault) => return Err(fault),
        }
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let payload = length
            .checked_sub(HEADER)
            .ok_or_else(|| invalid("packet length below 8"))?;
        let start = body.len();
        if start + payload > MAX_MESSAGE {
            return Err(invalid("request longer than the double takes"));
        }
        body.resize(start + payload, 0);
        from.read_exact(&mut body[start..]).await?;
        if header[1] & LAST == 0 {
            continue;
        }
        if header[1] & IGNORE != 0 {
            body.clear();
            continue;
        }
        return Ok(Some(Message {
            kind: header[0],
            status: header[1],
            body,
        }));
    }
}

fn invalid(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// Cuts the answer into packets of the agreed size.
///
/// Every packet but the last is full, except where the server flushes messages early.
#[derive(Debug)]
pub struct Packets {
    kind: u8,
    size: usize,
    session: u16,
    number: u8,
    pending: Vec<u8>,
}

impl Packets {
    /// Packets of at most `size` bytes, header included.
    #[must_use]
    pub const fn new(kind: u8, size: usize, session: u16) -> Self {
        Self {
            kind,
            size,
            session,
            number: 1,
            pending: Vec::new(),
        }
    }

    /// Changes the size for the packets that follow.
    pub const fn resize(&mut self, size: usize) {
        self.size = size;
    }

    /// Adds payload; packets that are certainly not the last one go to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.pending.extend_from_slice(bytes);
        let room = self.size - HEADER;
        while self.pending.len() > room {
            let rest = self.pending.split_off(room);
            let full = std::mem::replace(&mut self.pending, rest);
            self.emit(&full, 0, out);
        }
    }

    /// Sends what is pending in a short packet that does not end the message.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        if !self.pending.is_empty() {
            let part = std::mem::take(&mut self.pending);
            self.emit(&part, 0, out);
        }
    }

    /// Ends the message.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let part = std::mem::take(&mut self.pending);
        self.emit(&part, LAST, out);
        self.number = 1;
    }

    fn emit(&mut self, payload: &[u8], status: u8, out: &mut Vec<u8>) {
        let length = u16::try_from(payload.len() + HEADER).unwrap_or(u16::MAX);
        out.extend_from_slice(&[self.kind, status]);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&self.session.to_be_bytes());
        out.extend_from_slice(&[self.number, 0]);
        out.extend_from_slice(payload);
        self.number = self.number.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests;
