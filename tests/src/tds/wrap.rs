//! TLS records inside type 12 packets: the handshake of TDS 7.x.
//!
//! While `wrapping` each flight of records rides in packets both ways; once the handshake is done
//! records go bare and carry packets themselves.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::packet::{FIRST_SIZE, HEADER, PRELOGIN, Packets};

/// Longest flight kept before it is flushed; a certificate chain is a few kilobytes.
const MAX_FLIGHT: usize = 256 << 10;

/// A byte stream that hides packet headers during the handshake.
#[derive(Debug)]
pub struct Wrapped<S> {
    inner: S,
    wrapping: bool,
    header: [u8; HEADER],
    header_filled: usize,
    payload_left: usize,
    flight: Vec<u8>,
    packets: Vec<u8>,
    packets_sent: usize,
}

impl<S> Wrapped<S> {
    /// Starts wrapped.
    pub const fn new(inner: S) -> Self {
        Self {
            inner,
            wrapping: true,
            header: [0; HEADER],
            header_filled: 0,
            payload_left: 0,
            flight: Vec::new(),
            packets: Vec::new(),
            packets_sent: 0,
        }
    }

    /// The handshake is done: records go bare from now on.
    pub const fn unwrap_records(&mut self) {
        self.wrapping = false;
    }

    /// The stream below.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wrapped<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.wrapping {
            return Pin::new(&mut this.inner).poll_read(cx, buf);
        }
        while this.payload_left == 0 {
            let mut header = ReadBuf::new(&mut this.header[this.header_filled..]);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut header))?;
            let got = header.filled().len();
            if got == 0 {
                return Poll::Ready(Ok(()));
            }
            this.header_filled += got;
            if this.header_filled == HEADER {
                this.header_filled = 0;
                let length = usize::from(u16::from_be_bytes([this.header[2], this.header[3]]));
                if this.header[0] != PRELOGIN || length < HEADER {
                    let text = "expected TLS inside a PRELOGIN packet";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, text)));
                }
                this.payload_left = length - HEADER;
            }
        }
        let mut bounce = [0_u8; FIRST_SIZE];
        let room = FIRST_SIZE.min(this.payload_left).min(buf.remaining());
        let mut part = ReadBuf::new(&mut bounce[..room]);
        ready!(Pin::new(&mut this.inner).poll_read(cx, &mut part))?;
        let got = part.filled().len();
        buf.put_slice(part.filled());
        this.payload_left -= got;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Wrapped<S> {
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.flight.is_empty() {
            let mut packets = Packets::new(PRELOGIN, FIRST_SIZE, 0);
            let flight = std::mem::take(&mut self.flight);
            packets.push(&flight, &mut self.packets);
            packets.finish(&mut self.packets);
        }
        while self.packets_sent < self.packets.len() {
            let rest = &self.packets[self.packets_sent..];
            let sent = ready!(Pin::new(&mut self.inner).poll_write(cx, rest))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.packets_sent += sent;
        }
        self.packets.clear();
        self.packets_sent = 0;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wrapped<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !this.wrapping {
            ready!(this.poll_drain(cx))?;
            return Pin::new(&mut this.inner).poll_write(cx, buf);
        }
        if this.flight.len() + buf.len() > MAX_FLIGHT {
            ready!(this.poll_drain(cx))?;
        }
        this.flight.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.inner).poll_shutdown(cx)
    }
}
