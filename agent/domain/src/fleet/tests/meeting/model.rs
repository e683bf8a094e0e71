//! Both sides, as small as they can be: rows by a number, and an outbox.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::fleet::{Batch, Event, Fit, Mark, Meet, Ours, Tag, Told, fit, meet};
use crate::{MediaSetId, Moment};

/// What somebody holds: positions of one media set, each with a content.
pub(super) type Rows = BTreeMap<u64, String>;

pub(super) fn gone(position: u64) -> Event {
    let media_set = MediaSetId(Uuid::nil());
    Event::SetGone {
        media_set,
        position,
    }
}

/// A row as an event: the group is the content, the database its key.
pub(super) fn row(key: u64, content: &str) -> Event {
    Event::MemberGone {
        group: content.to_owned(),
        database: key.to_string(),
    }
}

/// An agent's catalog; a clone is a backup of it.
#[derive(Clone)]
pub(super) struct Agent {
    pub(super) rows: Rows,
    pub(super) ours: Ours,
    pub(super) acked: Tag,
    pub(super) newest: u64,
    pub(super) outbox: Vec<Told>,
}

impl Agent {
    pub(super) fn new() -> Self {
        Self {
            rows: Rows::new(),
            ours: Ours {
                epoch: 0,
                open: false,
                acked: 0,
            },
            acked: Tag::NONE,
            newest: 0,
            outbox: Vec::new(),
        }
    }

    pub(super) fn tell(&mut self, event: Event) {
        if self.ours.open {
            self.newest += 1;
            self.outbox.push(Told {
                number: self.newest,
                tag: Tag::random(),
                at: Moment(0),
                event,
            });
        }
    }

    pub(super) fn change(&mut self, key: u64, content: Option<String>) {
        match content {
            Some(content) => {
                self.tell(row(key, &content));
                self.rows.insert(key, content);
            }
            None => {
                self.tell(gone(key));
                self.rows.remove(&key);
            }
        }
    }

    pub(super) fn begin(&mut self, epoch: u64) {
        self.ours = Ours {
            epoch,
            open: true,
            acked: 0,
        };
        (self.acked, self.newest) = (Tag::NONE, 0);
        self.outbox.clear();
        self.tell(Event::Begin);
        for (key, content) in self.rows.clone() {
            self.tell(row(key, &content));
        }
        self.tell(Event::Whole);
    }

    pub(super) fn tag_of(&self, number: u64) -> Option<Tag> {
        if number == self.ours.acked {
            return Some(self.acked);
        }
        let found = self.outbox.iter().find(|told| told.number == number);
        found.map(|told| told.tag)
    }

    /// What is to be sent to one that stands there.
    pub(super) fn batches(&mut self, theirs: Option<&Mark>, most: usize) -> Vec<Batch> {
        let tag = theirs.and_then(|mark| self.tag_of(mark.last));
        let after = match meet(&self.ours, theirs, tag) {
            Meet::After(after) => {
                // An answer that was lost: what was taken waits no more.
                if let Some(mark) = theirs {
                    self.acknowledge(mark);
                }
                after
            }
            Meet::Anew { epoch, .. } => {
                self.begin(epoch);
                0
            }
        };
        let mut before = self.tag_of(after).unwrap_or(Tag::NONE);
        let rest: Vec<Told> = self
            .outbox
            .iter()
            .filter(|told| told.number > after)
            .cloned()
            .collect();
        let mut batches = Vec::new();
        for part in rest.chunks(most) {
            let batch = Batch {
                epoch: self.ours.epoch,
                before,
                events: part.to_vec(),
            };
            before = part.last().unwrap().tag;
            batches.push(batch);
        }
        batches
    }

    pub(super) fn acknowledge(&mut self, mark: &Mark) {
        if mark.epoch == self.ours.epoch && self.ours.acked < mark.last {
            (self.ours.acked, self.acked) = (mark.last, mark.tag);
            self.outbox.retain(|told| told.number > mark.last);
        }
    }
}

/// The shared catalog; a clone is a backup of it.
#[derive(Clone, Default)]
pub(super) struct Shared {
    pub(super) mark: Option<Mark>,
    pub(super) rows: BTreeMap<u64, (u64, String)>,
}

impl Shared {
    pub(super) fn take(&mut self, batch: &Batch) -> Fit {
        let fits = fit(self.mark.as_ref(), batch);
        let Fit::Take { skip } = fits else {
            return fits;
        };
        for told in &batch.events[skip..] {
            match &told.event {
                Event::MemberGone { group, database } => {
                    let value = (batch.epoch, group.clone());
                    self.rows.insert(database.parse().unwrap(), value);
                }
                Event::SetGone { position, .. } => {
                    self.rows.remove(position);
                }
                Event::Whole => self.rows.retain(|_, (epoch, _)| *epoch == batch.epoch),
                _ => {}
            }
            self.mark = Some(Mark {
                epoch: batch.epoch,
                last: told.number,
                tag: told.tag,
            });
        }
        fits
    }

    pub(super) fn rows(&self) -> Rows {
        let rows = self.rows.iter();
        rows.map(|(key, (_, content))| (*key, content.clone()))
            .collect()
    }
}
