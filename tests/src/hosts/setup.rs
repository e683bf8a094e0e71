//! How two hosts are set up: the scene of their servers, the files of their agents.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use super::programs::Programs;
use crate::lab::child::Listening;

/// Identity of the session.
pub const GUID: &str = "6f6c1f2e-8f0a-4a59-9d2b-0f8a3c1b7e55";
/// Password of every login.
pub const PASSWORD: &str = "Kein-Wort-davon-4711";
/// The agent of each host, by the name of its instance.
pub const AGENTS: [&str; 2] = ["sql-a", "sql-b"];

/// How two hosts are set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Server names.
    pub servers: [&'static str; 2],
    /// Addresses of the partners, as their sessions name them.
    pub addresses: [&'static str; 2],
    /// The session has a witness, a third server.
    pub witness: bool,
    /// Login of the agents on each server.
    pub users: [&'static str; 2],
    /// Lines for the group's file.
    pub group: &'static str,
    /// Lines for the group's `[group]` table.
    pub how: &'static str,
    /// Lines for the `[media_sets.payroll]` table.
    pub set: &'static str,
    /// The databases are in a session; else the first server alone has one.
    pub mirrored: bool,
    /// The databases are in an availability group instead: lines for the group of the scene, and
    /// settings of its second replica.
    pub group_of: Option<(&'static str, &'static str)>,
    /// Bytes of data pages of the database.
    pub size: u64,
    /// Options of the device of mirror 2 of an agent, beside its path: the fault plugin's.
    pub faulty: [Option<&'static str>; 2],
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            servers: ["SQL-A", "SQL-B"],
            addresses: ["TCP://sql-a:5022", "TCP://sql-b:5022"],
            witness: false,
            users: ["twinset", "twinset"],
            group: "",
            how: "",
            set: "",
            mirrored: true,
            group_of: None,
            size: 2 << 20,
            faulty: [None, None],
        }
    }
}

impl Setup {
    /// What the group's file says.
    #[must_use]
    pub fn group_text(&self) -> String {
        format!(
            "[group]\nname = \"payroll\"\npartners = [\"sql-a\", \"sql-b\"]\n\
             databases = [\"Payroll\"]\nmedia_set = \"payroll\"\n{}\n{}",
            self.how, self.group
        )
    }

    /// The scene: both servers, and a third one that may be a witness.
    pub(super) fn scene(&self) -> String {
        let third = "[[instances]]\nname = \"SQL-W\"\n";
        let database = format!(
            "[[instances.databases]]\nname = \"Payroll\"\nsize = {}\n",
            self.size
        );
        if let Some((group, second)) = self.group_of {
            let [a, b] = self.servers;
            return format!(
                "{}{database}{}{database}{third}[[groups]]\nname = \"ag\"\nid = {GUID:?}\n\
                 databases = [\"Payroll\"]\n{group}\nreplicas = [\n\
                 {{ instance = {a:?}, automatic = true }},\n\
                 {{ instance = {b:?}, automatic = true{second} }},\n]\n",
                self.server(0),
                self.server(1)
            );
        }
        if !self.mirrored {
            return format!("{}{database}{}{third}", self.server(0), self.server(1));
        }
        let witness = match self.witness {
            true => "witness = \"TCP://sql-w:5022\"\n",
            false => "",
        };
        let instance = |at: usize, role: &str| {
            format!(
                "{}{database}[instances.databases.mirroring]\nguid = {GUID:?}\nrole = {role:?}\n\
                 partner_address = {:?}\npartner_instance = {:?}\n{witness}",
                self.server(at),
                self.addresses[1 - at],
                self.servers[1 - at]
            )
        };
        format!(
            "{}{}{third}",
            instance(0, "principal"),
            instance(1, "mirror")
        )
    }

    fn server(&self, at: usize) -> String {
        format!(
            "[[instances]]\nname = {:?}\nseed = {at}\nmirroring_port = {}\nlogins = [\n\
             {{ name = \"twinset\", password = {PASSWORD:?}, sysadmin = true }},\n\
             {{ name = \"reader\", password = {PASSWORD:?} }},\n]\n",
            self.servers[at],
            5022 + at
        )
    }

    /// The configuration of an agent: the same on both hosts but for `[agent]`, and for a device
    /// that is broken on purpose.
    pub(super) fn config(
        &self,
        agent: &str,
        programs: &Programs,
        listening: &[Listening],
    ) -> io::Result<String> {
        let mut text = format!(
            "[agent]\nname = {agent:?}\nserves = [{agent:?}]\nstate_dir = \"state-{agent}\"\n\
             [plugins.disk]\npath = {:?}\n",
            programs.disk
        );
        let at = AGENTS.iter().position(|known| *known == agent);
        let broken = at.and_then(|at| self.faulty[at]);
        if broken.is_some() {
            text += &format!("[plugins.fault]\npath = {:?}\n", programs.fault);
        }
        for (at, name) in AGENTS.iter().enumerate() {
            let listening = listening.get(at);
            let listening = listening.ok_or_else(|| io::Error::other("a server is missing"))?;
            text += &self.instance(at, name, listening, &programs.vdi);
        }
        let (plugin, options) = match broken {
            Some(options) => ("fault", format!(", {options}")),
            None => ("disk", String::new()),
        };
        // A String takes whatever is written.
        let _ = write!(
            text,
            "[media_sets.payroll]\nname = \"Payroll media\"\nfamilies = 1\n{}\n\
             [[media_sets.payroll.mirrors]]\n\
             devices = [{{ plugin = \"disk\", options = {{ path = \"{{agent}}/m1\" }} }}]\n\
             [[media_sets.payroll.mirrors]]\n\
             devices = [{{ plugin = {plugin:?}, options = {{ path = \"{{agent}}/m2\"{options} }} \
             }}]\n",
            self.set
        );
        Ok(text)
    }

    fn instance(&self, at: usize, name: &str, listening: &Listening, vdi: &Path) -> String {
        format!(
            "[instances.{name}]\nhost = \"localhost\"\nport = {}\nauth = \"sql\"\n\
             user = {:?}\npassword_file = \"password\"\nca_file = {:?}\n\
             connect_retry = \"0s\"\nvdi_library = {vdi:?}\n",
            listening.port, self.users[at], listening.ca_file
        )
    }
}
