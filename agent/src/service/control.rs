//! The control socket: one JSON object asks, one answers, line by line.
//!
//! It lies in the agent's private folder; besides, whoever connects must be the agent's own user or
//! root.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use twinset_domain::{Fault, code};

use super::input::{Answer, Input, Request};
use super::os;

/// Name of the socket in the state folder.
const NAME: &str = "control.sock";
/// Longest request, in bytes.
const MAX_REQUEST: u64 = 64 << 10;
/// Longest answer, in bytes.
const MAX_ANSWER: u64 = 64 << 20;

/// The socket of a service; removed when dropped.
#[derive(Debug)]
pub(super) struct Control(PathBuf);

impl Drop for Control {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn fault(path: &Path, what: &str, error: &std::io::Error) -> Fault {
    Fault::new(code::STATE_DIR, path.display().to_string(), what.to_owned())
        .cause(error)
        .remedy("the agent's user needs to write to state_dir; see state_dir in agent.toml")
}

/// Listens, on a thread of its own.
pub(super) fn listen(state_dir: &Path, tell: &Sender<Input>) -> Result<Control, Fault> {
    let path = state_dir.join(NAME);
    let listener = os::listen(&path).map_err(|error| fault(&path, "cannot listen", &error))?;
    let tell = tell.clone();
    let accept = move || {
        while let Ok(stream) = listener.accept() {
            let tell = tell.clone();
            // Without a thread the asker sees the connection close.
            let _ = thread::Builder::new()
                .name("control".to_owned())
                .spawn(move || serve(&stream, &tell));
        }
    };
    thread::Builder::new()
        .name("control".to_owned())
        .spawn(accept)
        .map_err(|error| fault(&path, "cannot start a thread", &error))?;
    Ok(Control(path))
}

/// One asker.
fn serve(stream: &os::Stream, tell: &Sender<Input>) {
    if !os::is_ours(stream) {
        tracing::warn!("a stranger on the control socket was turned away");
        return;
    }
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        match reader.by_ref().take(MAX_REQUEST).read_line(&mut line) {
            Ok(read) if read > 0 => {}
            _ => return,
        }
        let said = match serde_json::from_str::<Request>(&line) {
            Ok(request) => ask(request, tell),
            Err(error) => Some(Answer::refused(
                Fault::new(code::USAGE, "control socket", error.to_string())
                    .remedy("use the twinset command of the same version"),
            )),
        };
        let Some(said) = said else { return };
        let Ok(text) = serde_json::to_string(&said) else {
            return;
        };
        if writeln!(&mut &*stream, "{text}").is_err() {
            return;
        }
    }
}

fn ask(request: Request, tell: &Sender<Input>) -> Option<Answer> {
    let (answer, said) = channel();
    tell.send(Input::Asked { request, answer }).ok()?;
    // The service may end first: then the asker sees the connection close.
    said.recv().ok()
}

/// Asks the service of a state folder; `None` when none runs.
///
/// # Errors
/// [`code::SERVICE`] when it ended before it answered.
pub fn request(state_dir: &Path, request: &Request) -> Result<Option<Answer>, Fault> {
    let path = state_dir.join(NAME);
    let Ok(mut stream) = os::connect(&path) else {
        return Ok(None);
    };
    let lost = |cause: &dyn std::fmt::Display| {
        Fault::new(
            code::SERVICE,
            path.display().to_string(),
            "the service ended before it answered",
        )
        .cause(cause)
        .remedy("look at its log, and ask again when it runs")
    };
    let text = serde_json::to_string(request).map_err(|error| lost(&error))?;
    writeln!(stream, "{text}").map_err(|error| lost(&error))?;
    let mut line = String::new();
    BufReader::new(&stream)
        .take(MAX_ANSWER)
        .read_line(&mut line)
        .map_err(|error| lost(&error))?;
    serde_json::from_str(&line)
        .map(Some)
        .map_err(|error| lost(&error))
}
