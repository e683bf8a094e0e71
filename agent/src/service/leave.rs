//! Databases that are let go.

use serde_json::json;
use twinset_domain::protection::Event;
use twinset_domain::schedule::KINDS;
use twinset_domain::{Fault, Moment, code};

use super::input::Answer;
use super::jobs::Name;
use super::state::Service;
use crate::alerts::runs;

impl Service {
    /// Lets go of what no group means any more: its alerts end, its state is forgotten, what was
    /// taken stays on the media. All or nothing.
    pub(super) fn unprotect(
        &mut self,
        group: &str,
        database: Option<&str>,
        now: Moment,
    ) -> Result<Answer, Fault> {
        let names = match self.meant(group, database) {
            Ok(names) => names,
            Err(fault) => return Ok(Answer::refused(fault)),
        };
        // Those that are meant are not asked for where the whole group is.
        let (gone, meant): (Vec<Name>, Vec<Name>) = names.into_iter().partition(|name| {
            let member = self.members.get(name);
            member.is_some_and(|member| member.record.orphaned)
        });
        if let Some(name) = meant
            .first()
            .filter(|_| database.is_some() || gone.is_empty())
        {
            return Ok(Answer::refused(still_meant(name)));
        }
        for name in &gone {
            self.event(name, &Event::Unprotect, now)?;
            let (group, database) = (&name.group, &name.database);
            for kind in KINDS {
                self.over(
                    code::BACKUP_FAILED,
                    &runs::object(group, database, kind),
                    now,
                )?;
            }
            self.catalog.unprotect(group, database)?;
            let text = "unprotected: what was taken stays";
            self.catalog.note(group, database, text, now)?;
            tracing::info!(group, database, "{text}");
            self.members.remove(name);
        }
        let left: Vec<_> = gone
            .iter()
            .map(|name| json!({ "database": name.database, "text": "unprotected" }))
            .collect();
        Ok(Answer::done(json!({ "group": group, "databases": left })))
    }
}

fn still_meant(name: &Name) -> Fault {
    Fault::new(code::STILL_MEANT, name.object(), "its group still means it").remedy(format!(
        "take it out of the group's file (databases = [..., \"-{}\"]), or remove the file",
        name.database
    ))
}
