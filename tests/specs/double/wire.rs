//! A client of a few lines that sees packets and tokens as they are.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// One token of an answer, as far as these specs care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// DONE: status and command.
    Done(u16, u16),
    /// ERROR.
    Error(i32),
    /// INFO.
    Info(i32),
    /// ENVCHANGE of this type.
    Env(u8),
    /// COLMETADATA of one int column.
    Columns,
    /// ROW of one int column.
    Row(i32),
}

/// A logged-in session without TLS.
pub(super) struct Client {
    stream: TcpStream,
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

impl Client {
    /// Logs in; the server must be one without TLS.
    pub(super) fn login(port: u16) -> Self {
        Self::login_as(port, "twinset", "Secret-1")
    }

    /// The same as somebody else.
    pub(super) fn login_as(port: u16, user: &str, password: &str) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let prelogin = [0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xFF, 9, 0, 0, 0, 0, 0, 2];
        send(&mut stream, 0x12, &prelogin);
        let (_, answer) = read_packets(&mut stream);
        assert_eq!(answer.last(), Some(&2), "the server offers TLS");
        send(&mut stream, 0x10, &login7(user, password));
        let mut client = Self { stream };
        let (_, answer) = client.answer();
        assert!(!answer.windows(1).any(|byte| byte == [0xAA]) || answer.len() > 200);
        client
    }

    /// Sends an SQL batch.
    pub(super) fn batch(&mut self, sql: &str) {
        let mut body = 22_u32.to_le_bytes().to_vec();
        body.extend(18_u32.to_le_bytes());
        body.extend(2_u16.to_le_bytes());
        body.extend([0; 8]);
        body.extend(1_u32.to_le_bytes());
        body.extend(utf16(sql));
        send(&mut self.stream, 1, &body);
    }

    /// Sends an attention.
    pub(super) fn attention(&mut self) {
        send(&mut self.stream, 6, &[]);
    }

    /// One whole message: payload lengths of its packets, and the payload.
    pub(super) fn answer(&mut self) -> (Vec<usize>, Vec<u8>) {
        read_packets(&mut self.stream)
    }

    /// The tokens of one whole message.
    pub(super) fn tokens(&mut self) -> Vec<Seen> {
        tokens(&self.answer().1)
    }

    /// The next packet: whether it ends the message, and its payload. `None` = closed.
    pub(super) fn packet(&mut self) -> Option<(bool, Vec<u8>)> {
        read_packet(&mut self.stream)
    }

    /// Whether the server has closed the connection.
    pub(super) fn is_closed(&mut self) -> bool {
        matches!(self.stream.read(&mut [0]), Ok(0) | Err(_))
    }
}

fn send(stream: &mut TcpStream, kind: u8, body: &[u8]) {
    let mut packet = vec![kind, 1];
    packet.extend(((body.len() + 8) as u16).to_be_bytes());
    packet.extend([0, 0, 1, 0]);
    packet.extend(body);
    stream.write_all(&packet).unwrap();
}

fn read_packet(stream: &mut TcpStream) -> Option<(bool, Vec<u8>)> {
    let mut header = [0; 8];
    stream.read_exact(&mut header).ok()?;
    assert_eq!(header[0], 4, "answers have type 4");
    let length = usize::from(u16::from_be_bytes([header[2], header[3]])) - 8;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    Some((header[1] & 1 != 0, body))
}

fn read_packets(stream: &mut TcpStream) -> (Vec<usize>, Vec<u8>) {
    let (mut lengths, mut all) = (Vec::new(), Vec::new());
    loop {
        let (last, body) = read_packet(stream).expect("a whole message");
        lengths.push(body.len());
        all.extend(body);
        if last {
            return (lengths, all);
        }
    }
}

fn login7(user: &str, password: &str) -> Vec<u8> {
    let mut fixed = vec![0_u8; 94];
    fixed[4..8].copy_from_slice(&0x7400_0004_u32.to_le_bytes());
    fixed[8..12].copy_from_slice(&512_u32.to_le_bytes());
    let mut data = Vec::new();
    for (slot, text) in [(1, user), (2, password), (8, "master")] {
        let mut bytes = utf16(text);
        if slot == 2 {
            bytes
                .iter_mut()
                .for_each(|byte| *byte = byte.rotate_left(4) ^ 0xA5);
        }
        let at = 36 + slot * 4;
        fixed[at..at + 2].copy_from_slice(&((94 + data.len()) as u16).to_le_bytes());
        fixed[at + 2..at + 4].copy_from_slice(&((bytes.len() / 2) as u16).to_le_bytes());
        data.extend(bytes);
    }
    [fixed, data].concat()
}

/// Reads tokens; result sets may have one int column only.
pub(super) fn tokens(bytes: &[u8]) -> Vec<Seen> {
    let mut out = Vec::new();
    let mut at = 0;
    let u16_at = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let i32_at = |at: usize| i32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    while at < bytes.len() {
        let (seen, length) = match bytes[at] {
            0xFD..=0xFF => (Seen::Done(u16_at(at + 1), u16_at(at + 3)), 13),
            0xAA => (Seen::Error(i32_at(at + 3)), 3 + usize::from(u16_at(at + 1))),
            0xAB => (Seen::Info(i32_at(at + 3)), 3 + usize::from(u16_at(at + 1))),
            0xE3 => (Seen::Env(bytes[at + 3]), 3 + usize::from(u16_at(at + 1))),
            0x81 => {
                assert_eq!((u16_at(at + 1), bytes[at + 9]), (1, 0x26), "one int column");
                (Seen::Columns, 12 + usize::from(bytes[at + 11]) * 2)
            }
            0xD1 => (Seen::Row(i32_at(at + 2)), 6),
            other => panic!("token {other:#x} at {at}"),
        };
        out.push(seen);
        at += length;
    }
    out
}
