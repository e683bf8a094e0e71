//! Two hosts under a drill: what is done to them, what their agents say, when.

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::report::{Check, Entry, Report};
use crate::hosts::program::Ran;
use crate::hosts::programs::Programs;
use crate::hosts::said::{Said, Service};
use crate::hosts::{A, AGENTS, B, Pair, Setup};

/// How often the agents ask the partners, in the drills.
pub(super) const POLL: Duration = Duration::from_secs(1);
/// What starting a process and one turn of the service may take beside that.
const START: Duration = Duration::from_secs(2);
/// How long a backup by hand waits for one that the service takes just then.
const TURN: Duration = Duration::from_secs(30);
/// How long an agent may take until a database is in the state it must come to.
const SETTLED: Duration = Duration::from_secs(60);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// Two hosts, their services and their story.
pub(super) struct Stage {
    pub(super) pair: Pair,
    services: [Option<Service>; 2],
    pub(super) report: Report,
    /// Who was principal at which role sequence, by server name.
    pub(super) terms: BTreeSet<(String, i64)>,
    written: u32,
    copies: u32,
    // Removed last.
    _folder: TempDir,
}

/// Place of an agent in pairs of things.
fn at(agent: &str) -> usize {
    usize::from(agent == B)
}

/// The server beside an agent.
pub(super) fn server(agent: &str) -> String {
    agent.to_uppercase()
}

