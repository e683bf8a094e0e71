//! Two hosts with a SQL Server each, partners of one mirroring session, and an agent on each: what
//! the demonstration shows, what the drills shake, what the specifications stand on.
//!
//! The servers are doubles in a process of their own (`twinset-lab serve`), the agents the real
//! `twinset` with real plugin files. [`setup`] says what they are made of, [`Pair`] gives orders to
//! either side, [`program`] runs what a person would type, [`said`] reads what the services say.

pub mod program;
pub mod programs;
pub mod said;
pub mod setup;

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::lab::child::ServedLab;
use program::{Ran, Running};
use programs::Programs;
use said::Service;
pub use setup::{AGENTS, GUID, PASSWORD, Setup};

/// Between two looks at a server.
const PAUSE: Duration = Duration::from_millis(5);

/// The agent of the first host, and the name of its instance.
pub const A: &str = AGENTS[0];
/// The agent of the second host, and the name of its instance.
pub const B: &str = AGENTS[1];

/// Two hosts with their agents, over one session.
#[derive(Debug)]
pub struct Pair {
    path: PathBuf,
    programs: Programs,
    /// The servers.
    pub lab: ServedLab,
    /// Their names.
    pub servers: [&'static str; 2],
    setup: Setup,
}

impl Pair {
    /// Starts the servers and writes the files of the agents into an empty folder; no medium is
    /// formatted, no service runs.
    ///
    /// # Errors
    /// The system's; the servers do not start.
    pub fn set_up(path: &Path, programs: Programs, setup: &Setup) -> io::Result<Self> {
        fs::write(path.join("scene.toml"), setup.scene())?;
        let lab = ServedLab::start(&programs.lab, &path.join("scene.toml"), &path.join("lab"))?;
        fs::write(path.join("password"), PASSWORD)?;
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(path.join("password"), private)?;
        fs::create_dir(path.join("groups.d"))?;
        fs::create_dir(path.join("staged"))?;
        fs::write(path.join("groups.d/payroll.toml"), setup.group_text())?;
        for agent in AGENTS {
            let text = setup.config(agent, &programs, &lab.instances)?;
            fs::write(path.join(format!("{agent}.toml")), text)?;
        }
        Ok(Self {
            path: path.to_owned(),
            programs,
            lab,
            servers: setup.servers,
            setup: setup.clone(),
        })
    }

    /// The device of an agent that is broken on purpose is whole from now on.
    ///
    /// # Errors
    /// The system's.
    pub fn mend(&self, agent: &str) -> io::Result<()> {
        let sound = Setup {
            faulty: [None, None],
            ..self.setup.clone()
        };
        let text = sound.config(agent, &self.programs, &self.lab.instances)?;
        fs::write(self.config_file(agent), text)
    }

    /// Formats the media of both agents.
    ///
    /// # Errors
    /// It cannot be done.
    pub fn format(&self) -> io::Result<()> {
        for agent in AGENTS {
            self.json(agent, &["media", "format", "payroll"])?
                .ended(0)?;
        }
        Ok(())
    }

    /// The configuration of an agent.
    #[must_use]
    pub fn config_file(&self, agent: &str) -> PathBuf {
        self.path.join(format!("{agent}.toml"))
    }

    /// The group's file, which both agents read.
    #[must_use]
    pub fn group_file(&self) -> PathBuf {
        self.path.join("groups.d/payroll.toml")
    }

    /// The folder of both.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A verb of an agent, to be run by the caller.
    #[must_use]
    pub fn command(&self, agent: &str, args: &[&str]) -> Command {
        let mut command = Command::new(&self.programs.twinset);
        command
            .current_dir(&self.path)
            .env_remove("TWINSET_LOG")
            .args(["--config", &format!("{agent}.toml")])
            .args(args);
        command
    }

    /// Starts a verb of an agent.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn begin(&self, agent: &str, form: &[&str], args: &[&str]) -> io::Result<Running> {
        let config = format!("{agent}.toml");
        let line = [&["--config", &config][..], form, args].concat();
        Running::start(&self.programs.twinset, &line, &self.path)
    }

    /// Starts the service of an agent, and waits until it serves.
    ///
    /// # Errors
    /// It does not run.
    pub fn serve(&self, agent: &str) -> io::Result<Running> {
        let mut service = self.begin(agent, &["--json", "--log-level", "info"], &["run"])?;
        match service.says("the service runs")? {
            Some(_) => Ok(service),
            None => {
                let ran = service.end()?;
                Err(io::Error::other(format!("no service: {ran:?}")))
            }
        }
    }

