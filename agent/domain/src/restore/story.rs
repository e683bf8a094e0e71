//! The sets of one database, told apart: family, path, branches, and what cannot be used.

use uuid::Uuid;

use super::chain::{Pool, stands_on};
use super::goal::Goal;
use super::plan::{Gap, OtherFork};
use super::{Candidate, Link, Path, Wanted, refuse};
use crate::recover::SetState;
use crate::{BackupKind, Fault, Lsn};

/// The sets of one database, told apart.
pub(super) struct Story<'a> {
    pub(super) wanted: &'a Wanted,
    pub(super) family: Option<Uuid>,
    pub(super) path: Path,
    /// Everything of the family, whatever its fork.
    pub(super) sets: Vec<&'a Candidate>,
    /// Families of other databases that had the same name.
    others: Vec<Uuid>,
}

impl<'a> Story<'a> {
    pub(super) fn new(wanted: &'a Wanted, all: &'a [Candidate]) -> Result<Self, Fault> {
        let named = |set: &&Candidate| set.database.eq_ignore_ascii_case(&wanted.database);
        let named: Vec<&Candidate> = all.iter().filter(named).collect();
        let asked = |set: &&Candidate| matches!(&wanted.goal, Goal::Set(p) if *p == set.place);
        let counts = |set: &&Candidate| {
            let fork = set.link.as_ref().and_then(|link| link.fork);
            set.state == SetState::Published
                && set.kind.is_some()
                && (wanted.fork.is_none() || fork == wanted.fork)
        };
        let named_set = named.iter().copied().find(asked);
        let newest = || {
            named
                .iter()
                .copied()
                .filter(counts)
                .max_by_key(|set| set.age())
        };
        let Some(leader) = named_set.or_else(newest) else {
            return Err(refuse::nothing(wanted, !named.is_empty()));
        };
        let family = leader.link.as_ref().and_then(|link| link.family);
        let of_family = |set: &Candidate| set.link.as_ref().and_then(|link| link.family);
        let ours = |set: &&Candidate| of_family(set).is_none() || of_family(set) == family;
        let sets: Vec<&Candidate> = named.iter().copied().filter(ours).collect();
        let mut others: Vec<Uuid> = named.iter().filter_map(|set| of_family(set)).collect();
        others.retain(|other| Some(*other) != family);
        others.sort_unstable();
        others.dedup();
        let fork = wanted.fork.or_else(|| leader.link.as_ref()?.fork);
        let links = sets.iter().filter_map(|set| set.link.as_ref());
        let path = Path::to(fork, &links.map(Link::forked).collect::<Vec<_>>());
        Ok(Self {
            wanted,
            family,
            path,
            sets,
            others,
        })
    }

    fn is_unwanted(&self, set: &Candidate) -> bool {
        self.wanted.without.contains(&set.place)
    }

