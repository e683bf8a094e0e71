//! The plugin's side of the border: plain functions around safe Rust.
//!
//! Every function catches panics, checks pointers, lengths and numbers from the host, and turns
//! results into an outcome and a last error. `open.rs` makes handles, `calls.rs` uses them.

mod calls;
mod guard;
mod lists;
mod open;
mod raw;

use std::marker::PhantomData;

use crate::Plugin;
use crate::v1::{DeviceTableV1, REVISION};

struct Table<P>(PhantomData<P>);

impl<P: Plugin> Table<P> {
    const TABLE: DeviceTableV1 = DeviceTableV1 {
        size: size_of::<DeviceTableV1>() as u32,
        revision: REVISION,
        describe: open::describe::<P>,
        open: open::open::<P>,
        close: open::close,
        mount: calls::mount,
        unmount: calls::unmount,
        volumes: lists::volumes,
        sections: lists::sections,
        begin_section: calls::begin_section,
        write: calls::write,
        sync: calls::sync,
        end_section: calls::end_section,
        abort_section: calls::abort_section,
        span: calls::span,
        open_section: calls::open_section,
        seek: calls::seek,
        read: calls::read,
        put_record: calls::put_record,
        get_record: calls::get_record,
        list_records: lists::list_records,
        remove_record: calls::remove_record,
        remove_section: calls::remove_section,
        truncate: calls::truncate,
        leftovers: lists::leftovers,
        remove_leftover: calls::remove_leftover,
        status: calls::status,
        inspect_section: calls::inspect_section,
        probe: lists::probe,
        cancel: open::cancel,
        last_error: open::last_error,
    };
}

/// The table of plugin `P`, in static memory.
pub(crate) fn table<P: Plugin>() -> *const DeviceTableV1 {
    let table: &'static DeviceTableV1 = &Table::<P>::TABLE;
    table
}
