//! What the operator wrote, turned into what the engine may rely on.
//!
//! Two steps. [`raw`] says what a file may hold and where each value stands; [`checked`] is the
//! form without doubt: every name resolves, every number is in range, no file may be written by
//! others. [`load`] does both and reports all faults at once, each with file, line and column.
//! Secrets are referred to here and read only when asked for. Only this room reads and writes
//! configuration files; it never talks to a server or a device.
//!
//! In reading order: [`load`], `kept` (the last sound one), `shape` (first fault of a file), [`raw`], `checked`, then the small
//! tools: `source` (places), [`units`], `hint`, [`template`], [`databases`], [`secret`], `os`.

pub mod checked;
pub mod databases;
pub mod draft;
mod hint;
mod kept;
mod load;
pub(crate) mod os;
pub mod raw;
pub mod reference;
pub mod secret;
mod shape;
mod source;
pub mod template;
pub mod units;
pub mod write;

#[cfg(test)]
mod tests;

pub use checked::agent::{Agent, LEAST_MEMORY};
pub use checked::alerts::{Address as WebhookAddress, Alerts, Webhook};
pub use checked::group::{
    Backup, BrokenChain, Check, Failover, Group, Profile, Retention, Rpo, SessionKind, Source,
    Stage, TopologyChange,
};
pub use checked::instance::{Address, Auth, Encrypt, Instance, Waits};
pub use checked::mail::{MailEncrypt, Smtp};
pub use checked::media::{
    Device, DeviceSpec, Encoding, MediaSet, MinMirrors, Repair, SealedTo, Sealing, Stored,
};
pub use checked::plugin::Plugin;
pub use checked::shared::Shared;
pub use checked::{Config, Note};
pub use databases::Databases;
pub use kept::{Kept, Standing, standing};
pub use load::{load, load_draft, state_dir};
pub use os::host_name;
pub use secret::SecretRef;
pub use source::Place;
