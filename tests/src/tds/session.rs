//! The life of one connection: handshake, login, requests, attention, end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::login::{Admission, Login, admit};
use super::ntlm::{self, Challenge};
use super::packet::{self, Message, Packets, read_message};
use super::prelogin::{Channel, Prelogin};
use super::reply::{Chunk, Interrupt, Reply, Stop};
use super::tokens::{self, ServerMessage};
use super::wrap::Wrapped;
use crate::instance::faults::AttentionForm;
use crate::instance::session::{Request, Session};
use crate::instance::{Admitted, Instance};

/// Longest time from connect to the end of login.
const HANDSHAKE: Duration = Duration::from_secs(30);
/// Requests read ahead of the running one; more make the reader wait.
const REQUESTS: usize = 4;
/// Chunks of a response under way to the socket.
const CHUNKS: usize = 64;
/// First byte of a TLS record that carries a handshake: the client speaks strict TDS 8.
const TLS_HANDSHAKE: u8 = 0x16;

trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

type Stream = Box<dyn Duplex>;

/// Serves one client until it leaves.
pub async fn serve(socket: TcpStream, instance: Arc<Instance>) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let greeted = tokio::time::timeout(HANDSHAKE, known(socket, &instance)).await;
    let Some((stream, login)) = greeted.map_err(|_| io::ErrorKind::TimedOut)?? else {
        return Ok(());
    };
    let (reader, mut writer) = tokio::io::split(stream);
    let interrupt = Arc::new(Interrupt::default());
    tokio::time::sleep(Duration::from_millis(instance.faults().login_delay_ms)).await;
    match instance.admit(&login, &interrupt) {
        Err(messages) => {
            let mut body = Vec::new();
            for message in &messages {
                body.extend(tokens::message(message, instance.server_name(), 1));
            }
            body.extend(tokens::done(tokens::DONE, tokens::ERROR, 0, 0));
            send_message(&mut writer, packet::FIRST_SIZE, 0, &body).await?;
            writer.shutdown().await
        }
        Ok(Admitted {
            session,
            partner,
            routing,
        }) => {
            let facts = Admission {
                server: instance.server_name(),
                version: instance.version().for_login(),
                database: session.database(),
                partner: partner.as_deref(),
                routing: routing.as_ref().map(|(host, port)| (host.as_str(), *port)),
            };
            let mut body = admit(&login, &facts);
            body.extend(tokens::done(tokens::DONE, 0, 0, 0));
            let spid = session.spid() as u16;
            send_message(&mut writer, packet::FIRST_SIZE, spid, &body).await?;
            let packets = Packets::new(packet::ANSWER, login.packet_size as usize, spid);
            let link = Link {
                writer,
                packets,
                interrupt,
            };
            live(link, reader, session, &instance).await
        }
    }
}

/// The same, and who wants in as an account of Windows has been asked for his proof.
async fn known(socket: TcpStream, instance: &Instance) -> io::Result<Option<(Stream, Login)>> {
    let Some((mut stream, mut login)) = greet(socket, instance).await? else {
        return Ok(None);
    };
    if !ntlm::is_negotiation(&login.sspi) || !login.integrated {
        return Ok(Some((stream, login)));
    }
    let (domain, server) = (instance.windows_domain(), instance.server_name());
    let now = instance.clock.now();
    let challenge = Challenge::new(&login.sspi, &domain, server, now);
    let asked = tokens::sspi(challenge.message());
    send_message(&mut stream, packet::FIRST_SIZE, 0, &asked).await?;
    let Some(message) = read_message(&mut stream).await? else {
        return Ok(None);
    };
    // Clients in use send it as a second LOGIN7 as well.
    if !matches!(message.kind, packet::SSPI | packet::LOGIN) {
        return Err(invalid("expected SSPI"));
    }
    let answer = challenge.judge(&message.body, |account| instance.password_of(account))?;
    (login.user, login.proven) = (answer.account, answer.proven);
    Ok(Some((stream, login)))
}

