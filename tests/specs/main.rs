//! What must hold, one file per question.

#![allow(clippy::unwrap_used, clippy::panic)]

mod adopt;
mod alerts;
mod bad_input;
mod catalog;
mod chains;
mod damage;
mod degraded;
mod doctor;
mod double;
mod drill;
mod encodings;
mod failures;
mod fixtures;
mod front;
mod grants;
mod init;
mod integrity;
mod keeps;
mod media_format;
mod media_import;
mod messages;
mod mutations;
mod one_writer;
mod plan;
mod recover;
mod repair;
mod retention;
mod service;
mod signing;
mod sqlserver;
mod stage;
mod support;
mod tidy;
mod unlike;
