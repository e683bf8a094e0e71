//! The roles of two partners, in words and faults.

use twinset_domain::partner::{Beside, Objection, Refusal};
use twinset_domain::{Fault, code};

use super::Role;

impl Role {
    fn object(&self) -> String {
        format!("database {}", self.database)
    }

    /// Why nothing is taken here, and who is principal as far as that is known.
    #[must_use]
    pub fn refused(&self) -> Option<Fault> {
        let (ours, partner) = (&self.ours, &self.partner);
        let fault = |code, message: String| Fault::new(code, self.object(), message);
        let fault = match self.refusal()? {
            Refusal::NotPrincipal => fault(
                code::NOT_PRINCIPAL,
                format!("{partner} is principal, {ours} holds the mirror"),
            )
            .remedy(format!(
                "the agent of {partner} backs it up; --if-principal passes over it here"
            )),
            Refusal::MirrorAlone { hidden: false } => {
                let said = self.named.as_deref().unwrap_or(partner);
                fault(
                    code::NOT_PRINCIPAL,
                    format!("{ours} holds the mirror, and {said} is not seen to be principal"),
                )
                .remedy(format!(
                    "bring {partner} back; if it is lost for good, force the mirror into service"
                ))
            }
            Refusal::MirrorAlone { hidden: true } => {
                let login = &self.login;
                fault(
                    code::ROLE_UNSEEN,
                    format!("the copy on {ours} is RESTORING, and {partner} is not seen"),
                )
                .cause("a mirror shows its session to sysadmins alone: it may be one")
                .remedy(format!(
                    "on {ours}: ALTER SERVER ROLE sysadmin ADD MEMBER [{login}] makes it known; \
                     else bring {partner} back"
                ))
            }
            Refusal::Switching => fault(
                code::ROLE_UNSEEN,
                format!("{ours} and {partner} are changing their roles just now"),
            )
            .remedy("try again in a moment"),
            Refusal::Split => fault(
                code::TWO_PRINCIPALS,
                format!("{ours} and {partner} both claim to be principal"),
            )
            .cause("one of them was forced into service while the other was cut off")
            .remedy(
                "let them meet, or end the session on the side that is given up; profile = \
                 \"follow\" backs both branches up meanwhile",
            ),
            Refusal::OneFork => fault(
                code::TWO_PRINCIPALS,
                format!("{ours} and {partner} both have it open, on one recovery fork"),
            )
            .cause("their session ended while both served it: nothing tells their logs apart")
            .remedy(
                "decide which copy is kept; drop the other one, or restore it, which begins a \
                 fork of its own",
            ),
            Refusal::OtherSessions => fault(
                code::PAIR_UNFIT,
                format!("{ours} and {partner} are each mirrored with another server"),
            )
            .remedy("name the right partners in the group"),
            Refusal::Unfit(objection) => {
                let remedy = match objection {
                    Objection::SameComputer { .. } => {
                        "keep the mirror on another computer: one fire takes both copies"
                    }
                    Objection::ExplicitIp { .. } => {
                        "make the session anew with names; or set allow_ip = true in [failover]"
                    }
                };
                fault(code::PAIR_UNFIT, objection.to_string()).remedy(remedy)
            }
        };
        Some(match &self.fault {
            Some(why) => fault.cause(format!("{} {}: {}", why.code, why.object, why.message)),
            None => fault,
        })
    }

    /// What is to be said beside the backup.
    pub(super) fn notes(&self) -> Vec<String> {
        let (database, partner) = (&self.database, &self.partner);
        let note = |beside: &Beside| match beside {
            Beside::Exposed(state) => format!(
                "{database}: the mirroring session is {}: log that was backed up cannot be \
                 truncated meanwhile",
                state.desc()
            ),
            Beside::PartnerSilent => {
                let why = self.fault.as_ref();
                let why = why.map_or_else(
                    || "it shows no such database".to_owned(),
                    |why| format!("{} {}", why.code, why.message),
                );
                format!("{database}: principal here; {partner} could not be asked: {why}")
            }
            Beside::MirrorHidden => format!(
                "{database}: {partner} hides its side of the session from this login: sysadmin \
                 there would show it"
            ),
            Beside::RowHidden => format!(
                "{database}: open here, and {partner} is its mirror; the row of the session is \
                 hidden from this login: grant it VIEW ANY DATABASE (twinset grants)"
            ),
            Beside::HalfRemoved => {
                format!("{database}: one of the partners knows no mirroring session any more")
            }
            Beside::Split => format!(
                "{database}: {partner} claims to be principal as well: this is one of two branches"
            ),
            Beside::ExplicitIp(address) => format!(
                "{database}: the session names its partner by an IP address, {address}: after a \
                 move nobody finds it"
            ),
        };
        self.beside().iter().map(note).collect()
    }

    /// What ends a backup of one of two branches: done, and said loudly.
    #[must_use]
    pub fn branch(&self) -> Option<Fault> {
        if !self.beside().contains(&Beside::Split) {
            return None;
        }
        let message = format!(
            "one of two branches: {} and {} both claim to be principal",
            self.ours, self.partner
        );
        Some(
            Fault::new(code::BRANCH, self.object(), message)
                .cause("each agent goes on in its own media set; the branches are never joined")
                .remedy("decide which side is kept, and let the other one yield"),
        )
    }
}