/// PRELOGIN, TLS and LOGIN7; `None` when the client left before it logged in.
async fn greet(socket: TcpStream, instance: &Instance) -> io::Result<Option<(Stream, Login)>> {
    let mut first = [0_u8; 1];
    if socket.peek(&mut first).await? == 0 {
        return Ok(None);
    }
    if first[0] == TLS_HANDSHAKE {
        let acceptor = TlsAcceptor::from(Arc::clone(&instance.tls().strict));
        let mut stream = acceptor.accept(socket).await?;
        let Some(channel) = prelogin(&mut stream, instance, true).await? else {
            return Ok(None);
        };
        debug_assert_eq!(channel, Channel::Plain);
        return read_login(Box::new(stream)).await;
    }
    let mut socket = socket;
    match prelogin(&mut socket, instance, false).await? {
        None => Ok(None),
        Some(Channel::Plain) => read_login(Box::new(socket)).await,
        // The client has to give up; whatever it sends instead is not read.
        Some(Channel::Refused) => Ok(None),
        Some(channel) => {
            let acceptor = TlsAcceptor::from(Arc::clone(&instance.tls().wrapped));
            let mut stream = acceptor.accept(Wrapped::new(socket)).await?;
            stream.get_mut().0.unwrap_records();
            if channel == Channel::Full {
                return read_login(Box::new(stream)).await;
            }
            let Some(message) = read_message(&mut stream).await? else {
                return Ok(None);
            };
            let login = login_of(&message)?;
            let (wrapped, _) = stream.into_inner();
            Ok(Some((Box::new(wrapped.into_inner()), login)))
        }
    }
}

async fn prelogin<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    instance: &Instance,
    strict: bool,
) -> io::Result<Option<Channel>> {
    let Some(message) = read_message(stream).await? else {
        return Ok(None);
    };
    if message.kind != packet::PRELOGIN {
        return Err(invalid("expected PRELOGIN"));
    }
    let asked = Prelogin::parse(&message.body)?;
    let (channel, encryption) = asked.negotiate(instance.encryption(), strict);
    let matches = instance.answers_to(&asked.instance);
    let body = asked.answer(instance.version().for_prelogin(), encryption, matches);
    send_message(stream, packet::FIRST_SIZE, 0, &body).await?;
    Ok(Some(channel))
}

async fn read_login(mut stream: Stream) -> io::Result<Option<(Stream, Login)>> {
    let Some(message) = read_message(&mut stream).await? else {
        return Ok(None);
    };
    let login = login_of(&message)?;
    Ok(Some((stream, login)))
}

fn login_of(message: &Message) -> io::Result<Login> {
    if message.kind != packet::LOGIN {
        return Err(invalid("expected LOGIN7"));
    }
    Ok(Login::parse(&message.body)?)
}

