//! Protection groups of a world, for verbs that need no server.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use super::World;

impl World {
    /// Writes `groups.d/NAME.toml`: these databases on media set `payroll`, and more tables.
    pub(crate) fn group(&mut self, name: &str, databases: &[&str], tables: &str) {
        let folder = self.path().join("groups.d");
        fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "[group]\nname = {name:?}\npartners = [\"sql-a\"]\ndatabases = {databases:?}\n\
             media_set = \"payroll\"\n{tables}\n"
        );
        fs::write(folder.join(format!("{name}.toml")), text).unwrap();
        self.configure(|media| {
            media.tables = "[instances.sql-a]\nhost = \"127.0.0.1\"\nuser = \"twinset\"\n\
                            password_env = \"TWINSET_NO_PASSWORD\"\n"
                .into();
        });
    }
}
