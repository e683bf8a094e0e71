//! Which replica of an availability group takes what: the table of docs/availability-groups.md is
//! what the decision says.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Write as _;

use twinset_domain::BackupKind::{Differential, Full, Log};
use twinset_domain::partner::{
    Access, Barred, Cluster, Membership, Preference, Replica, ReplicaRole, Shape, Site, barred,
    posts,
};
use uuid::Uuid;

/// A replica that follows, or serves.
fn replica(role: ReplicaRole) -> Replica {
    Replica {
        group: Uuid::from_u128(1),
        name: "ag".to_owned(),
        database: Uuid::from_u128(2),
        replica: Uuid::from_u128(3),
        server: "SQL-B".to_owned(),
        role,
        primary: Some("SQL-A".to_owned()),
        synchronous: true,
        synchronization: "SYNCHRONIZED".to_owned(),
        health: "HEALTHY".to_owned(),
        suspended: None,
        preference: Preference::Secondary,
        priority: 50,
        preferred: false,
        access: Access::All,
        cluster: Cluster::Wsfc,
        shape: Shape::default(),
    }
}

fn primary() -> Replica {
    replica(ReplicaRole::Primary)
}

fn secondary() -> Replica {
    replica(ReplicaRole::Secondary)
}

fn preferred(mut replica: Replica) -> Replica {
    replica.preferred = true;
    replica
}

struct Row {
    what: &'static str,
    replica: Replica,
    others: Vec<Option<Replica>>,
    site: Site,
}

fn row(what: &'static str, replica: Replica, others: Vec<Option<Replica>>) -> Row {
    Row {
        what,
        replica,
        others,
        site: Site::Preferred,
    }
}

fn rows() -> Vec<Row> {
    let unreadable = Replica {
        access: Access::No,
        ..preferred(secondary())
    };
    let suspended = Replica {
        synchronization: "NOT SYNCHRONIZING".to_owned(),
        suspended: Some("SUSPEND_FROM_USER".to_owned()),
        ..preferred(secondary())
    };
    let basic = Replica {
        shape: Shape {
            basic: true,
            ..Shape::default()
        },
        ..preferred(secondary())
    };
    let on_primary = |what, replica| Row {
        site: Site::Primary,
        ..row(what, replica, vec![Some(preferred(secondary()))])
    };
    vec![
        row(
            "the primary, which the group prefers",
            preferred(primary()),
            vec![Some(secondary())],
        ),
        row(
            "the primary; a secondary is preferred, and takes logs",
            primary(),
            vec![Some(preferred(secondary()))],
        ),
        row(
            "the primary; the preferred replica does not answer",
            primary(),
            vec![None],
        ),
        row(
            "the primary; no configured replica is preferred",
            primary(),
            vec![Some(secondary())],
        ),
        row(
            "the primary; the preferred secondary is not readable",
            primary(),
            vec![Some(unreadable.clone())],
        ),
        row(
            "the primary; the preferred secondary is suspended",
            primary(),
            vec![Some(suspended.clone())],
        ),
        on_primary("the primary, with `replica = \"primary\"`", primary()),
        row(
            "a secondary, which the group prefers",
            preferred(secondary()),
            vec![Some(primary())],
        ),
        row(
            "a secondary, which it does not prefer",
            secondary(),
            vec![Some(preferred(primary()))],
        ),
        on_primary(
            "a secondary, with `replica = \"primary\"`",
            preferred(secondary()),
        ),
        row(
            "a secondary that is not readable",
            unreadable,
            vec![Some(primary())],
        ),
        row(
            "a secondary that gets no log",
            suspended,
            vec![Some(primary())],
        ),
        row(
            "the secondary of a basic group",
            basic,
            vec![Some(primary())],
        ),
        row(
            "neither",
            replica(ReplicaRole::Resolving),
            vec![Some(primary())],
        ),
    ]
}

fn printed() -> String {
    let mut text = String::from(
        "| the replica of the agent | full, differential | log | `--copy-only` full |\n\
         |---|---|---|---|\n",
    );
    let cell = |why: Option<&Barred>| why.map_or_else(|| "**here**".to_owned(), Barred::to_string);
    for row in rows() {
        let others: Vec<_> = row.others.iter().map(Option::as_ref).collect();
        let posts = posts(&row.replica, &others, row.site);
        assert_eq!(posts.of(Full), posts.of(Differential), "{}", row.what);
        let copy = barred(&row.replica, (Full, true));
        writeln!(
            text,
            "| {} | {} | {} | {} |",
            row.what,
            cell(posts.of(Full)),
            cell(posts.of(Log)),
            cell(copy.as_ref())
        )
        .unwrap();
    }
    text
}

#[test]
fn the_page_says_what_is_decided() {
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/availability-groups.md"
    );
    let text = std::fs::read_to_string(page).unwrap();
    let printed = printed();
    assert!(
        text.contains(&printed),
        "docs/availability-groups.md should hold this table:\n{printed}"
    );
}

#[test]
fn of_two_agents_that_see_each_other_one_takes_the_logs() {
    let roles = [
        (preferred(primary()), secondary()),
        (primary(), preferred(secondary())),
        (primary(), secondary()),
        (
            primary(),
            Replica {
                access: Access::No,
                ..preferred(secondary())
            },
        ),
    ];
    for (a, b) in roles {
        for site in [Site::Preferred, Site::Primary] {
            let takes = [
                posts(&a, &[Some(&b)], site).of(Log).is_none(),
                posts(&b, &[Some(&a)], site).of(Log).is_none(),
            ];
            let count = takes.into_iter().filter(|takes| *takes).count();
            assert_eq!(count, 1, "{a:?} {b:?} {site:?}");
        }
    }
}

#[test]
fn groups_that_nobody_arbitrates_or_that_are_more_than_one_are_not_followed() {
    let told = |change: fn(&mut Replica)| {
        let mut replica = primary();
        change(&mut replica);
        replica.unfollowed().map(|why| why.to_string())
    };
    assert_eq!(told(|_| ()), None);
    assert_eq!(told(|replica| replica.cluster = Cluster::External), None);
    assert_eq!(told(|replica| replica.shape.basic = true), None);
    insta::assert_debug_snapshot!(
        [
            told(|replica| replica.cluster = Cluster::None),
            told(|replica| replica.shape.contained = true),
            told(|replica| replica.shape.distributed = Some("far".to_owned())),
        ].map(Option::unwrap),
        @r#"
    [
        "availability group ag is a read-scale group (cluster type NONE): nobody arbitrates its roles",
        "availability group ag is a contained one",
        "availability group ag is part of the distributed group far",
    ]
    "#
    );
    assert!(Membership::Hidden(String::new()).is_in() && !Membership::Alone.is_in());
}
