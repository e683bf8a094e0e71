//! What Twinset decides.
//!
//! Nothing in this crate touches the world: no files, no clock, no SQL. Facts and times come in as
//! arguments, decisions go out as values that can be printed and tested. In the order of a backup:
//! [`chain`] (what a backup should be, so that it can be restored),
//! [`fork`] (which branch of a history goes on from which), [`append`] (may this run write, and where), [`verdict`] (did it succeed), [`recover`] (what a
//! dead run left), [`restore`] (which set, from which volumes),
//! [`standing`] (which mirrors hold everything), [`repair`] (what brings a mirror back),
//! [`stage`] (what becomes of files that SQL Server wrote),
//! [`wrapping`] (which sets may lie together),
//! [`span`] (where a family is cut at the end of its media),
//! [`owner`] (closing a media set, giving up a mirror),
//! [`retention`] (which sets may go, and why the others stay), [`schedule`] (what is due, and why the
//! rest is not), [`partner`] (who is principal),
//! [`protection`] (what follows from what the partners say),
//! [`stamp`] (which sessions on a server are ours), [`grants`] (which rights a login needs),
//! [`doctor`] (what would stop a run), [`alert`] (what an operator must know, once),
//! [`health`] (what a device says of itself), [`rpo`] (which backups are too old), [`integrity`] (what DBCC CHECKDB means, and when it runs),
//! [`fleet`] (what a shared catalog is told, and how that survives every loss).

pub mod adopt;
pub mod alert;
pub mod append;
pub mod chain;
pub mod chunk;
pub mod confirm;
pub mod doctor;
pub mod fault;
pub mod fleet;
pub mod fork;
pub mod grants;
pub mod health;
mod ids;
pub mod integrity;
mod kind;
mod lsn;
mod moment;
pub mod name;
pub mod owner;
pub mod partner;
pub mod presence;
pub mod protection;
pub mod recover;
pub mod repair;
pub mod restore;
pub mod retention;
pub mod rpo;
pub mod schedule;
pub mod span;
pub mod stage;
pub mod stamp;
pub mod standing;
pub mod system;
pub mod verdict;
pub mod wrapping;

pub use fault::{Code, Exit, Fault, code};
pub use ids::{
    AgentId, FamilyId, FamilyNo, MAX_FAMILIES, MAX_MIRRORS, MediaSetId, MirrorNo, Position, RunId,
    Shape, Slot,
};
pub use kind::BackupKind;
pub use lsn::Lsn;
pub use moment::{LocalTime, Moment, offset_of, offset_text};
