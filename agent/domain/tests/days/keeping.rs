//! Retention: what `media expire` drops, and whether anything was lost by it.

use twinset_domain::Moment;
use twinset_domain::recover::SetState;
use twinset_domain::retention::{Accepted, Limits, Place, Policy, Question, Rule, Subject, plan};
use twinset_domain::{MirrorNo, Position};

use super::agent::NAMES;
use super::lab::Lab;
use super::media::{MediaSet, Read, What};
use super::restore::Holdings;

fn subject(media: &MediaSet, read: &Read) -> Subject {
    let manifest = read.manifest.as_ref();
    let published = read.verdict.as_ref().map(|verdict| verdict.written);
    let began = manifest.map(|manifest| manifest.written);
    let whole = |piece: &&twinset_domain::recover::Piece| {
        piece.data && piece.second == twinset_domain::recover::Second::Manifest
    };
    let mirrors: Vec<MirrorNo> = read
        .pieces
        .iter()
        .filter(whole)
        .map(|piece| piece.slot.mirror)
        .collect();
    let kind = manifest.map(|manifest| manifest.set.kind);
    Subject {
        place: Place {
            media_set: media.key.clone(),
            position: Position::new(read.position).unwrap(),
        },
        state: read.state,
        database: manifest.map(|_| "Payroll".to_owned()),
        kind,
        parts: manifest
            .map(|manifest| manifest.set.part())
            .into_iter()
            .collect(),
        new_branch: manifest.is_some_and(|manifest| manifest.new_branch),
        began: began.or(published).unwrap_or(Moment(0)),
        ended: published.or(began).unwrap_or(Moment(0)),
        bytes: 100,
        mirrors: u8::try_from(mirrors.len()).unwrap(),
        least: media.least(kind),
        policies: manifest.map(|_| 0).into_iter().collect(),
    }
}

impl Lab {
    /// Drops what retention lets go of one media set, as far as one run may.
    pub(crate) fn expires(&mut self, me: usize, set: usize) {
        let Ok((append, _)) = self.open(me, set, None) else {
            return;
        };
        if !append.fallen.is_empty() {
            return;
        }
        let agents: &[usize] = if self.plan.shared { &[0, 1] } else { &[me] };
        let answers = |media: &MediaSet| media.volumes.iter().any(|volume| volume.there);
        // What of the partner cannot be read may need anything.
        if !agents
            .iter()
            .all(|agent| self.media[*agent].iter().all(answers))
        {
            return;
        }
        let before = self.holdings(agents);
        let now = self.clock(me);
        let all = agents.iter().flat_map(|agent| &self.media[*agent]);
        let subjects: Vec<Subject> = all
            .flat_map(|media| {
                let read = media.read();
                let one = |read: &Read| subject(media, read);
                read.iter().map(one).collect::<Vec<_>>()
            })
            .collect();
        let key = self.media[me][set].key.clone();
        let made = plan(&Question {
            media_set: &key,
            sets: &subjects,
            policies: &[Policy {
                group: "payroll".to_owned(),
                rule: Rule::Limits(Limits {
                    window: Some(self.plan.window),
                    max_drop_percent: 50,
                    ..Limits::default()
                }),
            }],
            holds: &[],
            locks: &std::collections::BTreeMap::new(),
            now,
            accepted: self.agents[me].catalog[set].accepted,
        });
        let highest = append.position.get() - 1;
        let drops = made.drops();
        if !drops.is_empty() && (made.doubt.is_some() || made.excess().next().is_some()) {
            return;
        }
        for position in &drops {
            self.drops(me, set, position.get());
        }
        let media = &self.media[me][set];
        let sequence = media.tail().map_or(0, |tail| tail.sequence);
        let read = media.read();
        let known = &mut self.agents[me].catalog[set];
        known.attach(highest, sequence);
        known.remember(&read);
        known.accepted = Some(Accepted {
            at: now,
            position: highest,
        });
        if !drops.is_empty() {
            self.tell(format!(
                "{}: {key}: {} sets dropped",
                NAMES[me],
                drops.len()
            ));
            let after = self.holdings(agents);
            self.nothing_is_lost(&before, &after, now);
        }
    }

    fn drops(&mut self, me: usize, set: usize, position: u64) {
        let now = self.clock(me);
        let media = &mut self.media[me][set];
        let mirrors: Vec<usize> = (0..media.volumes.len())
            .filter(|mirror| media.volumes[*mirror].there && media.in_step(*mirror))
            .collect();
        media.say(&mirrors, What::Drop, position, now);
        for mirror in mirrors {
            if let Some(piled) = media.volumes[mirror].sets.get_mut(&position) {
                piled.data = None;
            }
        }
    }

    /// P8: every point of the window that could be reached before can be reached now, and so can
    /// the last one of all. A clock that is wrong by less than a year is believed.
    fn nothing_is_lost(&mut self, before: &Holdings, after: &Holdings, clock: Moment) {
        let tree = &self.pair.tree;
        let start = clock.0.max(self.now) - self.plan.window;
        let (was, is) = (before.reach(tree, false), after.reach(tree, false));
        let newest = |reach: &[(usize, usize)]| reach.iter().map(|(node, _)| *node).max();
        let mut lost = Vec::new();
        if newest(&was) != newest(&is) {
            lost.push(newest(&was).unwrap_or(0));
        }
        let still: std::collections::BTreeSet<usize> = is.iter().map(|(node, _)| *node).collect();
        for (node, last) in &was {
            let set = &before.sets[*last].2;
            let inside = tree.of(*node).at >= start;
            let log = set.kind == twinset_domain::BackupKind::Log;
            // What a differential or full in the window led to is itself in the window.
            if inside && !still.contains(node) && (log || set.finished >= start) {
                lost.push(*node);
            }
        }
        if let Some(node) = lost.first() {
            let (at, lsn) = (tree.of(*node).at, tree.of(*node).lsn);
            let text = format!(
                "P8: record {lsn} of {} cannot be reached any more",
                Moment(at)
            );
            self.breaks(text);
        }
    }

    /// Published sets whose data lie on no mirror that answers, though nobody dropped them.
    pub(crate) fn vanished(&self) -> Option<String> {
        for media in self.media.iter().flatten() {
            let all = media.volumes.iter().all(|volume| volume.there);
            for read in media.read().iter().filter(|_| all) {
                let data = read.pieces.iter().any(|piece| piece.data);
                if read.state == SetState::Published && !data {
                    return Some(format!("{} position {}", media.key, read.position));
                }
            }
        }
        None
    }
}
