#![allow(clippy::unwrap_used, clippy::panic)]

mod golden;
mod meeting;
mod pauses;
mod report;
