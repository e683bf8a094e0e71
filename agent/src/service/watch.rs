//! Asks each instance how its databases stand, again and again, on one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use twinset_domain::presence::Traces;
use twinset_domain::{AgentId, Fault};

use super::input::Input;
use crate::config::Instance;
use crate::sqlserver::partners::{self, Told};
use crate::sqlserver::presence::{self, Mark};
use crate::sqlserver::{Connector, Purpose, Session};

/// How often a thread looks whether it is to end.
const LOOK: Duration = Duration::from_millis(200);

/// A thread that asks one instance; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Watch {
    ends: Arc<AtomicBool>,
    /// How it asks, so that a changed configuration is seen.
    pub(super) of: Way,
}

/// How an instance is asked.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) instance: Instance,
    pub(super) every: Duration,
    /// How often it is looked for signs of other agents; where another agent may matter.
    pub(super) signs: Option<Duration>,
}

impl PartialEq for Way {
    fn eq(&self, other: &Self) -> bool {
        // The place in the file says nothing about the server.
        let told = |way: &Self| {
            let mut instance = way.instance.clone();
            instance.place = other.instance.place.clone();
            (format!("{instance:?}"), way.every, way.signs)
        };
        told(self) == told(other)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
    }
}

impl Watch {
    /// Starts asking.
    pub(super) fn start(way: Way, agent: AgentId, tell: Sender<Input>) -> std::io::Result<Self> {
        let ends = Arc::new(AtomicBool::new(false));
        let (flag, of) = (ends.clone(), way.clone());
        thread::Builder::new()
            .name(format!("watch-{}", way.instance.name))
            .spawn(move || watch(&way, agent, &tell, &flag))?;
        Ok(Self { ends, of })
    }
}

fn watch(way: &Way, agent: AgentId, tell: &Sender<Input>, ends: &AtomicBool) {
    let mut session = None;
    let mut signs = Signs::default();
    while !ends.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let heard = ask(way, agent, &mut session);
        let input = Input::Heard {
            instance: way.instance.name.clone(),
            heard: heard.map(Box::new),
            took: begun.elapsed(),
        };
        // What is broken is asked again over a new connection.
        if matches!(&input, Input::Heard { heard: Err(_), .. }) {
            session = None;
        }
        if ends.load(Ordering::Relaxed) || tell.send(input).is_err() {
            return;
        }
        if let Some(traces) = signs.look(way, &mut session) {
            let instance = way.instance.name.clone();
            if tell.send(Input::Traced { instance, traces }).is_err() {
                return;
            }
        }
        while begun.elapsed() < way.every && !ends.load(Ordering::Relaxed) {
            thread::sleep(LOOK.min(way.every.saturating_sub(begun.elapsed())));
        }
    }
}

/// Looks for signs of other agents, now and then.
#[derive(Debug, Default)]
struct Signs {
    looked: Option<Instant>,
    /// That it looks was said.
    told: bool,
    mark: Mark,
}

impl Signs {
    /// What one look shows, if it is time for one; inside, nothing where it could not be asked.
    fn look(&mut self, way: &Way, session: &mut Option<Session>) -> Option<Option<Traces>> {
        let every = way.signs?;
        let is_due = self.looked.is_none_or(|looked| looked.elapsed() >= every);
        if !is_due && session.is_some() {
            return None;
        }
        self.looked = Some(Instant::now());
        let Some(open) = session else {
            return Some(None);
        };
        Some(match presence::look(open, &mut self.mark) {
            Ok(traces) => {
                if !std::mem::replace(&mut self.told, true) {
                    tracing::info!(instance = way.instance.name, "looks for other agents");
                }
                Some(traces)
            }
            Err(fault) => {
                tracing::debug!(%fault, instance = way.instance.name, "shows no agents");
                *session = None;
                None
            }
        })
    }
}

/// One look. A connection that has died since the last one is no news: a second one tells.
fn ask(way: &Way, agent: AgentId, session: &mut Option<Session>) -> Result<Told, Fault> {
    if let Some(open) = session
        && let Ok(told) = partners::ask(open)
    {
        return Ok(told);
    }
    *session = None;
    let settings = way.instance.settings()?.of_agent(agent);
    let open = session.insert(Connector::new(settings, "watch").open_once(Purpose::Control)?);
    partners::ask(open)
}
