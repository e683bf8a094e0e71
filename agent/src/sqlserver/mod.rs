//! The SQL Server side: connections, catalogue facts, statements, and the virtual device interface.
//!
//! Everything here is synchronous to its callers; the driver's own tasks run on one small runtime
//! of the process. A job holds two connections: a *work* connection on which one long statement
//! runs without a timeout, and a *control* connection for progress, history and cancelling. No
//! connection outlives a timeout, a cancel or a lost statement. Nothing here knows about media.

pub mod browser;
pub mod cancel;
pub mod connect;
pub mod facts;
mod fault;
pub mod groups;
pub mod health;
pub mod history;
pub mod host;
pub mod integrity;
pub mod job;
pub mod orphans;
mod os;
pub mod others;
pub mod partners;
pub mod plain;
pub mod presence;
pub mod rights;
pub mod rows;
pub mod running;
mod runtime;
pub mod secret;
pub mod session;
pub mod settings;
pub mod statement;
mod tap;
pub mod vdi;

pub use cancel::{Cancelled, cancel};
pub use connect::{Ahead, Connector, Purpose};
pub use facts::{DatabaseFacts, InstanceFacts, Percent};
pub use history::{MsdbSet, SetKey};
pub use job::{JobEnd, VdiJob};
pub use plain::{PlainEnd, PlainJob};
pub use rows::{Param, Row, Rows};
pub use running::{Running, ServerMessage, StatementEnd};
pub use secret::Secret;
pub use session::Session;
pub use settings::{Auth, Encrypt, Endpoint, InstanceSettings};
