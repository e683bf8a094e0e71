//! What the status page and the metrics show, and the listener that serves them.
//!
//! The loop says what it knows and goes on; what lies in the catalog is read by who was asked, over
//! a connection of its own, so that a scrape holds nobody up.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use twinset_domain::alert::Severity;
use twinset_domain::schedule::KINDS;
use twinset_domain::{BackupKind, Fault, Moment, code, rpo};

use super::input::Input;
use super::jobs::Name;
use super::state::Service;
use crate::catalog::Catalog;
use crate::web::{
    self, Database, Instance, Jobs, Kind, Last, MediaSet, Overview, SharedCatalog, Web,
};

/// How long the loop may take to answer: a scrape that waits longer says that it is down.
const PATIENCE: Duration = Duration::from_secs(5);
/// Seconds between two tries to listen.
const AGAIN: i64 = 60;
/// What the alert about it is about.
const OBJECT: &str = "status page";

/// The listener as it is wanted and as it is.
#[derive(Debug, Default)]
pub(super) struct Window {
    wanted: Option<SocketAddr>,
    open: Option<Web>,
    /// When it is tried again.
    next: Option<Moment>,
}

impl Window {
    /// Where it can be looked at.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.open.as_ref().map(|web| web.address)
    }
}

impl Service {
    /// Listens where the configuration says; what stands in the way is an alert, and tried again.
    pub(super) fn show(&mut self, now: Moment) -> Result<(), Fault> {
        let wanted = self.config.agent.metrics;
        if self.window.wanted != wanted {
            self.window = Window {
                wanted,
                ..Window::default()
            };
            self.over(code::STATUS_PAGE, OBJECT, now)?;
        }
        let Some(address) = wanted else { return Ok(()) };
        if self.window.open.is_some() || self.window.next.is_some_and(|next| now < next) {
            return Ok(());
        }
        match web::listen(address, source(&self.tell, &self.config.agent.state_dir)) {
            Ok(open) => {
                tracing::info!(address = %open.address, "status page and metrics are served");
                self.window.open = Some(open);
                self.over(code::STATUS_PAGE, OBJECT, now)
            }
            Err(error) => {
                self.window.next = Some(Moment(now.0.saturating_add(AGAIN)));
                let message = format!("cannot listen at {address}");
                let fault = Fault::new(code::STATUS_PAGE, OBJECT, message)
                    .cause(error)
                    .remedy("choose an address of this host and a free port: `[agent] metrics`");
                self.put(&fault, Severity::Warning, None, now)
            }
        }
    }

    /// What the loop knows; what the catalog knows is filled in behind it.
    pub(super) fn overview(&self, now: Moment) -> Overview {
        let databases = self.members.iter().map(|(name, member)| {
            let protection = member.record.shown();
            Database {
                group: name.group.clone(),
                database: name.database.clone(),
                text: protection.to_string(),
                protection,
                exposed: member.record.is_exposed(),
                kinds: self.kinds(name, member.logless),
            }
        });
        let instances = self.polls.iter().map(|(name, (asked, took))| Instance {
            instance: name.clone(),
            answers: self.heard.contains_key(name),
            asked: *asked,
            seconds: took.as_secs_f64(),
        });
        let (running, waiting) = self.jobs.count();
        Overview {
            agent: self.config.agent.name.clone(),
            version: env!("CARGO_PKG_VERSION"),
            now,
            started: self.started,
            databases: databases.collect(),
            instances: instances.collect(),
            media_sets: self.media_sets(),
            jobs: Jobs { running, waiting },
            alerts: Vec::new(),
            // Filled in from the catalog.
            shared_catalog: self.config.shared.as_ref().map(|_| SharedCatalog {
                answers: false,
                told: None,
                waiting: None,
            }),
        }
    }

    /// The kinds that a database has or should have; those of an orphan are not known any more.
    fn kinds(&self, name: &Name, logless: bool) -> Vec<Kind> {
        let Some(group) = self.config.groups.get(&name.group) else {
            return Vec::new();
        };
        let kinds = KINDS.into_iter();
        let kinds = kinds.filter(|kind| *kind != BackupKind::Log || !logless);
        let kind = |kind| {
            let keys = self.config.keys_of(group, kind, &name.database).ok()?;
            let line = group.schedule.as_ref().and_then(|rules| rules.line(kind));
            let ruled = group.rpo.of(kind).is_some();
            Some(Kind {
                kind,
                media_sets: keys,
                last: None,
                rpo_breached: ruled.then_some(false),
                wanted: line.is_some() || ruled,
            })
        };
        kinds.filter_map(kind).collect()
    }

    fn media_sets(&self) -> Vec<MediaSet> {
        let mut all: BTreeMap<String, usize> = BTreeMap::new();
        for name in self.members.keys() {
            let Some(group) = self.config.groups.get(&name.group) else {
                continue;
            };
            for kind in KINDS {
                if let Ok(set) = self.config.media_set(group.media_set_of(kind)) {
                    all.insert(set.key_of(Some(&name.database)), set.mirrors.len());
                }
            }
        }
        let set = |(media_set, mirrors)| MediaSet {
            media_set,
            mirrors,
            in_step: None,
        };
        all.into_iter().map(set).collect()
    }
}

/// Asks the loop, then the catalog.
fn source(tell: &Sender<Input>, state_dir: &Path) -> web::Source {
    let (tell, folder): (_, PathBuf) = (tell.clone(), state_dir.to_owned());
    Arc::new(move || {
        let (answer, said) = channel();
        tell.send(Input::Looked(answer)).ok()?;
        let mut overview = said.recv_timeout(PATIENCE).ok()?;
        match fill(&mut overview, &folder) {
            Ok(()) => Some(overview),
            Err(fault) => {
                tracing::warn!("the status page cannot be filled: {fault}");
                None
            }
        }
    })
}

/// What the catalog knows: the newest backups, the mirrors that hold them, open alerts.
fn fill(overview: &mut Overview, state_dir: &Path) -> Result<(), Fault> {
    let Some(catalog) = Catalog::look(state_dir)? else {
        return Ok(());
    };
    overview.alerts = catalog.open_alerts()?;
    if let Some(shared) = &mut overview.shared_catalog {
        let sharing = catalog.sharing()?;
        *shared = SharedCatalog {
            answers: sharing.fault.is_none() && sharing.tries.reached.is_some(),
            told: sharing.tries.reached,
            waiting: sharing.waiting,
        };
    }
    let too_old = |object: &str| {
        let mut alerts = overview.alerts.iter();
        alerts.any(|alert| alert.code == code::RPO.text() && alert.object == object)
    };
    for one in &mut overview.databases {
        for kind in &mut one.kinds {
            let newest =
                catalog.newest(&kind.media_sets, &one.database, kind.kind, overview.now)?;
            kind.last = newest.map(|newest| Last {
                began: newest.began,
                seconds: newest
                    .ended
                    .map(|ended| ended.0.saturating_sub(newest.began.0)),
                bytes: newest.bytes,
            });
            if let Some(breached) = &mut kind.rpo_breached {
                *breached = too_old(&rpo::object(&one.group, &one.database, kind.kind));
            }
        }
        one.kinds.retain(|kind| kind.wanted || kind.last.is_some());
    }
    for set in &mut overview.media_sets {
        let newest = catalog.newest_published(&set.media_set)?;
        set.in_step = newest.map(|card| card.mirrors.len());
    }
    Ok(())
}
