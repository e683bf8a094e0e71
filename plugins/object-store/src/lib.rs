//! Twinset device plugin: a prefix of a bucket as a volume, sections as objects.
//!
//! The volume of a media set is the prefix `<path>/<media set id>/`; in it lie
//!
//! ```text
//! sections/00000001                     what section 1 is: its seal, put create-only
//! data/00000001.RUN.MARK/NAME.bak       its bytes; NAME.bak.0002 where it goes on
//! records/NAME                          a record, put create-only
//! work/00000001.RUN.MARK                an upload that was begun
//! lock                                  who writes
//! store.json                            what the store was found to honour at format
//! ```
//!
//! Nothing is ever overwritten: data lies under the run that wrote it and a mark of its own, and
//! becomes a section when its seal is put, which is create-only. Multipart uploads have no such
//! condition in object_store, so the condition rests on the small object alone.

#![forbid(unsafe_code)]

mod object;

twinset_plugin_api::export_device!(object::ObjectPlugin);
