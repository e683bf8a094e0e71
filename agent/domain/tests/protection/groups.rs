//! The machine follows an availability group: roles, preference, forks.

use twinset_domain::partner::{
    Access, Allowed, Answer, Backed, Cluster, Copy, Membership, Preference, Replica, ReplicaRole,
    Shape, Site, State,
};
use twinset_domain::protection::{
    Action, Alarm, Bond, Event, Phase, Refusal, Rules, Sight, Unfit, Verdict, Voice, Why, Wish,
    look,
};
use twinset_domain::{BackupKind, Lsn};
use uuid::Uuid;

use super::world::{World, refusal};

/// Rules without a delay, as an availability group has them by default.
const AT_ONCE: Rules = Rules {
    check_delay: 0,
    ..Rules::FOLLOW
};
const WISH: Wish = Wish {
    allowed: Allowed {
        ip: false,
        split: true,
    },
    site: Site::Preferred,
    bond: None,
};
const A: (&str, &str) = ("sql-a", "SQL-A");
const B: (&str, &str) = ("sql-b", "SQL-B");

/// A group of two: who is primary, whom it prefers, which fork, how far it is backed up.
#[derive(Clone, Copy)]
struct Group {
    primary: &'static str,
    preferred: &'static str,
    fork: u128,
    log: u128,
}

const GROUP: Group = Group {
    primary: "SQL-A",
    preferred: "SQL-B",
    fork: 100,
    log: 1000,
};

impl Group {
    fn copy(self, server: &str) -> Copy {
        Copy {
            state: State::Online,
            family: Some(Uuid::from_u128(1)),
            fork: Some(Uuid::from_u128(self.fork)),
            session: None,
            backed: Backed {
                log: Some(Lsn(self.log)),
                base: Some(Lsn(900)),
            },
            sees_mirrors: true,
            membership: Membership::In(Box::new(Replica {
                group: Uuid::from_u128(5),
                name: "ag".to_owned(),
                database: Uuid::from_u128(6),
                replica: Uuid::from_u128(7),
                server: server.to_owned(),
                role: match server == self.primary {
                    true => ReplicaRole::Primary,
                    false => ReplicaRole::Secondary,
                },
                primary: Some(self.primary.to_owned()),
                synchronous: true,
                synchronization: "SYNCHRONIZED".to_owned(),
                health: "HEALTHY".to_owned(),
                suspended: None,
                preference: Preference::Secondary,
                priority: 50,
                preferred: server == self.preferred,
                access: Access::All,
                cluster: Cluster::Wsfc,
                shape: Shape::default(),
            })),
        }
    }

    /// What the agent of the first of two sees.
    fn seen(self, (ours, other): ((&str, &str), (&str, &str))) -> Sight {
        let answer = |server| Answer::Copy(self.copy(server));
        of((ours.0, &answer(ours.1)), (other.0, &answer(other.1)))
    }
}

fn of((name, answer): (&str, &Answer), (other, said): (&str, &Answer)) -> Sight {
    let voice = |name, answer| Voice { name, answer };
    look(voice(name, answer), &[voice(other, said)], &[], WISH)
}

