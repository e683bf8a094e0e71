//! Twinset device plugin: a row of tapes as a volume, a tape file as a section.
//!
//! What lies on a tape, in tape files closed by one filemark each: the media header with the tape's
//! label, then for each data section the bytes of SQL Server alone, behind it a label of 1024 bytes
//! that says what they are, and the small files: manifests, voids, records, each behind a label of
//! its own. So `mt asf 1; dd` gives the native backup, and the index of a tape is rebuilt from labels
//! by spacing over filemarks, never by reading data (docs/tape.md).
//!
//! One code path above the `Drive` trait serves the `st` driver of Linux and the virtual tape, which
//! is an image file with the manners of that driver. Linux alone as yet.

mod tape;

twinset_plugin_api::export_device!(tape::TapePlugin);
