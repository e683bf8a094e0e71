//! A lab in a process of its own, as SQL Server would be: `twinset-lab serve` as a child.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

/// How long it may take to listen, to answer and to end.
const PATIENCE: Duration = Duration::from_secs(30);
/// Lines of it that wait to be read.
const LINES: usize = 64;

/// One instance that listens.
#[derive(Clone, Debug, Deserialize)]
pub struct Listening {
    /// Server name.
    pub name: String,
    /// Address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Certificate of the authority that clients trust.
    pub ca_file: PathBuf,
}

/// A running `twinset-lab serve`; dropping it ends it.
#[derive(Debug)]
pub struct ServedLab {
    child: Child,
    orders: Option<ChildStdin>,
    lines: Receiver<String>,
    /// Its instances, in the order of the scene.
    pub instances: Vec<Listening>,
}

#[derive(Deserialize)]
struct Ready {
    instances: Vec<Listening>,
}

impl ServedLab {
    /// Starts it and waits until all instances listen.
    ///
    /// # Errors
    /// The program cannot be started, or does not listen within half a minute.
    pub fn start(program: &Path, scene: &Path, folder: &Path) -> io::Result<Self> {
        let mut child = Command::new(program)
            .arg("serve")
            .arg(scene)
            .arg("--folder")
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = child.stdin.take();
        let out = child.stdout.take().ok_or_else(ended)?;
        let (tell, lines) = sync_channel(LINES);
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        let mut lab = Self {
            child,
            orders,
            lines,
            instances: Vec::new(),
        };
        let ready: Ready = serde_json::from_str(&lab.line()?)?;
        lab.instances = ready.instances;
        Ok(lab)
    }

    fn line(&self) -> io::Result<String> {
        self.lines
            .recv_timeout(PATIENCE)
            .map_err(|error| match error {
                RecvTimeoutError::Timeout => {
                    io::Error::new(io::ErrorKind::TimedOut, "the lab hangs")
                }
                RecvTimeoutError::Disconnected => ended(),
            })
    }

    /// Gives it an order (see [`super::orders`]) and returns its answer.
    ///
    /// # Errors
    /// It has ended, hangs, or refuses the order.
    pub fn order(&mut self, order: &Value) -> io::Result<Value> {
        let input = self.orders.as_mut().ok_or_else(ended)?;
        writeln!(input, "{order}")?;
        input.flush()?;
        let answer: Value = serde_json::from_str(&self.line()?)?;
        match answer["error"].as_str() {
            Some(why) => Err(io::Error::other(why.to_owned())),
            None => Ok(answer),
        }
    }

    /// Turns the knobs of an instance; those left out are off.
    ///
    /// # Errors
    /// As [`Self::order`].
    pub fn turn(&mut self, instance: &str, faults: &Value) -> io::Result<()> {
        let order = json!({ "instance": instance, "faults": faults });
        self.order(&order).map(|_| ())
    }

    /// How a database of an instance stands.
    ///
    /// # Errors
    /// As [`Self::order`].
    pub fn database(&mut self, instance: &str, database: &str) -> io::Result<Value> {
        let order = json!({ "instance": instance, "database": database });
        self.order(&order)
            .map(|mut answer| answer["database"].take())
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut would.
    ///
    /// # Errors
    /// The system's.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(|_| ())
    }

    /// Tells it to end and waits for that.
    ///
    /// # Errors
    /// It does not end within half a minute; it is killed then.
    pub fn end(mut self) -> io::Result<ExitStatus> {
        self.finish()
    }

    fn finish(&mut self) -> io::Result<ExitStatus> {
        self.orders = None;
        let until = Instant::now() + PATIENCE;
        loop {
            // Its standard output closes with it.
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return self.child.wait(),
                Err(RecvTimeoutError::Timeout) => {
                    self.child.kill()?;
                    self.child.wait()?;
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "the lab hung"));
                }
            }
        }
    }
}

impl Drop for ServedLab {
    fn drop(&mut self) {
        // Whoever wants to know how it ended asks `end`.
        let _ = self.finish();
    }
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the lab has ended")
}
