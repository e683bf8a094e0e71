//! The promises, as far as the model can see them.

use std::rc::Rc;

use twinset_domain::protection::Phase;
use twinset_domain::recover::SetState;
use twinset_domain::restore::Goal;
use uuid::Uuid;

use super::agent::NAMES;
use super::chance::Chance;
use super::lab::Lab;
use super::media::{Manifest, Read};
use super::restore::Holdings;
use super::set::{Shared, lsn};

/// Points that are looked at in one go.
const SAMPLES: u64 = 6;

impl Lab {
    /// P1: what is told as a success lies on every mirror that it must lie on.
    pub(crate) fn published(
        &mut self,
        me: usize,
        set: usize,
        sealed: &Rc<Manifest>,
        live: &[usize],
        least: usize,
    ) {
        let holds = |mirror: &&usize| {
            let sets = self.media[me][set].volumes[**mirror].sets.values();
            let mut ours = sets.filter(|piled| piled.data == Some(true));
            ours.any(|piled| piled.manifest.as_ref().is_some_and(|m| m.run == sealed.run))
        };
        let copies = live.iter().filter(holds).count();
        if copies < least {
            self.breaks(format!(
                "P1: published on {copies} mirrors, {least} must hold it"
            ));
        }
        self.leads_to(&sealed.set);
    }

    /// P4: what is told as a success can be restored from that moment on, where no volume was lost.
    fn leads_to(&mut self, set: &Shared) {
        let media = || self.media.iter().flatten();
        let sound = media().flat_map(|media| &media.volumes).all(|volume| {
            let damaged = |piled: &super::media::Piled| piled.data == Some(false);
            volume.there && !volume.sets.values().any(damaged)
        });
        if !sound {
            return;
        }
        let held = self.holdings(&[0, 1]);
        let place = held.sets.iter().find(|(.., one)| one.guid == set.guid);
        let Some((place, ..)) = place else {
            return self.breaks(format!("P4: {} was told and is nowhere", set.kind));
        };
        let what = format!("P4: {place} ({}) was told and", set.kind);
        let goal = Goal::Set(place.clone());
        match held.plan(goal, Some(set.fork), self.now) {
            Err(fault) => self.breaks(format!("{what} cannot be reached: {fault}")),
            Ok(plan) => match held.apply(&self.pair.tree, &plan) {
                Err(why) => self.breaks(format!("{what} cannot be restored: {why}")),
                Ok(node) if node != set.head => {
                    self.breaks(format!("{what} leads elsewhere"));
                }
                Ok(_) => {}
            },
        }
    }

    /// What is checked and done at the end of a day.
    pub(crate) fn evening(&mut self, chance: &mut Chance) {
        for me in 0..2 {
            for set in 0..self.media[me].len() {
                if self.broken.is_none() && self.agents[me].down.is_none() {
                    self.expires(me, set);
                }
            }
        }
        if let Some(place) = self.vanished() {
            self.breaks(format!("P8: {place} is published, and its data are gone"));
        }
        self.restores(chance);
    }

    /// P4 and P8: whatever some row of sets leads to, the planner finds, and what comes of its plan
    /// is the database of that moment.
    fn restores(&mut self, chance: &mut Chance) {
        let held = self.holdings(&[0, 1]);
        let reach = held.reach(&self.pair.tree, true);
        if reach.is_empty() {
            return;
        }
        for _ in 0..SAMPLES {
            let at = usize::try_from(chance.below(reach.len() as u64)).unwrap();
            let (node, last) = reach[at];
            // Some records before the end of that set, if they are reached as well.
            let back = chance.below(4) * super::truth::STEP;
            let wanted = self.pair.tree.of(node).lsn.saturating_sub(back);
            let target = self.pair.tree.below(node, wanted + 1);
            let head = self.pair.servers[0].database.head;
            // Numbers were given twice: a number means the newest branch.
            let twice = !self.plan.mirrored && !self.pair.tree.leads_to(target, head);
            let (goal, fork) = if back == 0 {
                let (place, _, set) = &held.sets[last];
                (Goal::Set(place.clone()), set.fork)
            } else if let Some(fork) = self.leads(&held, &reach, target).filter(|_| !twice) {
                (Goal::Lsn(lsn(self.pair.tree.of(target).lsn)), fork)
            } else {
                continue;
            };
            let what = format!("restore to {goal} on fork {fork}");
            match held.plan(goal, Some(fork), self.now) {
                Err(fault) => self.breaks(format!("P8: {what}: {fault}")),
                Ok(plan) => match held.apply(&self.pair.tree, &plan) {
                    Err(why) => self.breaks(format!("P4: {what}: {why}")),
                    Ok(reached) if reached != target => {
                        let (is, should) = (self.pair.tree.of(reached), self.pair.tree.of(target));
                        let steps: Vec<String> =
                            plan.steps.iter().map(|step| step.set.named()).collect();
                        self.breaks(format!(
                            "P4: {what}: came to record {} and not {}, by {}",
                            is.lsn,
                            should.lsn,
                            steps.join(", ")
                        ));
                    }
                    Ok(_) => {}
                },
            }
            if self.broken.is_some() {
                return;
            }
        }
        self.latest();
    }

