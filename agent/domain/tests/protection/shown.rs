//! The words of the states are one list, in JSON and in metrics.

use twinset_domain::Moment;
use twinset_domain::protection::{Change, Shown, Unfit};

#[test]
fn every_state_is_called_in_json_what_it_is_called_in_metrics() {
    let at = Moment(0);
    let text = String::new;
    let all = [
        Shown::Initializing,
        Shown::Protected,
        Shown::NotPrincipal { principal: None },
        Shown::CheckPending { due: at },
        Shown::Checking,
        Shown::Inconsistent {
            why: text(),
            retry: at,
        },
        Shown::TopologyChanged {
            what: Change::MirrorBroken,
        },
        Shown::Paused { until: at },
        Shown::BothPartnersProtected { other: text() },
        Shown::Unsupported {
            why: Unfit::OtherSessions,
        },
        Shown::Split,
        Shown::NoPrincipal { since: at },
        Shown::NotOpen { database: text() },
        Shown::Absent,
        Shown::Unreachable { since: at },
        Shown::Blocked { right: text() },
        Shown::AgentMissing { since: at },
        Shown::Orphaned,
    ];
    let words: Vec<&str> = all.iter().map(Shown::word).collect();
    assert_eq!(words, Shown::WORDS);
    for one in &all {
        let json = serde_json::to_value(one).unwrap();
        assert_eq!(json["state"], one.word());
    }
}
