//! What really was written: a tree of log records, one branch for each history.
//!
//! A record is the database as it was right behind it: who holds the record's number holds the
//! truth of that moment. Log sequence numbers grow along a branch and are given again on others.

use uuid::Uuid;

/// A record, and the database behind it.
pub(crate) type Node = usize;

/// Between two records.
pub(crate) const STEP: u64 = 10;

/// One log record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    parent: Node,
    /// Somewhere further back, so that long ways are short.
    jump: Node,
    depth: u32,
    pub(crate) lsn: u64,
    /// By the clock of the server that wrote it.
    pub(crate) at: i64,
    /// Where the next log backup starts.
    pub(crate) next_log: Option<u64>,
    /// The differential base: GUID and checkpoint of the full.
    pub(crate) base: Option<(Uuid, u64)>,
}

/// All records ever written.
#[derive(Debug)]
pub(crate) struct Tree(Vec<Entry>);

impl Tree {
    pub(crate) fn new(at: i64) -> Self {
        Self(vec![Entry {
            parent: 0,
            jump: 0,
            depth: 0,
            lsn: 1000,
            at,
            next_log: None,
            base: None,
        }])
    }

    pub(crate) fn of(&self, node: Node) -> &Entry {
        &self.0[node]
    }

    /// Writes one more record behind another.
    pub(crate) fn write(&mut self, behind: Node, at: i64, how: impl FnOnce(&mut Entry)) -> Node {
        let parent = self.0[behind];
        let jump = self.0[parent.jump];
        let even = parent.depth - jump.depth == jump.depth - self.0[jump.jump].depth;
        let mut entry = Entry {
            parent: behind,
            jump: if even { jump.jump } else { behind },
            depth: parent.depth + 1,
            lsn: parent.lsn + STEP,
            at,
            ..parent
        };
        how(&mut entry);
        self.0.push(entry);
        self.0.len() - 1
    }

    /// The number that the next record behind this one gets: the end of a backup taken now.
    pub(crate) fn end(&self, node: Node) -> u64 {
        self.of(node).lsn + STEP
    }

    /// The last record on the way to this one that is no longer wanted by a test which holds from
    /// some record of the way on.
    fn back(&self, mut node: Node, behind: impl Fn(&Entry) -> bool) -> Node {
        while node != 0 && behind(self.of(node)) {
            let jump = self.of(node).jump;
            node = if behind(self.of(jump)) {
                jump
            } else {
                self.of(node).parent
            };
        }
        node
    }

    /// The last record on the way to this one below a number.
    pub(crate) fn below(&self, node: Node, lsn: u64) -> Node {
        self.back(node, |entry| entry.lsn >= lsn)
    }

    /// Whether one record is on the way to another, or the same.
    pub(crate) fn leads_to(&self, first: Node, last: Node) -> bool {
        let depth = self.of(first).depth;
        self.back(last, |entry| entry.depth > depth) == first
    }

    /// What is reached from one record towards another by stopping before a time.
    pub(crate) fn until(&self, from: Node, to: Node, time: i64) -> Node {
        let mut reached = to;
        let mut at = to;
        while at != from && at != 0 {
            if self.of(at).at >= time {
                reached = self.of(at).parent;
            }
            at = self.of(at).parent;
        }
        reached
    }
}