    /// The fork of a log that leads to a record between the ends of sets, if one does.
    fn leads(&self, held: &Holdings, reach: &[(usize, usize)], target: usize) -> Option<Uuid> {
        let tree = &self.pair.tree;
        reach.iter().find_map(|(node, last)| {
            let set = &held.sets[*last].2;
            if *node == target || !tree.leads_to(*node, target) {
                return None;
            }
            // A number that a published log ends with leads there; nothing unconfirmed is added.
            let over = |(at, state, log): &(usize, SetState, &Shared)| {
                held.joins(*last, *at)
                    && *state == SetState::Published
                    && log.kind == twinset_domain::BackupKind::Log
                    && log.first <= set.last
                    && log.last > set.last
                    && tree.leads_to(target, log.head)
            };
            let sets = held.sets.iter().enumerate();
            let mut logs = sets.map(|(at, (_, state, log))| (at, *state, log));
            Some(logs.find(over)?.2.fork)
        })
    }

    /// The latest point that the planner offers is the newest that was published on its path.
    fn latest(&mut self) {
        let held = self.holdings(&[0, 1]);
        let Ok(plan) = held.plan(Goal::Latest, None, self.now) else {
            return;
        };
        match held.apply(&self.pair.tree, &plan) {
            Err(why) => self.breaks(format!("P4: latest: {why}")),
            Ok(reached) => {
                let newest = held
                    .reach(&self.pair.tree, false)
                    .into_iter()
                    .filter(|(node, _)| self.pair.tree.leads_to(reached, *node))
                    .map(|(node, _)| self.pair.tree.of(node).lsn)
                    .max();
                if newest > Some(self.pair.tree.of(reached).lsn) {
                    self.breaks(format!("P8: latest: {newest:?} can be reached and is not"));
                }
            }
        }
    }

    /// When all is well for long enough, everything runs again and nothing is said any more.
    pub(crate) fn all_is_well(&mut self) {
        let serving = self.pair.serving();
        let [me] = serving.as_slice() else {
            return self.breaks(format!("the model itself: served by {serving:?}"));
        };
        let count = if self.plan.mirrored { 2 } else { 1 };
        for (agent, name) in NAMES.iter().enumerate().take(count) {
            let record = &self.agents[agent].record;
            let wanted = if agent == *me {
                record.phase == Phase::Protected
            } else {
                record.phase == Phase::Standby
            };
            if !wanted {
                let shown = record.shown().to_string();
                self.breaks(format!("{name} is not well again: {shown}"));
            }
            let alerts: Vec<String> = self.agents[agent].alerts.keys().cloned().collect();
            if !alerts.is_empty() {
                self.breaks(format!("{name}: alerts without a cause: {alerts:?}"));
            }
        }
        let me = *me;
        for media in 0..self.media[me].len() {
            let media = &self.media[me][media];
            if let Some(out) = (0..self.plan.mirrors).find(|mirror| !media.in_step(*mirror)) {
                let (key, out) = (media.key.clone(), out + 1);
                return self.breaks(format!("{key}: mirror {out} was not brought back"));
            }
            let sets = media.read();
            let half = |set: &&Read| set.state == SetState::Unsealed;
            if let Some(half) = sets.iter().find(half) {
                let (key, at) = (media.key.clone(), half.position);
                self.breaks(format!("{key}: position {at} was left half written"));
            }
        }
        let held = self.holdings(&[0, 1]);
        let head = self.pair.servers[me].database.head;
        let tree = &self.pair.tree;
        let newest = held
            .reach(tree, false)
            .into_iter()
            .filter(|(node, _)| tree.leads_to(*node, head))
            .map(|(node, _)| tree.of(node).at)
            .max();
        let age = newest.map(|at| self.now - at);
        if age.is_none_or(|age| age > 3 * 3600) {
            self.breaks(format!("the newest restore point is {age:?} seconds old"));
        }
    }
}
