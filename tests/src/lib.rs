//! The test world of Twinset: a double of SQL Server that speaks TDS, generated backup streams, and
//! the lab that runs them.
//!
//! [`tds`] is the wire, [`instance`] the model behind it, [`stream`] the bytes that backups consist
//! of, [`lab`] turns a scene file into running instances, [`hosts`] puts an agent beside each of two
//! partners, [`demo`] shows them with the real `twinset`, [`drill`] shakes them.

pub mod demo;
pub mod drill;
pub mod hosts;
pub mod instance;
pub mod lab;
pub mod stream;
pub mod tds;
