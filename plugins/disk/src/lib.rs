//! Twinset device plugin: a folder as a volume, a file as a section.
//!
//! One option: `path`, an absolute folder. The volume of a media set is the folder
//! `<path>/<media set id>/`; in it lie sections (`0001.Payroll.full.bak`), records
//! (`NAME.record`), the lock (`.lock`) and unfinished work (`.work.1.RUN`).
//!
//! Nothing is ever overwritten: a section or record is written under a work name, made durable, put
//! in its place without replacing what is there, and then the folder is made durable.

#![forbid(unsafe_code)]

mod disk;

twinset_plugin_api::export_device!(disk::DiskPlugin);
