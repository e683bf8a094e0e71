//! The service through its front door: two real agents on two doubles of SQL Server that are
//! partners of a mirroring session.

mod alerts;
mod control;
mod follow;
mod pair;
mod schedule;