fn protected(ours: (&'static str, &str), other: (&str, &str), group: Group) -> World {
    let mut world = World::new(AT_ONCE, ours.0);
    world.sees(group.seen((ours, other)));
    world.tell(Event::Checked(Verdict::Continue));
    world.done.clear();
    world
}

fn takes(world: &mut World, kind: BackupKind) -> bool {
    world.due(kind).contains(&Action::Backup(kind))
}

#[test]
fn the_primary_takes_fulls_and_the_preferred_secondary_logs() {
    let mut a = protected(A, B, GROUP);
    let mut b = protected(B, A, GROUP);
    for kind in [BackupKind::Full, BackupKind::Differential] {
        assert!(takes(&mut a, kind));
        assert!(!takes(&mut b, kind));
    }
    assert!(!takes(&mut a, BackupKind::Log));
    assert!(takes(&mut b, BackupKind::Log));
    let refused = refusal(&a.due(BackupKind::Log)).unwrap();
    assert_eq!(
        refused.to_string(),
        "no log backup here: the availability group prefers a secondary, and not this replica"
    );
    let refused = refusal(&b.due(BackupKind::Full)).unwrap();
    assert_eq!(
        refused.to_string(),
        "no full backup here: only the primary takes it, which is SQL-A"
    );
    assert!(!a.record.disturbed, "nothing was missed");
}

#[test]
fn after_a_failover_both_check_first() {
    let mut a = protected(A, B, GROUP);
    let mut b = protected(B, A, GROUP);
    let after = Group {
        primary: "SQL-B",
        preferred: "SQL-A",
        ..GROUP
    };
    let became = b.sees(after.seen((B, A)));
    assert!(became.contains(&Action::Raise(Alarm::Switched)));
    assert!(became.contains(&Action::Check(Why::Due)), "{became:?}");
    b.tell(Event::Checked(Verdict::Continue));
    assert!(takes(&mut b, BackupKind::Full));
    assert!(!takes(&mut b, BackupKind::Log));
    let lost = a.sees(after.seen((A, B)));
    assert!(lost.contains(&Action::Check(Why::Due)), "{lost:?}");
    a.tell(Event::Checked(Verdict::Continue));
    assert!(takes(&mut a, BackupKind::Log));
    assert!(!takes(&mut a, BackupKind::Full));
}

#[test]
fn a_secondary_that_is_not_preferred_stands_by_until_it_is() {
    let alone = Group {
        preferred: "SQL-A",
        ..GROUP
    };
    let mut b = World::new(AT_ONCE, "sql-b");
    b.sees(alone.seen((B, A)));
    assert_eq!(b.record.phase, Phase::Standby);
    assert_eq!(
        refusal(&b.due(BackupKind::Log)),
        Some(Refusal::NotPrincipal("sql-a".to_owned()))
    );
    let wanted = b.sees(GROUP.seen((B, A)));
    assert!(
        wanted.contains(&Action::Check(Why::Preferred)),
        "{wanted:?}"
    );
    b.tell(Event::Checked(Verdict::Continue));
    assert!(takes(&mut b, BackupKind::Log));
    let over = b.sees(alone.seen((B, A)));
    assert!(over.contains(&Action::Stop), "its log is the primary's now");
    assert_eq!(b.record.phase, Phase::Standby);
}

#[test]
fn a_forced_failover_is_another_fork_and_is_checked() {
    let mut a = protected(A, B, GROUP);
    let forced = Group { fork: 200, ..GROUP };
    let seen = a.sees(forced.seen((A, B)));
    assert!(seen.contains(&Action::Check(Why::OtherCopy)), "{seen:?}");
    a.tell(Event::Checked(Verdict::Take(BackupKind::Full)));
    assert!(a.done.contains(&Action::Backup(BackupKind::Full)));
}

#[test]
fn a_check_that_wants_a_log_leaves_it_to_who_takes_logs() {
    let mut a = protected(A, B, GROUP);
    a.tell(Event::CheckAsked);
    a.tell(Event::Checked(Verdict::Take(BackupKind::Log)));
    assert!(!a.done.contains(&Action::Backup(BackupKind::Log)));
    assert_eq!(a.record.phase, Phase::Protected);
}

#[test]
fn that_logs_go_on_elsewhere_is_seen_by_the_primary() {
    let mut a = protected(A, B, GROUP);
    let first = a.record.log_moved.unwrap();
    a.after(600);
    a.sees(GROUP.seen((A, B)));
    assert_eq!(a.record.log_moved, Some(first));
    let further = Group { log: 1100, ..GROUP };
    a.sees(further.seen((A, B)));
    assert_eq!(a.record.log_moved, Some(a.now));
    let mine = Group {
        preferred: "SQL-A",
        ..further
    };
    a.sees(mine.seen((A, B)));
    assert_eq!(a.record.log_moved, None);
}

#[test]
fn a_full_of_the_primary_is_seen_by_the_secondary_that_takes_logs() {
    let mut b = protected(B, A, GROUP);
    let before = b.record.clone();
    b.sees(Group { log: 1100, ..GROUP }.seen((B, A)));
    assert!(!b.record.full_elsewhere(&before), "a log");
    let mut sight = GROUP.seen((B, A));
    if let Sight::Principal { backed, .. } = &mut sight {
        backed.base = Some(Lsn(1200));
    }
    let before = b.record.clone();
    b.sees(sight);
    assert!(b.record.full_elsewhere(&before));
    let mut a = protected(A, B, GROUP);
    let before = a.record.clone();
    a.sees(Group { log: 1100, ..GROUP }.seen((A, B)));
    assert!(!a.record.full_elsewhere(&before), "its own");
}

#[test]
fn who_has_no_role_or_may_not_see_it_takes_nothing() {
    let answer = |change: fn(&mut Replica)| {
        let mut copy = GROUP.copy("SQL-B");
        if let Membership::In(replica) = &mut copy.membership {
            change(replica);
        }
        Answer::Copy(copy)
    };
    let primary = Answer::Copy(GROUP.copy("SQL-A"));
    let sees = |answer: &Answer| of(("sql-b", answer), ("sql-a", &primary));
    let resolving = answer(|replica| replica.role = ReplicaRole::Resolving);
    assert_eq!(sees(&resolving), Sight::NoPrincipal);
    let lost = answer(|replica| replica.primary = None);
    assert_eq!(sees(&lost), Sight::NoPrincipal);
    let rival = answer(|replica| replica.role = ReplicaRole::Primary);
    assert!(matches!(sees(&rival), Sight::Split(Some(_))));
    let scale = answer(|replica| replica.cluster = Cluster::None);
    assert!(matches!(sees(&scale), Sight::Unfit(Unfit::Group(_))));
    let mut hidden = GROUP.copy("SQL-B");
    hidden.membership = Membership::Hidden("VIEW SERVER STATE".to_owned());
    let sight = sees(&Answer::Copy(hidden));
    assert_eq!(sight, Sight::Forbidden("VIEW SERVER STATE".to_owned()));
}

#[test]
fn a_kind_that_is_asked_for_must_be_what_is_seen() {
    let mut alone = GROUP.copy("SQL-A");
    alone.membership = Membership::Alone;
    let (alone, grouped) = (Answer::Copy(alone), Answer::Copy(GROUP.copy("SQL-A")));
    let sees = |answer: &Answer, bond| {
        let voice = Voice {
            name: "sql-a",
            answer,
        };
        let wish = Wish {
            bond: Some(bond),
            ..WISH
        };
        match look(voice, &[], &[], wish) {
            Sight::Unfit(why) => why.to_string(),
            _ => "fits".to_owned(),
        }
    };
    assert_eq!(sees(&grouped, Bond::AvailabilityGroup), "fits");
    assert_eq!(sees(&alone, Bond::Standalone), "fits");
    // Its row may be hidden, or it is mirrored later.
    assert_eq!(sees(&alone, Bond::Mirroring), "fits");
    assert_eq!(
        sees(&grouped, Bond::Mirroring),
        "the database is in an availability group, and its group says kind = \"mirroring\""
    );
    assert_eq!(
        sees(&alone, Bond::AvailabilityGroup),
        "the database is in no availability group, and its group says kind = \
         \"availability-group\""
    );
}