fn invalid(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

async fn send_message<S: AsyncWrite + Unpin>(
    to: &mut S,
    size: usize,
    spid: u16,
    body: &[u8],
) -> io::Result<()> {
    let mut packets = Packets::new(packet::ANSWER, size, spid);
    let mut out = Vec::new();
    packets.push(body, &mut out);
    packets.finish(&mut out);
    to.write_all(&out).await?;
    to.flush().await
}

/// The way back to the client.
struct Link {
    writer: WriteHalf<Stream>,
    packets: Packets,
    interrupt: Arc<Interrupt>,
}

/// Requests one after another; a reader of its own sees attentions while one runs.
async fn live(
    mut link: Link,
    reader: ReadHalf<Stream>,
    session: Session,
    instance: &Arc<Instance>,
) -> io::Result<()> {
    let (to_loop, mut requests) = mpsc::channel(REQUESTS);
    let reading = tokio::spawn(read_requests(
        reader,
        to_loop,
        Arc::clone(&link.interrupt),
        Arc::clone(instance),
    ));
    let mut session = Some(session);
    let ended = loop {
        let interrupt = Arc::clone(&link.interrupt);
        let message = tokio::select! {
            message = requests.recv() => message,
            () = interrupt.killed() => {
                drop(session.take());
                if link.interrupt.raised() == Some(Stop::Cut) {
                    break Ok(());
                }
                break link.end_killed().await;
            }
        };
        let Some(message) = message else { break Ok(()) };
        if message.kind == packet::ATTENTION {
            link.interrupt.calm();
            if let Err(fault) = link.acknowledge().await {
                break Err(fault);
            }
            continue;
        }
        let Some(request) = request_of(&message) else {
            break Err(invalid("request of a kind the double does not know"));
        };
        let Some(running) = session.take() else {
            break Ok(());
        };
        match link.run(request, running, &mut requests, instance).await {
            Ok(Some(back)) => session = Some(back),
            Ok(None) => break Ok(()),
            Err(fault) => break Err(fault),
        }
    };
    reading.abort();
    let _ = link.writer.shutdown().await;
    ended
}

async fn read_requests(
    mut reader: ReadHalf<Stream>,
    to: mpsc::Sender<Message>,
    interrupt: Arc<Interrupt>,
    instance: Arc<Instance>,
) {
    while let Ok(Some(message)) = read_message(&mut reader).await {
        if message.kind == packet::ATTENTION {
            interrupt.raise(Stop::Attention);
        }
        if to.send(message).await.is_err() {
            return;
        }
    }
    if !instance.faults().ignores_disconnect {
        interrupt.raise(Stop::Disconnected);
    }
}

fn request_of(message: &Message) -> Option<Request> {
    let reset = message.status & 0x18 != 0;
    let body = message.body.clone();
    match message.kind {
        packet::BATCH => Some(Request::batch(body, reset)),
        packet::RPC => Some(Request::call(body, reset)),
        packet::TRANSACTION => Some(Request::transaction(body, reset)),
        _ => None,
    }
}

impl Link {
    /// Runs one request on a thread of its own and forwards its tokens. `None` = connection over.
    async fn run(
        &mut self,
        request: Request,
        mut session: Session,
        requests: &mut mpsc::Receiver<Message>,
        instance: &Instance,
    ) -> io::Result<Option<Session>> {
        let (to_writer, mut chunks) = mpsc::channel(CHUNKS);
        let interrupt = Arc::clone(&self.interrupt);
        let server = instance.server_name();
        let reply = Reply::new(to_writer, interrupt, server, request.is_call());
        let work = tokio::task::spawn_blocking(move || {
            session.run(request, reply);
            session
        });
        let mut broken = None;
        while let Some(chunk) = chunks.recv().await {
            if broken.is_some() {
                continue;
            }
            broken = self.forward(chunk).await.err();
            if broken.is_some() {
                self.interrupt.raise(Stop::Disconnected);
            }
        }
        let session = work.await.map_err(io::Error::other)?;
        match (broken, self.interrupt.raised()) {
            (Some(fault), _) if fault.kind() == io::ErrorKind::ConnectionAborted => Ok(None),
            (Some(fault), _) => Err(fault),
            (None, Some(Stop::Disconnected | Stop::Cut)) => Ok(None),
            (None, Some(Stop::Killed)) => {
                // Gone from the views before its client hears of it.
                drop(session);
                self.end_killed().await?;
                Ok(None)
            }
            (None, stopped) => {
                self.end_response(stopped, requests, instance).await?;
                Ok(Some(session))
            }
        }
    }

    async fn forward(&mut self, chunk: Chunk) -> io::Result<()> {
        let mut out = Vec::new();
        match chunk {
            Chunk::Bytes(bytes) => self.packets.push(&bytes, &mut out),
            Chunk::Flush => self.packets.flush(&mut out),
            Chunk::HangUp => {
                let _ = self.writer.shutdown().await;
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
        if out.is_empty() {
            return Ok(());
        }
        self.writer.write_all(&out).await?;
        self.writer.flush().await
    }

    /// Ends the message; where an attention came meanwhile, by the configured form.
    async fn end_response(
        &mut self,
        stopped: Option<Stop>,
        requests: &mut mpsc::Receiver<Message>,
        instance: &Instance,
    ) -> io::Result<()> {
        let form = instance.faults().attention;
        let mut out = Vec::new();
        if stopped == Some(Stop::Attention) && form != AttentionForm::Separate {
            // The attention itself is next in the queue: it is answered here, or never.
            let _ = requests.recv().await;
            self.interrupt.calm();
            if form == AttentionForm::Inside {
                let ack = tokens::done(tokens::DONE, tokens::ATTENTION, 0xFD, 0);
                self.packets.push(&ack, &mut out);
            }
        }
        self.packets.finish(&mut out);
        self.writer.write_all(&out).await?;
        self.writer.flush().await
    }

    /// Acknowledges an attention in a message of its own.
    async fn acknowledge(&mut self) -> io::Result<()> {
        let mut out = Vec::new();
        let ack = tokens::done(tokens::DONE, tokens::ATTENTION, 0xFD, 0);
        self.packets.push(&ack, &mut out);
        self.packets.finish(&mut out);
        self.writer.write_all(&out).await?;
        self.writer.flush().await
    }

    /// Tells the client that another session killed it, and closes.
    async fn end_killed(&mut self) -> io::Result<()> {
        let text = "Cannot continue the execution because the session is in the kill state.";
        let message = ServerMessage::new(596, 21, text);
        let mut out = Vec::new();
        let mut body = tokens::message(&message, "", 1);
        let status = tokens::ERROR | tokens::SERVER_ERROR;
        body.extend(tokens::done(tokens::DONE, status, 0, 0));
        self.packets.push(&body, &mut out);
        self.packets.finish(&mut out);
        self.writer.write_all(&out).await?;
        self.writer.flush().await?;
        self.writer.shutdown().await
    }
}
