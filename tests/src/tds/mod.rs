//! TDS 7.4 as a server speaks it, written by hand from byte tables; it shares no code with any
//! client, so that a fault in a client's reading cannot hide behind the same fault here.
//!
//! Reading order: [`bytes`] and [`packet`] frame messages; [`prelogin`], [`wrap`] and [`tls`]
//! agree on encryption; [`login`] admits a client; [`types`], [`tokens`] and [`decode`] are the
//! wire forms of values; [`rpc`] reads remote calls; [`reply`] collects one response; [`session`]
//! is the life of one connection. What a statement *means* is decided in [`crate::instance`].

pub mod bytes;
pub mod decode;
pub mod login;
pub mod ntlm;
pub mod packet;
pub mod prelogin;
pub mod reply;
pub mod rpc;
pub mod session;
pub mod tls;
pub mod tokens;
pub mod types;
pub mod wrap;
