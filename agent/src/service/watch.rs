//! Asks each instance how its databases stand, again and again, on one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use twinset_domain::Fault;

use super::input::Input;
use crate::config::Instance;
use crate::sqlserver::partners::{self, Told};
use crate::sqlserver::{Connector, Purpose, Session};
use twinset_domain::AgentId;

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
}

impl PartialEq for Way {
    fn eq(&self, other: &Self) -> bool {
        // The place in the file says nothing about the server.
        let told = |way: &Self| {
            let mut instance = way.instance.clone();
            instance.place = other.instance.place.clone();
            (format!("{instance:?}"), way.every)
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
        while begun.elapsed() < way.every && !ends.load(Ordering::Relaxed) {
            thread::sleep(LOOK.min(way.every.saturating_sub(begun.elapsed())));
        }
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
