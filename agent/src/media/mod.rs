//! The media engine: families x mirrors at work.
//!
//! It knows sections, manifests and records, and reaches the world through `device` alone; it does
//! not know the catalog, SQL Server, or whose backup it is. In the order of a media set's life:
//!
//! * [`volume`]: one opened device and what is read of it;
//! * [`matrix`]: all volumes of a media set, opened together;
//! * [`mod@format`]: makes a media set;
//! * [`writer`]: one family's fan-out to all mirrors, hashed in one pass, and its seal;
//! * [`ledger`]: which mirrors still take part in a run;
//! * [`encoding`]: zstd and age between the source and the mirrors, and back;
//! * [`publish`]: verdicts and voids;
//! * [`kept`]: how the sets that are there are wrapped;
//! * [`inventory`]: which backup sets are there;
//! * [`patience`]: reads that wait for a person;
//! * [`reader`]: chunk by chunk, from whichever mirror is sound;
//! * [`verify`]: every byte of every mirror;
//! * [`recover`]: sets right what a dead run left;
//! * [`holds`]: who reads, and until when;
//! * [`expire`]: removes what retention lets go.

mod copy;
pub mod damage;
pub mod encoding;
pub mod expire;
mod facts;
pub mod format;
pub mod holds;
pub mod inventory;
pub mod kept;
pub mod known;
pub mod ledger;
pub mod matrix;
pub mod patience;
pub mod publish;
pub mod reader;
pub mod recover;
pub mod repair;
mod run_facts;
mod snapshot;
pub mod spool;
pub mod verify;
pub mod volume;
pub mod writer;
