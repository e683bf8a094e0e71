//! What must hold, one file per question.

#![allow(clippy::unwrap_used, clippy::panic)]

mod bad_input;
mod catalog;
mod chains;
mod damage;
mod degraded;
mod doctor;
mod double;
mod encodings;
mod fixtures;
mod front;
mod grants;
mod keeps;
mod media_format;
mod media_import;
mod messages;
mod one_writer;
mod recover;
mod repair;
mod retention;
mod signing;
mod sqlserver;
mod support;
mod tidy;
mod unlike;
