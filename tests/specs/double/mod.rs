//! The double itself: judged by clients that share no code with it, and byte by byte where no
//! client looks closely enough.

mod appending;
mod attention;
mod availability;
mod batches;
mod checks;
mod containers;
mod forks;
mod freetds;
mod killing;
mod knobs;
mod log_chain;
mod lost_clients;
mod media_damage;
mod media_rules;
mod mirroring;
mod parts;
mod privileges;
mod python;
mod reports;
mod restore_options;
mod restore_order;
mod sql;
mod statements;
mod stop_points;
mod tail;
mod wire;

use tempfile::TempDir;
use twinset_tests::lab::{Lab, Scene};

/// A login that may do everything, one that may do little, two databases.
const SCENE: &str = r#"
[[instances]]
name = "SQL-A"
ENCRYPTION
[[instances.logins]]
name = "twinset"
password = "Secret-1"
sysadmin = true
[[instances.logins]]
name = "reader"
password = "Reader-1"
[[instances.logins]]
name = 'LAB\dba'
password = "Account-1"
[[instances.databases]]
name = "Payroll"
size = 4194304
[[instances.databases]]
name = "Simple"
recovery = "SIMPLE"
"#;

/// A running instance with its folder.
struct World {
    lab: Lab,
    folder: TempDir,
}

impl World {
    fn start(encryption: &str) -> Self {
        let line = format!("encryption = \"{encryption}\"");
        let scene: Scene = toml::from_str(&SCENE.replace("ENCRYPTION", &line)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let lab = Lab::start(&scene, folder.path()).unwrap();
        Self { lab, folder }
    }

    fn port(&self) -> u16 {
        self.lab.instances[0].port
    }
}
