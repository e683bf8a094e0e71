//! What happens to the session: switches, lost partners, forced service, another session.

use twinset_domain::partner::{Role, Session, SessionState, State};

use super::server::{Pair, Server};

impl Pair {
    fn is(&self, at: usize, role: Role) -> bool {
        let session = self.servers[at].database.session.as_ref();
        session.is_some_and(|session| session.role == role)
    }

    /// Who holds the role, as it sees itself.
    pub(crate) fn principal(&self) -> Option<usize> {
        (0..2).find(|at| self.is(*at, Role::Principal) && self.servers[*at].up)
    }

    fn state(&mut self, state: SessionState) {
        for server in &mut self.servers {
            if let Some(session) = &mut server.database.session {
                session.state = state;
            }
        }
    }

    /// What runs on a server dies.
    pub(crate) fn cut(server: &mut Server) {
        server.life += 1;
        server.busy = [false; 2];
    }

    fn flows(&self) -> bool {
        let synchronized = |server: &Server| {
            let session = server.database.session.as_ref();
            session.is_some_and(|session| session.state == SessionState::Synchronized)
        };
        self.linked && self.servers.iter().all(|s| s.up && synchronized(s))
    }

    fn exchange(&mut self) {
        for server in &mut self.servers {
            Self::cut(server);
            let Some(session) = &mut server.database.session else {
                continue;
            };
            session.role_sequence += 1;
            (session.role, server.database.state) = match session.role {
                Role::Principal => (Role::Mirror, State::Restoring),
                Role::Mirror => (Role::Principal, State::Online),
            };
        }
    }

    /// SET PARTNER FAILOVER.
    pub(crate) fn failover(&mut self) -> bool {
        let can = self.flows();
        if can {
            self.heir = 1 - self.principal().unwrap_or(self.heir);
            self.exchange();
        }
        can
    }

    /// A new session between the open copy and the other server, which is seeded from it.
    pub(crate) fn create_session(&mut self) -> bool {
        let open = self.serving();
        let ([at], true) = (open.as_slice(), self.linked) else {
            return false;
        };
        let at = *at;
        if self.servers.iter().any(|server| !server.up)
            || self.servers[at].database.session.is_some()
        {
            return false;
        }
        let guid = self.guid();
        let session = |role| {
            Some(Session {
                guid,
                role,
                state: SessionState::Synchronized,
                role_sequence: 1,
            })
        };
        self.servers[at].database.session = session(Role::Principal);
        self.servers[1 - at].database = super::server::Database {
            state: State::Restoring,
            session: session(Role::Mirror),
            ..self.servers[at].database.clone()
        };
        true
    }

    /// SET PARTNER OFF; a partner that is apart learns of it when they meet.
    pub(crate) fn end_session(&mut self) -> bool {
        let Some(at) = self.principal() else {
            return false;
        };
        self.servers[at].database.session = None;
        if self.linked {
            self.servers[1 - at].database.session = None;
        }
        true
    }

    /// A copy that is given up: whatever is on it alone is lost.
    pub(crate) fn give_up(&mut self, at: usize) {
        let server = &mut self.servers[at];
        Self::cut(server);
        server.database.session = None;
        server.database.state = State::Restoring;
    }

    pub(crate) fn suspend(&mut self) -> bool {
        let can = self.flows();
        if can {
            self.state(SessionState::Suspended);
        }
        can
    }

    /// SET PARTNER RESUME: the mirror is brought to where the principal is.
    pub(crate) fn resume(&mut self) -> bool {
        let Some(at) = self.principal() else {
            return false;
        };
        if !self.linked || !self.servers[1 - at].up || !self.is(1 - at, Role::Mirror) {
            return false;
        }
        self.state(SessionState::Synchronized);
        self.follow();
        true
    }

    /// The partners do not see each other any more.
    pub(crate) fn part(&mut self) {
        self.linked = false;
        self.state(SessionState::Disconnected);
    }