    /// The same, to be asked what it says.
    ///
    /// # Errors
    /// As [`Self::serve`].
    pub fn service(&self, agent: &'static str) -> io::Result<Service> {
        Ok(Service::new(agent, self.serve(agent)?))
    }

    /// Runs a verb of an agent to its end.
    ///
    /// # Errors
    /// It cannot be started, or hangs.
    pub fn run_as(&self, agent: &str, form: &[&str], args: &[&str]) -> io::Result<Ran> {
        self.begin(agent, form, args)?.end()
    }

    /// The same with one JSON object as its answer.
    ///
    /// # Errors
    /// As [`Self::run_as`].
    pub fn json(&self, agent: &str, args: &[&str]) -> io::Result<Ran> {
        self.run_as(agent, &["--json", "--no-progress"], args)
    }

    /// `twinset backup payroll --kind KIND` by an agent.
    ///
    /// # Errors
    /// As [`Self::run_as`].
    pub fn take(&self, agent: &str, kind: &str, more: &[&str]) -> io::Result<Ran> {
        let line = [&["backup", "payroll", "--kind", kind], more].concat();
        self.json(agent, &line)
    }

    /// An order to the lab, to an agent's server.
    ///
    /// # Errors
    /// The lab refuses it, or has ended.
    pub fn order(&mut self, agent: &str, mut order: Value) -> io::Result<Value> {
        order["instance"] = self.servers[usize::from(agent == B)].into();
        self.lab.order(&order)
    }

    /// Cuts or joins the session of Payroll, as `agent`'s server sees it.
    ///
    /// # Errors
    /// As [`Self::order`].
    pub fn links(&mut self, agent: &str, links: Value) -> io::Result<()> {
        let session = json!({ "database": "Payroll", "links": links });
        self.order(agent, json!({ "session": session })).map(drop)
    }

    /// Something happens to the availability group, on an agent's server.
    ///
    /// # Errors
    /// As [`Self::order`].
    pub fn group(&mut self, agent: &str, mut what: Value) -> io::Result<()> {
        what["name"] = "ag".into();
        self.order(agent, json!({ "group": what })).map(drop)
    }

    /// The planned switch, by the principal at `agent`.
    ///
    /// # Errors
    /// As [`Self::order`].
    pub fn fail_over(&mut self, agent: &str) -> io::Result<()> {
        self.order(agent, json!({ "failover": "Payroll" }))
            .map(drop)
    }

    /// The next backup on an agent's server meets this.
    ///
    /// # Errors
    /// As [`Self::order`].
    pub fn struck(&mut self, agent: &str, switch: Value, ends: &str) -> io::Result<()> {
        let knobs = json!({ "switch": switch, "switch_ends": ends });
        self.order(agent, json!({ "faults": { "mirroring": knobs } }))
            .map(drop)
    }

    /// No server misbehaves any more.
    ///
    /// # Errors
    /// As [`Self::order`].
    pub fn calm(&mut self) -> io::Result<()> {
        for agent in AGENTS {
            self.order(agent, json!({ "faults": {} }))?;
        }
        Ok(())
    }

    /// Waits until a database on an agent's server stands as wanted.
    ///
    /// # Errors
    /// It does not within [`program::PATIENCE`].
    pub fn until(
        &mut self,
        agent: &str,
        what: &str,
        mut stands: impl FnMut(&Value) -> bool,
    ) -> io::Result<()> {
        let until = Instant::now() + program::PATIENCE;
        while !stands(&self.told_of(agent, "Payroll")?) {
            if Instant::now() > until {
                let text = format!("waited in vain for {agent}: {what}");
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// One transaction on an agent's server.
    ///
    /// # Errors
    /// As [`Self::order`].
    pub fn write(&mut self, agent: &str, note: &str) -> io::Result<()> {
        let order = json!({ "database": "Payroll", "write": [note] });
        self.order(agent, order).map(drop)
    }

    /// How a database stands on an agent's server.
    ///
    /// # Errors
    /// As [`Self::order`].
    pub fn told_of(&mut self, agent: &str, database: &str) -> io::Result<Value> {
        let mut told = self.order(agent, json!({ "database": database }))?;
        Ok(told["database"].take())
    }
}