    /// What can be used of the path.
    pub(super) fn pool(&self, unconfirmed: bool) -> Pool<'a> {
        let asked = |set: &Candidate| matches!(&self.wanted.goal, Goal::Set(p) if *p == set.place);
        let usable = |set: &&Candidate| {
            self.unusable(set).is_none()
                && (unconfirmed || set.state == SetState::Published || asked(set))
        };
        Pool::new(self.sets.iter().copied().filter(usable), &self.path)
    }

    /// The newest published set of the path, whether it can be read or not.
    pub(super) fn newest(&self) -> Option<&'a Candidate> {
        let on_path = |set: &&Candidate| {
            set.state == SetState::Published
                && set.kind.is_some()
                && !self.is_unwanted(set)
                && set
                    .link
                    .as_ref()
                    .is_none_or(|link| self.path.holds(link.forked()))
        };
        let sets = || self.sets.iter().copied().filter(on_path);
        let linked = sets().filter(|set| set.last().is_some());
        let by_record = linked.max_by_key(|set| (set.branch, set.last(), set.ended(), &set.place));
        let other = sets()
            .filter(|set| set.last().is_none())
            .max_by_key(|set| set.age());
        match (by_record, other) {
            (Some(linked), Some(other)) if other.age() > linked.age() => Some(other),
            (linked, other) => linked.or(other),
        }
    }

    /// Where the log chain of the path is broken, oldest first.
    pub(super) fn gaps(&self) -> Vec<Gap> {
        let pool = self.pool(true);
        let mut gaps: Vec<Gap> = Vec::new();
        for chain in pool.chains(&Goal::Latest) {
            let Some(end) = chain.end() else { continue };
            let lost = self.would_follow(end, chain.full.branch);
            let resumes = pool
                .resumes(end, chain.full.branch)
                .and_then(Candidate::first);
            // An end is a gap only where something lies behind it, or should.
            if (resumes.is_some() || !lost.is_empty()) && gaps.iter().all(|gap| gap.from != end) {
                let before = chain.last().ended();
                gaps.push(Gap {
                    from: end,
                    to: resumes,
                    before,
                    lost,
                });
            }
        }
        gaps.sort_by_key(|gap| gap.from);
        gaps
    }

    /// Sets of the path that hold a record, and why they cannot be used.
    fn would_follow(&self, at: Lsn, branch: u32) -> Vec<String> {
        let holds = |set: &&&Candidate| {
            set.kind == Some(BackupKind::Log)
                && set.branch == branch
                && set.first() <= Some(at)
                && set.last() > Some(at)
                && set
                    .link
                    .as_ref()
                    .is_some_and(|link| self.path.holds(link.forked()))
        };
        let why = |set: &&Candidate| Some(format!("{}: {}", set.named(), self.unusable(set)?));
        self.sets.iter().filter(holds).filter_map(why).collect()
    }

    /// Why a set cannot be used, if it cannot.
    pub(super) fn unusable(&self, set: &Candidate) -> Option<String> {
        if let Some(family) = set.sources.iter().position(Vec::is_empty) {
            return Some(format!("family {} is on no mirror", family + 1));
        }
        if self.wanted.lost.contains(&set.place) {
            return Some("part of it is damaged on every mirror".to_owned());
        }
        if self.is_unwanted(set) {
            return Some("left out as it was asked".to_owned());
        }
        None
    }

    /// Sets of the family that end on forks beside the path.
    pub(super) fn forks(&self) -> Vec<OtherFork> {
        let mut forks: Vec<OtherFork> = Vec::new();
        for set in &self.sets {
            let Some(link) = set
                .link
                .as_ref()
                .filter(|link| !self.path.holds(link.forked()))
            else {
                continue;
            };
            let Some(fork) = link.fork else { continue };
            match forks.iter_mut().find(|known| known.fork == fork) {
                Some(known) => {
                    known.sets += 1;
                    known.until = known.until.max(set.ended());
                }
                None => forks.push(OtherFork {
                    fork,
                    sets: 1,
                    until: set.ended(),
                }),
            }
        }
        forks
    }

    /// What is there and cannot be used, in words.
    pub(super) fn left_out(&self) -> Vec<String> {
        let mut said = Vec::new();
        for set in &self.sets {
            let name = set.named();
            if let Some(why) = self.unusable(set) {
                said.push(format!("{name} is not used: {why}"));
            } else if set.kind.is_none() || (set.link.is_none() && set.sets != 1) {
                said.push(format!(
                    "{name} is in no chain: {}",
                    if set.sets > 1 {
                        "it holds several backup sets of SQL Server"
                    } else {
                        "it does not tell what it holds; --position restores it by itself"
                    }
                ));
            } else if set.kind == Some(BackupKind::Differential)
                && !self
                    .sets
                    .iter()
                    .any(|full| full.kind == Some(BackupKind::Full) && stands_on(set, full))
            {
                said.push(format!(
                    "{name} is not used: the full that it stands on is not here"
                ));
            } else if set.state == SetState::Unconfirmed {
                said.push(format!(
                    "{name} is unconfirmed: `twinset media recover` settles it"
                ));
            }
        }
        for other in &self.others {
            said.push(format!(
                "another database of this name was backed up as well (family {other}); name one \
                 of its sets with --position"
            ));
        }
        said
    }
}
