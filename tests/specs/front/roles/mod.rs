//! Two partners, each with its agent: who takes a backup, and what becomes of it when the roles move
//! (design 7.2, rows 8 and 11 to 15).

mod before;
mod chain;
mod during;
mod words;

use crate::support::pair::{A, B, GUID, Pair, Setup, volume};
