//! An agent, a shared catalog, and everything that may go wrong between them.

mod model;

use proptest::prelude::*;

use self::model::{Agent, Shared, gone};
use crate::Moment;
use crate::fleet::{Batch, Event, Fit, Mark, Meet, Misfit, Ours, Tag, Told, Why, fit, meet};

/// What happens.
#[derive(Clone, Debug)]
enum Step {
    Change(u64, Option<u8>),
    /// A push of batches of so many, of which only the first so many are sent, the last of them
    /// perhaps without its acknowledgement.
    Push {
        most: usize,
        sent: usize,
        heard: bool,
    },
    /// A batch that was sent before comes again.
    Again(usize),
    /// The agent's catalog is kept aside, or put back as it was kept.
    KeepAgent,
    RollBackAgent,
    LoseAgent,
    KeepShared,
    RollBackShared,
    LoseShared,
    /// Too much waits: it is given up.
    Compact,
}

fn step() -> impl Strategy<Value = Step> {
    let one = 0u64..6;
    prop_oneof![
        8 => (one, proptest::option::of(any::<u8>())).prop_map(|(key, to)| Step::Change(key, to)),
        6 => (1usize..4, 0usize..6, any::<bool>())
            .prop_map(|(most, sent, heard)| Step::Push { most, sent, heard }),
        4 => (0usize..64).prop_map(Step::Again),
        1 => Just(Step::KeepAgent),
        1 => Just(Step::RollBackAgent),
        1 => Just(Step::LoseAgent),
        1 => Just(Step::KeepShared),
        1 => Just(Step::RollBackShared),
        1 => Just(Step::LoseShared),
        1 => Just(Step::Compact),
    ]
}

struct Story {
    agent: Agent,
    shared: Shared,
    kept: (Agent, Shared),
    sent: Vec<Batch>,
}

impl Story {
    fn new() -> Self {
        let (agent, shared) = (Agent::new(), Shared::default());
        Self {
            kept: (agent.clone(), shared.clone()),
            agent,
            shared,
            sent: Vec::new(),
        }
    }

    fn push(&mut self, most: usize, sent: usize, heard: bool) {
        let batches = self.agent.batches(self.shared.mark.as_ref(), most);
        let last = sent.min(batches.len());
        for (at, batch) in batches.iter().take(sent).enumerate() {
            let fits = self.shared.take(batch);
            assert!(!matches!(fits, Fit::Refused(_)), "{fits:?}");
            if at + 1 < last || heard {
                self.agent.acknowledge(&self.shared.mark.unwrap());
            }
            self.sent.push(batch.clone());
        }
    }

    fn run(&mut self, step: &Step) {
        match step {
            Step::Change(key, to) => {
                self.agent
                    .change(*key, to.map(|content| content.to_string()));
            }
            Step::Push { most, sent, heard } => self.push(*most, *sent, *heard),
            Step::Again(which) => {
                let Some(batch) = self.sent.get(which % self.sent.len().max(1)).cloned() else {
                    return;
                };
                let before = self.shared.rows.clone();
                let behind = self.shared.mark;
                // One of an epoch that the shared catalog has forgotten may begin it again: the
                // next meeting sets that right. Else nothing changes.
                self.shared.take(&batch);
                if behind.is_some_and(|mark| mark.epoch >= batch.epoch && mark == self.end()) {
                    assert_eq!(self.shared.rows, before);
                }
            }
            Step::KeepAgent => self.kept.0 = self.agent.clone(),
            Step::RollBackAgent => self.agent = self.kept.0.clone(),
            Step::LoseAgent => {
                let rows = self.agent.rows.clone();
                self.agent = Agent {
                    rows,
                    ..Agent::new()
                };
            }
            Step::KeepShared => self.kept.1 = self.shared.clone(),
            Step::RollBackShared => self.shared = self.kept.1.clone(),
            Step::LoseShared => self.shared = Shared::default(),
            Step::Compact => {
                self.agent.ours.open = false;
                self.agent.outbox.clear();
            }
        }
    }