    /// They see each other again: one session, one principal.
    pub(crate) fn meet(&mut self) {
        self.linked = true;
        if self.servers.iter().any(|server| !server.up) {
            return;
        }
        let guid = |server: &Server| server.database.session.as_ref().map(|s| s.guid);
        let [one, two] = [guid(&self.servers[0]), guid(&self.servers[1])];
        if one != two {
            // One of them removed the session meanwhile: the other learns it.
            for server in &mut self.servers {
                server.database.session = None;
            }
            return;
        }
        let sequence = |server: &Server| {
            let session = server.database.session.as_ref();
            session.map_or(0, |session| session.role_sequence)
        };
        let (a, b) = (sequence(&self.servers[0]), sequence(&self.servers[1]));
        if a != b {
            // Who missed an exchange of roles yields; after forced service the session waits.
            let loser = usize::from(a > b);
            let (head, winner) = (a.max(b), 1 - loser);
            let apart = !self.tree.leads_to(
                self.servers[loser].database.head,
                self.servers[winner].database.head,
            );
            let server = &mut self.servers[loser];
            Self::cut(server);
            server.database.state = State::Restoring;
            if let Some(session) = &mut server.database.session {
                (session.role, session.role_sequence) = (Role::Mirror, head);
            }
            if apart {
                return self.state(SessionState::Suspended);
            }
        }
        self.state(SessionState::Synchronized);
        self.follow();
    }

    /// The server of a principal, or of a mirror, is gone. With a witness the mirror takes over.
    pub(crate) fn goes_down(&mut self, at: usize) {
        let took_over = self.witness && self.flows() && self.is(at, Role::Principal);
        Self::cut(&mut self.servers[at]);
        self.servers[at].up = false;
        self.state(SessionState::Disconnected);
        if took_over {
            self.takes_over(1 - at);
        }
    }

    pub(crate) fn comes_up(&mut self, at: usize) {
        if self.servers[at].up {
            return;
        }
        self.servers[at].up = true;
        self.yields(at);
        if self.linked {
            self.meet();
        }
    }

    /// A principal that comes back has no quorum without its witness, who knows that the partner
    /// took over: it does not serve, whatever became of the partner and of the session since.
    fn yields(&mut self, at: usize) {
        if !self.witness || self.heir == at || !self.is(at, Role::Principal) {
            return;
        }
        let theirs = self.servers[1 - at].database.session.as_ref();
        let theirs = theirs.map_or(0, |session| session.role_sequence);
        let database = &mut self.servers[at].database;
        database.state = State::Restoring;
        if let Some(session) = &mut database.session {
            session.role = Role::Mirror;
            session.role_sequence = session.role_sequence.max(theirs);
        }
    }

    fn takes_over(&mut self, at: usize) {
        self.heir = at;
        let server = &mut self.servers[at];
        Self::cut(server);
        server.database.state = State::Online;
        if let Some(session) = &mut server.database.session {
            session.role = Role::Principal;
            session.role_sequence += 1;
        }
    }

    /// SET PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS on the mirror: a new fork.
    pub(crate) fn force(&mut self) -> bool {
        let mirror = (0..2).find(|at| self.is(*at, Role::Mirror) && self.servers[*at].up);
        let Some(at) = mirror.filter(|at| !self.linked || !self.servers[1 - at].up) else {
            return false;
        };
        self.takes_over(at);
        self.forks(at);
        true
    }

    /// Recovery begins a new fork where the copy stands.
    pub(crate) fn forks(&mut self, at: usize) {
        let fork = self.guid();
        let database = &mut self.servers[at].database;
        let from = self.tree.end(database.head);
        // A fork on which nothing was written is none that anything began on.
        database.forks.retain(|(_, begun)| *begun < from);
        database.forks.push((fork, from));
    }

    /// The database is restored over itself to some records ago: a new fork.
    pub(crate) fn restore_back(&mut self, at: usize, records: u64) -> bool {
        if !self.is_open(at) || self.servers[at].database.session.is_some() {
            return false;
        }
        let head = self.servers[at].database.head;
        let lsn = self.tree.of(head).lsn;
        let below = lsn.saturating_sub(records * super::truth::STEP);
        let to = self.tree.below(head, below.max(1010));
        Self::cut(&mut self.servers[at]);
        self.servers[at].database.head = to;
        self.forks(at);
        true
    }
}
