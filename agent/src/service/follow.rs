//! From what instances say to events of the databases.

use twinset_domain::partner::{Answer, objections};
use twinset_domain::protection::{Event, Sight, Voice, look};
use twinset_domain::{Fault, Moment, code};

use super::jobs::Name;
use super::state::Service;
use crate::sqlserver::partners::Told;

impl Service {
    /// An instance was asked.
    pub(super) fn hear(
        &mut self,
        instance: String,
        heard: Result<Box<Told>, Fault>,
        now: Moment,
    ) -> Result<(), Fault> {
        // A watch that was ended may have asked once more.
        if !self.config.instances.contains_key(&instance) {
            return Ok(());
        }
        match heard {
            Ok(told) => {
                if self.silent.remove(&instance).is_some() {
                    tracing::info!(instance, "answers again");
                }
                self.heard.insert(instance.clone(), *told);
            }
            Err(fault) => {
                if !self.silent.contains_key(&instance) {
                    tracing::warn!(
                        instance,
                        code = fault.code.text(),
                        message = fault.message,
                        "does not answer"
                    );
                }
                self.heard.remove(&instance);
                self.silent.insert(instance.clone(), fault);
            }
        }
        self.look_at_members(now)?;
        self.look_at_pairs(now)?;
        let concerned: Vec<Name> = self
            .members
            .keys()
            .filter(|name| {
                let group = self.config.groups.get(&name.group);
                group.is_some_and(|group| group.partners.contains(&instance))
            })
            .cloned()
            .collect();
        for name in concerned {
            if let Some(sight) = self.sight(&name)
                && !self.doubts(&name, &sight, &instance)
            {
                self.event(&name, &Event::Seen(sight), now)?;
            }
        }
        Ok(())
    }

    /// Answers are not of one moment: of two that claim a role, one may be old by now. Both must
    /// have spoken again before that is believed.
    fn doubts(&mut self, name: &Name, sight: &Sight, heard: &str) -> bool {
        let group = self.config.groups.get(&name.group);
        let partners = group.map_or(0, |group| group.partners.len());
        let Some(member) = self.members.get_mut(name) else {
            return false;
        };
        if !matches!(sight, Sight::Split(_)) {
            member.doubt.clear();
            return false;
        }
        if member.doubt.is_empty() {
            // The first look of one side; its twin's answer is older than it.
            member.doubt.insert(String::new());
            return true;
        }
        member.doubt.insert(heard.to_owned());
        member.doubt.len() <= partners
    }

    /// What is seen of a database now; nothing before every partner was asked once.
    fn sight(&mut self, name: &Name) -> Option<Sight> {
        let group = self.config.groups.get(&name.group)?;
        let ours = self.config.served(group)?;
        let here = match self.said(ours)? {
            Ok(told) => told,
            // Nothing to do with the database.
            Err(fault) if fault.code == code::SQL_LOGIN => {
                let said = format!("{} {}: {}", fault.code, fault.object, fault.message);
                return Some(Sight::Forbidden(said));
            }
            Err(_) => return Some(Sight::Unreachable),
        };
        let partners = group.partners.iter().filter(|partner| *partner != ours);
        let mut theirs = Vec::new();
        let mut place = None;
        for partner in partners {
            let heard = self.said(partner)?.ok();
            let answer = heard.map_or(Answer::Unreachable, |told| told.answer(&name.database));
            place = place.or_else(|| heard.map(|told| told.place(&name.database)));
            theirs.push((partner.as_str(), answer));
        }
        let against = objections(&here.place(&name.database), &place.unwrap_or_default());
        let mine = here.answer(&name.database);
        let voice = |name, answer| Voice { name, answer };
        let others: Vec<Voice<'_>> = theirs.iter().map(|(by, said)| voice(by, said)).collect();
        let seen = look(voice(ours, &mine), &others, &against, group.wish());
        let logless = here.find(&name.database).map(|found| {
            found.recovery_model.eq_ignore_ascii_case("SIMPLE")
                || found.name.eq_ignore_ascii_case("master")
        });
        let grouped = mine.copy().is_some_and(|copy| copy.membership.is_in());
        if let Some(member) = self.members.get_mut(name) {
            member.logless = logless.unwrap_or(member.logless);
            member.grouped = grouped;
        }
        Some(seen)
    }

    /// What an instance said last, or why it does not answer; nothing before it was asked.
    fn said(&self, instance: &str) -> Option<Result<&Told, &Fault>> {
        match (self.heard.get(instance), self.silent.get(instance)) {
            (Some(told), _) => Some(Ok(told)),
            (None, Some(fault)) => Some(Err(fault)),
            (None, None) => None,
        }
    }
}
