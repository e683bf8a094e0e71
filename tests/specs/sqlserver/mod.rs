//! The agent's SQL Server side against the double: over TDS and through virtual devices.

mod backup;
mod connect;
mod facts;
mod job;
pub(crate) mod line;
mod lost;
mod orphans;
mod quoting;
mod restore;
mod statement;

use std::time::Duration;

use tempfile::TempDir;
use twinset::sqlserver::{
    Auth, Connector, Encrypt, Endpoint, InstanceSettings, Purpose, Secret, Session,
};
use twinset_tests::lab::{Lab, Scene};

/// Nothing here takes longer.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// A running double with one instance `HOSTA` and the settings to reach it.
pub(crate) struct World {
    pub(crate) lab: Lab,
    _folder: TempDir,
}

/// The usual scene; `extra` goes into the instance's table, `tail` behind everything.
pub(crate) fn world_with(extra: &str, tail: &str) -> World {
    let text = format!(
        r#"
        [[instances]]
        name = "HOSTA"
        seed = 7
        {extra}
        [[instances.logins]]
        name = "backup"
        password = "S3cret!"
        sysadmin = true
        [[instances.logins]]
        name = "reader"
        password = "reader"
        [[instances.databases]]
        name = "Payroll"
        recovery = "FULL"
        size = 4194304
        [[instances.databases]]
        name = "it's [odd]] 表"
        size = 1048576
        {tail}
        "#
    );
    let scene: Scene = toml::from_str(&text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    World {
        lab: Lab::start(&scene, folder.path()).unwrap(),
        _folder: folder,
    }
}

pub(crate) fn world() -> World {
    world_with("", "")
}

impl World {
    pub(crate) fn settings(&self, user: &str, password: &str) -> InstanceSettings {
        let instance = &self.lab.instances[0];
        let auth = Auth::Sql {
            user: user.to_owned(),
            password: Secret::new(password),
        };
        let endpoint = Endpoint::Port(instance.port);
        let mut settings = InstanceSettings::new("payroll", "localhost", endpoint, auth);
        settings.encrypt = Encrypt::Required;
        settings.ca_file = Some(instance.ca_file.clone());
        settings.connect_timeout = Duration::from_secs(5);
        settings
    }

    pub(crate) fn connector(&self) -> Connector {
        Connector::new(self.settings("backup", "S3cret!"), "run-1")
    }

    pub(crate) fn open(&self, purpose: Purpose) -> Session {
        self.connector().open(purpose).unwrap()
    }
}
