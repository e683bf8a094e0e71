//! `[media_sets.NAME]`: families, mirrors, devices.

mod build;
mod least;
mod options;
mod stored;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value};
pub use twinset_domain::append::MinMirrors;
use twinset_domain::{Fault, code};

use crate::config::source::Place;
use crate::config::template::{Placeholder, expand};

pub(crate) use build::{UsedPlaces, media_set};
pub(crate) use options::placeholders;
pub use stored::{Encoding, SealedTo, Sealing, Stored};

/// Block size of disk media when the file does not say, in bytes.
pub const DEFAULT_BLOCK_SIZE: u32 = 4096;
/// Bound of one device call when the file does not say.
pub const DEFAULT_DEVICE_DEADLINE: Duration = Duration::from_secs(60);
/// How long the operator may take to bring the next medium unless the configuration says.
pub const DEFAULT_MEDIUM_WAIT: Duration = Duration::from_secs(3600);

/// A media set as configured; what lies on its volumes is another matter.
#[derive(Clone, Debug)]
pub struct MediaSet {
    /// Its key, by which groups and commands name it.
    pub key: String,
    /// The media name in every header, 1 to 128 characters.
    pub name: String,
    /// The media description in every header, may be empty.
    pub description: String,
    /// Stripes, 1 to 64.
    pub families: u16,
    /// How the data are stored.
    pub stored: Stored,
    /// Block size, a power of two from 512 to 65536.
    pub block_size: u32,
    /// How many mirrors must hold a backup.
    pub min_mirrors: MinMirrors,
    /// Who brings a mirror back that fell behind.
    pub repair: Repair,
    /// Bound of one device call.
    pub device_deadline: Duration,
    /// What it costs when a GiB leaves its object stores: a number and a currency.
    pub egress_price: Option<String>,
    /// How long a run waits for the operator to bring the next medium.
    pub medium_wait: Duration,
    /// The devices: 1 to 4 mirrors of `families` devices each.
    pub mirrors: Vec<Vec<Device>>,
    /// It stands in no file: it is the one for log backups beside another one.
    pub is_beside: bool,
    /// Where it stands.
    pub place: Place,
}

/// Who brings a mirror back that fell behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    /// The runs themselves, once their own set is published.
    Auto,
    /// The operator, by `media repair`.
    Manual,
}

/// One device as configured, placeholders and all.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// The plugin that reaches it.
    pub plugin: String,
    /// What the plugin is told.
    pub options: Map<String, Value>,
    /// Where it stands.
    pub place: Place,
}

/// One device as it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceSpec {
    /// The plugin that reaches it.
    pub plugin: String,
    /// What the plugin is told: canonical JSON (sorted keys, no space).
    pub options: String,
    /// Where it stands.
    pub place: Place,
}

impl MediaSet {
    /// The devices of every mirror, for one agent and, where options ask for it, one database.
    ///
    /// # Errors
    /// `CONFIG_VALUE` when an option holds `{database}` and no database is given.
    pub fn devices(
        &self,
        agent: &str,
        database: Option<&str>,
    ) -> Result<Vec<Vec<DeviceSpec>>, Fault> {
        let mirror = |devices: &Vec<Device>| {
            devices
                .iter()
                .map(|device| device.spec(agent, database))
                .collect()
        };
        self.mirrors.iter().map(mirror).collect()
    }

    /// Whether each agent has media of its own.
    #[must_use]
    pub fn per_agent(&self) -> bool {
        let holds = |device: &Device| device.placeholders().contains(&Placeholder::Agent);
        self.mirrors.iter().flatten().any(holds)
    }

    /// Whether each database has media of its own.
    #[must_use]
    pub fn per_database(&self) -> bool {
        let holds = |device: &Device| device.placeholders().contains(&Placeholder::Database);
        self.mirrors.iter().flatten().any(holds)
    }

    /// The key under which the same media set is known as another agent writes it.
    #[must_use]
    pub fn key_of_other(&self, agent: &str, database: Option<&str>) -> String {
        let mut key = self.key_of(database);
        key.insert_str(self.key.len(), &format!("@{agent}"));
        key
    }

    /// The key under which the media of a database are known: its own, where each has its own.
    #[must_use]
    pub fn key_of(&self, database: Option<&str>) -> String {
        match database {
            Some(database) if self.per_database() => format!("{}/{database}", self.key),
            _ => self.key.clone(),
        }
    }
}

impl Device {
    /// The placeholders in its options.
    #[must_use]
    pub fn placeholders(&self) -> BTreeSet<Placeholder> {
        let mut found = BTreeSet::new();
        for value in self.options.values() {
            placeholders(value, &mut found);
        }
        found
    }

    /// The device for one agent and database.
    ///
    /// # Errors
    /// `CONFIG_VALUE` when an option holds `{database}` and no database is given.
    pub fn spec(&self, agent: &str, database: Option<&str>) -> Result<DeviceSpec, Fault> {
        if database.is_none() && self.placeholders().contains(&Placeholder::Database) {
            let message = "the device's options hold {database}, and no database is named";
            return Err(
                Fault::new(code::CONFIG_VALUE, self.place.to_string(), message)
                    .remedy("name the database with --database"),
            );
        }
        let fill = |hole: Placeholder| match hole {
            Placeholder::Agent => agent.to_owned(),
            Placeholder::Database => database.unwrap_or_default().to_owned(),
        };
        let value = options::map_text(&Value::Object(self.options.clone()), &|text| {
            // The options were judged when they were read: every text is a template.
            expand(text, fill).unwrap_or_else(|_| text.to_owned())
        });
        Ok(DeviceSpec {
            plugin: self.plugin.clone(),
            options: options::canonical(&value),
            place: self.place.clone(),
        })
    }
}

/// A device's options as canonical JSON, for options that come from elsewhere.
#[must_use]
pub fn canonical_options(options: &Map<String, Value>) -> String {
    options::canonical(&Value::Object(options.clone()))
}
