//! A double of SQL Server's `sqlvdi.dll`: an in-process COM server under the class id of virtual
//! device sets, for the agent of Windows under Wine.
//!
//! It decides nothing. Each call of a client becomes one question over loopback TCP ([`wire`]) to
//! the door of the double of SQL Server on Linux (`sqlvdi::door`), which asks the double of
//! `libsqlvdi.so`: one set of rules and of knobs for both systems. What is of this side alone is
//! here: COM's tables and counts, the rule that calls come from the multithreaded apartment, and
//! buffers with guards that are spoilt once their command is completed.
//!
//! Built as a DLL on Windows; elsewhere only the words of the talk are here.

pub mod wire;

#[cfg(windows)]
mod com;
#[cfg(windows)]
mod room;