    /// The end of everything that was ever sent.
    fn end(&self) -> Mark {
        let marks = self.sent.iter().map(|batch| {
            let last = batch.events.last().unwrap();
            Mark {
                epoch: batch.epoch,
                last: last.number,
                tag: last.tag,
            }
        });
        marks.max_by_key(|mark| (mark.epoch, mark.last)).unwrap()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Nothing twice, nothing lost: after one whole meeting the shared catalog shows what the agent
    /// holds, whatever was lost, set back, cut or said again before.
    #[test]
    fn after_a_whole_meeting_the_shared_catalog_shows_what_the_agent_holds(
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        let mut story = Story::new();
        for step in &steps {
            story.run(step);
        }
        story.push(3, usize::MAX, true);
        prop_assert_eq!(story.shared.rows(), story.agent.rows.clone());
        // And in the steady state a meeting sends nothing.
        let mark = story.shared.mark;
        prop_assert!(story.agent.batches(mark.as_ref(), 3).is_empty());
        prop_assert!(story.agent.outbox.is_empty());
    }

    /// Whatever parts come in whatever order and how often, as long as all come: the tables are
    /// those of all in order once.
    #[test]
    fn any_order_of_parts_ends_as_all_in_order_once(
        changes in proptest::collection::vec((0u64..6, proptest::option::of(any::<u8>())), 1..40),
        parts in proptest::collection::vec((0usize..40, 1usize..8), 0..60),
    ) {
        let mut agent = Agent::new();
        agent.begin(1);
        for (key, to) in &changes {
            agent.change(*key, to.map(|content| content.to_string()));
        }
        let part = |from: usize, count: usize| {
            let from = from.min(agent.outbox.len() - 1);
            let events: Vec<Told> = agent.outbox[from..].iter().take(count).cloned().collect();
            let before = from.checked_sub(1).map_or(Tag::NONE, |at| agent.outbox[at].tag);
            Batch { epoch: 1, before, events }
        };
        let mut once = Shared::default();
        for at in 0..agent.outbox.len() {
            assert_eq!(once.take(&part(at, 1)), Fit::Take { skip: 0 });
        }
        let mut shaken = Shared::default();
        for (from, count) in parts {
            let batch = part(from, count);
            let last = shaken.mark.map_or(0, |mark| mark.last);
            let is_gap = batch.events[0].number > last + 1;
            let fits = shaken.take(&batch);
            assert_eq!(fits == Fit::Refused(Misfit::Gap), is_gap, "{fits:?}");
        }
        for at in 0..agent.outbox.len() {
            shaken.take(&part(at, 1));
        }
        prop_assert_eq!(shaken.rows, once.rows);
        prop_assert_eq!(shaken.mark, once.mark);
    }
}

#[test]
fn each_loss_has_its_reason() {
    let (a, b) = (Tag::random(), Tag::random());
    let ours = |epoch, acked| Ours {
        epoch,
        open: true,
        acked,
    };
    let mark = |epoch, last, tag| Mark { epoch, last, tag };
    let anew = |epoch, why| Meet::Anew { epoch, why };
    let shut = Ours {
        open: false,
        ..ours(4, 7)
    };
    assert_eq!(meet(&shut, None, None), anew(5, Why::NothingWritten));
    let theirs = mark(9, 7, a);
    assert_eq!(
        meet(&shut, Some(&theirs), Some(a)),
        anew(10, Why::NothingWritten)
    );
    assert_eq!(meet(&ours(4, 0), None, None), Meet::After(0));
    assert_eq!(meet(&ours(4, 7), None, None), anew(5, Why::Forgotten));
    let theirs = mark(4, 7, a);
    assert_eq!(meet(&ours(4, 7), Some(&theirs), Some(a)), Meet::After(7));
    assert_eq!(
        meet(&ours(4, 7), Some(&theirs), Some(b)),
        anew(5, Why::OtherPast)
    );
    assert_eq!(
        meet(&ours(4, 8), Some(&theirs), None),
        anew(5, Why::SetBack)
    );
    assert_eq!(
        meet(&ours(4, 6), Some(&theirs), None),
        anew(5, Why::OtherPast)
    );
    assert_eq!(
        meet(&ours(4, 6), Some(&theirs), Some(a)),
        Meet::After(7),
        "a lost answer"
    );
    assert_eq!(meet(&ours(5, 0), Some(&theirs), None), Meet::After(0));
    assert_eq!(
        meet(&ours(5, 1), Some(&theirs), None),
        anew(6, Why::SetBack)
    );
    assert_eq!(
        meet(&ours(3, 7), Some(&theirs), Some(a)),
        anew(5, Why::OtherPast)
    );
}

#[test]
fn batches_that_do_not_fit_are_refused() {
    let told = |number, event| Told {
        number,
        tag: Tag::random(),
        at: Moment(0),
        event,
    };
    let batch = |events| Batch {
        epoch: 2,
        before: Tag::NONE,
        events,
    };
    let refused = |mark: Option<&Mark>, events| match fit(mark, &batch(events)) {
        Fit::Refused(why) => Some(why),
        Fit::Take { .. } | Fit::Known => None,
    };
    let begin = || told(1, Event::Begin);
    assert_eq!(refused(None, vec![begin()]), None);
    assert_eq!(refused(None, vec![told(1, gone(1))]), Some(Misfit::Gap));
    assert_eq!(
        refused(None, vec![told(2, Event::Begin)]),
        Some(Misfit::Gap)
    );
    assert_eq!(
        refused(None, vec![begin(), told(3, gone(1))]),
        Some(Misfit::Shape)
    );
    assert_eq!(
        refused(None, vec![told(0, Event::Begin)]),
        Some(Misfit::Shape)
    );
    let many = (1..=501).map(|number| told(number, Event::Begin)).collect();
    assert_eq!(refused(None, many), Some(Misfit::Shape));
    let older = Mark {
        epoch: 1,
        last: 3,
        tag: Tag::random(),
    };
    assert_eq!(refused(Some(&older), vec![begin()]), None);
    assert_eq!(
        refused(Some(&older), vec![told(4, gone(1))]),
        Some(Misfit::Gap)
    );
    let other = Mark {
        epoch: 2,
        last: 1,
        tag: Tag::random(),
    };
    let both = vec![begin(), told(2, gone(1))];
    assert_eq!(refused(Some(&other), both), Some(Misfit::OtherPast));
    let newer = Mark { epoch: 3, ..other };
    assert_eq!(fit(Some(&newer), &batch(vec![begin()])), Fit::Known);
    assert_eq!(fit(None, &batch(Vec::new())), Fit::Known);
}
