//! Two SQL Servers with one mirrored database: roles, recovery forks, logs, `msdb`.
//!
//! Rules of facts/sqlserver.md 1.6 to 1.8 and 5.2. A copy is a record of the tree of truth and the
//! forks that led to it; whatever travels with the log (the next log backup's start, the
//! differential base) hangs on the record.

use std::rc::Rc;

use twinset_domain::BackupKind;
use twinset_domain::partner::{Answer, Backed, Copy, Role, Session, SessionState, State};
use uuid::Uuid;

use super::set::{FAMILY, Set, Shared, lsn};
use super::truth::{Node, Tree};

/// One copy of the database.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) state: State,
    pub(crate) head: Node,
    /// Forks, the oldest first, each with its first record's number.
    pub(crate) forks: Vec<(Uuid, u64)>,
    pub(crate) session: Option<Session>,
}

/// One server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) up: bool,
    pub(crate) database: Database,
    pub(crate) msdb: Vec<Shared>,
    /// Statements of an earlier number are dead: a switch, a restart.
    pub(crate) life: u32,
    /// What runs: a log backup, and one of the data.
    pub(crate) busy: [bool; 2],
    /// Seconds by which its clock is ahead.
    pub(crate) skew: i64,
}

/// A BACKUP that runs.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) on: usize,
    pub(crate) kind: BackupKind,
    pub(crate) copy_only: bool,
    first: u64,
    checkpoint: u64,
    base: Option<(Uuid, u64)>,
    life: u32,
}

/// Both, and everything ever written.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) tree: Tree,
    pub(crate) servers: [Server; 2],
    /// They see each other.
    pub(crate) linked: bool,
    /// There is a witness, which sees both.
    pub(crate) witness: bool,
    /// Who became principal last: the copy that operators keep.
    pub(crate) heir: usize,
    numbers: u128,
}

/// Where a kind is busy.
const fn desk(kind: BackupKind) -> usize {
    matches!(kind, BackupKind::Log) as usize
}

impl Pair {
    /// A pair in a session, `sql-a` principal; or one server alone with the database.
    pub(crate) fn new(now: i64, mirrored: bool, witness: bool) -> Self {
        let tree = Tree::new(now);
        let server = |state| Server {
            up: true,
            database: Database {
                state,
                head: 0,
                forks: vec![(Uuid::from_u128(0xF0), 0)],
                session: None,
            },
            msdb: Vec::new(),
            life: 0,
            busy: [false; 2],
            skew: 0,
        };
        let mut pair = Self {
            tree,
            servers: [server(State::Online), server(State::Restoring)],
            linked: true,
            witness,
            heir: 0,
            numbers: 0x1000,
        };
        if mirrored {
            pair.create_session();
        }
        pair
    }

    pub(crate) fn guid(&mut self) -> Uuid {
        self.numbers += 1;
        Uuid::from_u128(self.numbers)
    }

    /// Who serves the database: its head is the truth of now.
    pub(crate) fn serving(&self) -> Vec<usize> {
        (0..2).filter(|at| self.is_open(*at)).collect()
    }

    pub(crate) fn is_open(&self, at: usize) -> bool {
        let server = &self.servers[at];
        let role = server.database.session.as_ref().map(|s| s.role);
        server.up && server.database.state == State::Online && role != Some(Role::Mirror)
    }

    /// The other copy follows, if the session runs.
    pub(crate) fn follow(&mut self) {
        for at in 0..2 {
            let state = |s: &Server| s.database.session.as_ref().map(|x| (x.role, x.state));
            let flows = self.linked && self.servers.iter().all(|server| server.up);
            if flows
                && state(&self.servers[at]) == Some((Role::Principal, SessionState::Synchronized))
                && state(&self.servers[1 - at]).is_some_and(|(role, _)| role == Role::Mirror)
            {
                let (head, forks) = {
                    let database = &self.servers[at].database;
                    (database.head, database.forks.clone())
                };
                let mirror = &mut self.servers[1 - at].database;
                (mirror.head, mirror.forks) = (head, forks);
            }
        }
    }

    /// Somebody changes data.
    pub(crate) fn write(&mut self, at: usize, now: i64) {
        let server = &mut self.servers[at];
        let clock = now + server.skew;
        server.database.head = self.tree.write(server.database.head, clock, |_| {});
        self.follow();
    }