impl Stage {
    /// Servers that run, media that are formatted, no service yet.
    pub(super) fn open(setup: &Setup) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("twinset-drill.")
            .tempdir()?;
        let path = folder.path().canonicalize()?;
        let programs = Programs::of_this_build()?.installed(&path.join("lib"))?;
        let pair = Pair::set_up(&path, programs, setup)?;
        pair.format()?;
        let mut stage = Self {
            pair,
            services: [None, None],
            report: Report::new(),
            terms: BTreeSet::new(),
            written: 0,
            copies: 0,
            _folder: folder,
        };
        stage.look()?;
        Ok(stage)
    }

    /// The same with both services running.
    pub(super) fn served(setup: &Setup) -> io::Result<Self> {
        let mut stage = Self::open(setup)?;
        stage.start(A)?;
        stage.start(B)?;
        Ok(stage)
    }

    /// The same behind the first full of sql-a's agent.
    pub(super) fn protected(setup: &Setup) -> io::Result<Self> {
        let mut stage = Self::served(setup)?;
        stage.service(A)?.done("full backup")?;
        stage
            .service(B)?
            .until("who stands by", |said| matches!(said, Said::State(_)))?;
        stage.write(A)?;
        stage.log(A)?;
        Ok(stage)
    }

    /// Something happened to the scene.
    pub(super) fn did(&mut self, what: impl Into<String>) -> Instant {
        let at = Instant::now();
        self.report.entries.push(Entry {
            at,
            who: "",
            text: what.into(),
        });
        at
    }

    /// Something that must be so.
    pub(super) fn check(&mut self, promise: &'static str, what: impl Into<String>, holds: bool) {
        self.report.checks.push(Check {
            promise,
            what: what.into(),
            holds,
        });
    }

    /// The service of an agent.
    pub(super) fn service(&mut self, agent: &str) -> io::Result<&mut Service> {
        let service = self.services[at(agent)].as_mut();
        service.ok_or_else(|| io::Error::other(format!("{agent} does not run")))
    }

    pub(super) fn runs(&self, agent: &str) -> bool {
        self.services[at(agent)].is_some()
    }

    pub(super) fn start(&mut self, agent: &'static str) -> io::Result<()> {
        self.did(format!("{agent}: twinset run"));
        self.services[at(agent)] = Some(self.pair.service(agent)?);
        Ok(())
    }

    /// Its process is killed, whatever it does.
    pub(super) fn kill(&mut self, agent: &'static str) {
        if let Some(service) = self.services[at(agent)].take() {
            self.did(format!("{agent}: kill -9"));
            let said = service.kill();
            self.note(agent, said);
        }
    }

    /// It is told to stop; tells its exit code.
    pub(super) fn stop(&mut self, agent: &'static str) -> io::Result<i32> {
        let Some(service) = self.services[at(agent)].take() else {
            return Ok(0);
        };
        self.did(format!("{agent}: Ctrl-C"));
        let (ran, said) = service.stop()?;
        self.note(agent, said);
        Ok(ran.code)
    }

    /// What an ended service had said.
    fn note(&mut self, agent: &'static str, said: Vec<(Instant, Said)>) {
        self.report.said[at(agent)].extend(said);
    }

    /// What was said up to now by those that run goes into the report.
    pub(super) fn gather(&mut self) {
        for agent in AGENTS {
            if let Some(service) = self.services[at(agent)].take() {
                let said = service.kill();
                self.note(agent, said);
            }
        }
    }

    /// Who is principal where, for what is compared later.
    pub(super) fn look(&mut self) -> io::Result<[Value; 2]> {
        let told = [self.told(A)?, self.told(B)?];
        for (agent, told) in AGENTS.iter().zip(&told) {
            let session = &told["mirroring"];
            if session["role"] == "principal"
                && let Some(sequence) = session["role_sequence"].as_i64()
            {
                self.terms.insert((server(agent), sequence));
            }
        }
        Ok(told)
    }

    /// How Payroll stands on an agent's server; null where it is not.
    pub(super) fn told(&mut self, agent: &str) -> io::Result<Value> {
        match self.pair.told_of(agent, "Payroll") {
            Err(fault) if fault.to_string().contains("no database") => Ok(Value::Null),
            other => other,
        }
    }

    /// A name that no copy bears yet.
    pub(super) fn next_copy(&mut self) -> String {
        self.copies += 1;
        format!("Payroll_Copy_{}", self.copies)
    }

    /// One transaction on an agent's server.
    pub(super) fn write(&mut self, agent: &str) -> io::Result<()> {
        self.written += 1;
        let note = format!("row {}", self.written);
        self.pair.write(agent, &note)
    }

    /// A backup by hand; waits while the service has the media set.
    pub(super) fn take(&mut self, agent: &str, kind: &str) -> io::Result<Ran> {
        self.take_behind(agent, kind, &["TW5002"])
    }

    /// A backup by hand that is tried again as long as it is refused with one of these codes.
    pub(super) fn take_behind(
        &mut self,
        agent: &str,
        kind: &str,
        waits: &[&str],
    ) -> io::Result<Ran> {
        let until = Instant::now() + TURN;
        loop {
            let ran = self.pair.take(agent, kind, &[])?;
            let code = ran.object()["error"]["code"].clone();
            let code = code.as_str();
            if code.is_some_and(|code| waits.contains(&code)) && Instant::now() < until {
                std::thread::sleep(PAUSE);
                continue;
            }
            let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
            self.did(format!(
                "{agent}$ twinset backup payroll --kind {kind}: exit code {}{code}",
                ran.code
            ));
            return Ok(ran);
        }
    }

    /// Waits until an agent has a database in this state, whether it says so anew or not.
    pub(super) fn settled(&mut self, agent: &str, wanted: &str) -> io::Result<()> {
        let until = Instant::now() + SETTLED;
        loop {
            let listed = self.pair.json(agent, &["group", "list"])?.object();
            let state = &listed["result"][0];
            if state["state"] == wanted {
                return Ok(());
            }
            if Instant::now() > until {
                let text = format!("{agent}: not {wanted}, but {}", state["text"]);
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// A log backup by hand that must succeed.
    pub(super) fn log(&mut self, agent: &str) -> io::Result<()> {
        let ran = self.take(agent, "log")?;
        if [0, 3].contains(&ran.code) {
            return Ok(());
        }
        let text = format!("no log backup on {agent}: {}", ran.stdout);
        Err(io::Error::other(text))
    }

    /// Another verb by hand; tells its exit code.
    pub(super) fn types(&mut self, agent: &str, line: &str) -> io::Result<Ran> {
        let words: Vec<&str> = line.split(' ').collect();
        let ran = self.pair.json(agent, &words)?;
        self.did(format!("{agent}$ twinset {line}: exit code {}", ran.code));
        Ok(ran)
    }

    /// The planned switch.
    pub(super) fn fail_over(&mut self, agent: &str) -> io::Result<Instant> {
        let begun = self.did(format!("{} fails over", server(agent)));
        self.pair.fail_over(agent)?;
        self.look()?;
        Ok(begun)
    }

    /// A server crashes, or comes back.
    pub(super) fn power(&mut self, agent: &str, on: bool) -> io::Result<Instant> {
        let what = if on { "comes back" } else { "crashes" };
        let begun = self.did(format!("{} {what}", server(agent)));
        self.pair.order(agent, json!({ "running": on }))?;
        self.look()?;
        Ok(begun)
    }

    /// The mirror of `agent`'s partner is forced into service.
    pub(super) fn force(&mut self, agent: &str) -> io::Result<Instant> {
        let begun = self.did(format!("{} is forced into service", server(agent)));
        self.pair.order(agent, json!({ "force": "Payroll" }))?;
        self.look()?;
        Ok(begun)
    }

    /// What is cut or joined, seen from an agent's server.
    pub(super) fn links(&mut self, agent: &str, links: Value, what: &str) -> io::Result<()> {
        self.did(format!("{}: {what}", server(agent)));
        self.pair.links(agent, links)?;
        self.look().map(drop)
    }

    /// SET PARTNER on an agent's server.
    pub(super) fn partner(&mut self, agent: &str, to: &str) -> io::Result<()> {
        self.did(format!("{}: SET PARTNER {to}", server(agent)));
        let session = json!({ "database": "Payroll", "partner": to });
        self.pair.order(agent, json!({ "session": session }))?;
        self.look().map(drop)
    }

    /// Waits until the new principal's agent takes backups again: measured from the switch, and held
    /// against two polls and the time of the check.
    pub(super) fn resumed(&mut self, agent: &'static str, switch: Instant) -> io::Result<()> {
        let service = self.service(agent)?;
        let (begun, _) = service.until(
            "a check that begins",
            |said| matches!(said, Said::Begins(what, _) if what == "check"),
        )?;
        let (checked, _) = service.done("check")?;
        let (resumed, kind) = service.until(
            "a backup that begins",
            |said| matches!(said, Said::Begins(what, _) if what.ends_with("backup")),
        )?;
        let check = checked.saturating_duration_since(begun);
        let all = resumed.saturating_duration_since(switch);
        let limit = POLL * 2 + check;
        let kind = match kind {
            Said::Begins(what, _) => what,
            _ => String::new(),
        };
        let what = format!(
            "{agent} resumes with a {kind} {:.2} s behind the switch: 2 polls {:.0} s + check {:.2} s \
             (+ {:.0} s to start processes)",
            all.as_secs_f64(),
            (POLL * 2).as_secs_f64(),
            check.as_secs_f64(),
            START.as_secs_f64()
        );
        self.check("7.2", what, all <= limit + START);
        self.service(agent)?.done(&kind)?;
        Ok(())
    }
}