    /// The copy as its row of the catalogue tells it.
    pub(crate) fn answer(&self, at: usize) -> Answer {
        let server = &self.servers[at];
        if !server.up {
            return Answer::Unreachable;
        }
        let database = &server.database;
        let head = self.tree.of(database.head);
        let open = self.is_open(at);
        Answer::Copy(Copy {
            state: database.state,
            family: Some(FAMILY),
            fork: open.then(|| self.fork(at)),
            session: database.session.clone(),
            backed: Backed {
                log: head.next_log.filter(|_| open).map(lsn),
                base: head.base.filter(|_| open).map(|(_, at)| lsn(at)),
            },
            sees_mirrors: true,
            membership: Default::default(),
        })
    }

    pub(crate) fn fork(&self, at: usize) -> Uuid {
        self.servers[at].database.forks.last().unwrap().0
    }

    /// BACKUP begins, or SQL Server's number.
    pub(crate) fn begin(
        &mut self,
        on: usize,
        kind: BackupKind,
        copy_only: bool,
        now: i64,
    ) -> Result<Statement, u32> {
        if !self.is_open(on) {
            return Err(954);
        }
        let server = &mut self.servers[on];
        if std::mem::replace(&mut server.busy[desk(kind)], true) {
            return Err(3023);
        }
        let clock = now + server.skew;
        // The checkpoint is a record of its own.
        server.database.head = self.tree.write(server.database.head, clock, |_| {});
        let head = self.tree.of(server.database.head);
        let refusal = match kind {
            BackupKind::Log if head.next_log.is_none() => Some(4214),
            BackupKind::Differential if head.base.is_none() => Some(3035),
            _ => None,
        };
        if let Some(number) = refusal {
            server.busy[desk(kind)] = false;
            return Err(number);
        }
        let statement = Statement {
            on,
            kind,
            copy_only,
            first: match kind {
                BackupKind::Log => head.next_log.unwrap(),
                _ => head.lsn,
            },
            checkpoint: head.lsn,
            base: head.base.filter(|_| kind == BackupKind::Differential),
            life: server.life,
        };
        self.follow();
        Ok(statement)
    }

    /// Whether the statement still runs.
    pub(crate) fn lives(&self, statement: &Statement) -> bool {
        self.servers[statement.on].life == statement.life && self.is_open(statement.on)
    }

    /// The set as its stream tells it, before SQL Server counts it.
    pub(crate) fn streamed(&mut self, statement: &Statement, now: i64) -> Shared {
        let guid = self.guid();
        let server = &self.servers[statement.on];
        let database = &server.database;
        let last = self.tree.end(database.head);
        let fork_of = |lsn: u64| {
            let begun = |(_, from): &&(Uuid, u64)| *from <= lsn;
            let on = database.forks.iter().rposition(|fork| begun(&fork));
            on.unwrap_or(0)
        };
        let (begins, ends) = (fork_of(statement.first), database.forks.len() - 1);
        let crosses = statement.kind == BackupKind::Log && begins != ends;
        let crossed = crosses.then(|| (database.forks[begins].0, database.forks[begins + 1].1));
        Rc::new(Set {
            guid,
            kind: statement.kind,
            copy_only: statement.copy_only,
            first: statement.first,
            last,
            checkpoint: statement.checkpoint,
            base: statement.base,
            fork: database.forks[ends].0,
            crossed,
            finished: now + server.skew,
            head: database.head,
        })
    }

    /// Every device was answered: SQL Server counts the backup.
    pub(crate) fn count(&mut self, statement: &Statement, set: &Shared, now: i64) {
        let server = &mut self.servers[statement.on];
        server.busy[desk(statement.kind)] = false;
        server.msdb.push(Rc::clone(set));
        let (kind, copy_only) = (set.kind, set.copy_only);
        let clock = now + server.skew;
        server.database.head = self
            .tree
            .write(server.database.head, clock, |entry| match kind {
                BackupKind::Full if !copy_only => {
                    entry.base = Some((set.guid, set.checkpoint));
                    entry.next_log = entry.next_log.or(Some(set.checkpoint));
                }
                BackupKind::Log if !copy_only => entry.next_log = Some(set.last),
                _ => {}
            });
        self.follow();
    }

    /// The statement ends without success.
    pub(crate) fn abort(&mut self, statement: &Statement) {
        let server = &mut self.servers[statement.on];
        if server.life == statement.life {
            server.busy[desk(statement.kind)] = false;
        }
    }

    /// Somebody else takes a backup, at once.
    pub(crate) fn foreign(&mut self, kind: BackupKind, copy_only: bool, now: i64) -> bool {
        let Some(on) = self.serving().first().copied() else {
            return false;
        };
        let Ok(statement) = self.begin(on, kind, copy_only, now) else {
            return false;
        };
        let set = self.streamed(&statement, now);
        self.count(&statement, &set, now);
        true
    }
}
