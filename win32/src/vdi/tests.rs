//! The layouts that the vendor's header gives on 64-bit Windows, compiled by mingw for
//! facts/vdi.md 1.5, and the order of its tables and its ids (facts/vdi.md 2).
#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::ffi::c_void;
use std::mem::{align_of, offset_of, size_of};

use windows_sys::core::GUID;

use super::{CLASS, Command, Config, Device, DeviceTable, Object, SET_2, Set, SetTable, Unknown};

fn shown(id: &GUID) -> String {
    let tail: String = id.data4.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{:08x}-{:04x}-{:04x}-{tail}", id.data1, id.data2, id.data3)
}

#[test]
fn ids_are_those_of_the_header() {
    assert_eq!(shown(&CLASS), "40700425-0080-11d2-851f00c04fc21759");
    assert_eq!(shown(&SET_2), "d0e6eb07-7a62-11d2-857300c04fc21759");
}

#[test]
fn structures_lie_as_in_the_header() {
    assert_eq!((size_of::<Config>(), align_of::<Config>()), (44, 4));
    assert_eq!((size_of::<Command>(), align_of::<Command>()), (24, 8));
    assert_eq!(offset_of!(Command, size), 4);
    assert_eq!(offset_of!(Command, position), 8);
    assert_eq!(offset_of!(Command, buffer), 16);
}

#[test]
fn members_stand_in_the_order_of_the_header() {
    let slot = |bytes: usize| bytes / size_of::<usize>();
    assert_eq!(slot(offset_of!(Unknown, release)), 2);
    assert_eq!(slot(offset_of!(SetTable, _create)), 3);
    assert_eq!(slot(offset_of!(SetTable, get_configuration)), 4);
    assert_eq!(slot(offset_of!(SetTable, open_device)), 5);
    assert_eq!(slot(offset_of!(SetTable, close)), 6);
    assert_eq!(slot(offset_of!(SetTable, signal_abort)), 7);
    assert_eq!(slot(offset_of!(SetTable, _open_in_secondary)), 8);
    assert_eq!(slot(offset_of!(SetTable, create_ex)), 11);
    assert_eq!(slot(size_of::<SetTable>()), 13);
    assert_eq!(slot(offset_of!(DeviceTable, get_command)), 3);
    assert_eq!(slot(offset_of!(DeviceTable, complete_command)), 4);
    assert_eq!(slot(size_of::<DeviceTable>()), 5);
}

thread_local! {
    static CALLS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn noted(call: impl Into<String>) {
    CALLS.with_borrow_mut(|calls| calls.push(call.into()));
}

fn calls() -> Vec<String> {
    CALLS.take()
}

unsafe extern "system" fn release(_: *mut c_void) -> u32 {
    noted("release");
    0
}

unsafe fn read(text: *const u16) -> String {
    if text.is_null() {
        return "null".into();
    }
    // SAFETY: the texts of these tests end.
    let units = (0..).map(|at| unsafe { text.add(at).read() });
    char::decode_utf16(units.take_while(|unit| *unit != 0))
        .map(Result::unwrap)
        .collect()
}

unsafe extern "system" fn create_ex(
    _: *mut c_void,
    instance: *const u16,
    name: *const u16,
    config: *mut Config,
) -> i32 {
    // SAFETY: the caller's two texts and its configuration.
    let (instance, name, first) = unsafe { (read(instance), read(name), (*config)[0]) };
    noted(format!("create {instance} {name} {first}"));
    0
}

unsafe extern "system" fn get_configuration(_: *mut c_void, wait: u32, out: *mut Config) -> i32 {
    noted(format!("configuration {wait}"));
    // SAFETY: the caller's place.
    unsafe { (*out)[9] = 65536 };
    0
}

/// Succeeds and gives nothing.
unsafe extern "system" fn open_device(_: *mut c_void, _: *const u16, _: *mut *mut c_void) -> i32 {
    0
}

unsafe extern "system" fn refuse(_: *mut c_void) -> i32 {
    0x8077_000D_u32.cast_signed()
}

static SET_TABLE: SetTable = SetTable {
    unknown: UNKNOWN,
    _create: 0,
    get_configuration,
    open_device,
    close: refuse,
    signal_abort: refuse,
    _open_in_secondary: 0,
    _get_buffer_handle: 0,
    _map_buffer_handle: 0,
    create_ex,
    _open_in_secondary_ex: 0,
};
const UNKNOWN: Unknown = Unknown {
    _query_interface: 0,
    _add_ref: 0,
    release,
};

unsafe extern "system" fn get_command(_: *mut c_void, wait: u32, _: *mut *mut Command) -> i32 {
    noted(format!("command {wait}"));
    0x8077_0003_u32.cast_signed()
}

unsafe extern "system" fn complete_command(
    _: *mut c_void,
    command: *mut Command,
    code: u32,
    bytes: u32,
    position: u64,
) -> i32 {
    noted(format!(
        "complete {} {code} {bytes} {position}",
        command.addr()
    ));
    0
}

static DEVICE_TABLE: DeviceTable = DeviceTable {
    unknown: UNKNOWN,
    get_command,
    complete_command,
};

#[test]
fn a_set_passes_on_what_it_is_told() {
    let mut object: *const SetTable = &SET_TABLE;
    let set = Set(Object::of((&raw mut object).cast()).unwrap());
    set.create(Some("PAY"), "twinset-1", [5; 11]).unwrap();
    set.create(None, "twinset-1", [6; 11]).unwrap();
    assert_eq!(
        set.create(None, "a\0b", [0; 11]),
        Err(0x8007_0057_u32.cast_signed())
    );
    assert_eq!(set.configuration(50).unwrap()[9], 65536);
    assert!(
        set.open_device("x")
            .is_err_and(|code| code == 0x8000_4003_u32.cast_signed())
    );
    assert_eq!(set.close(), Err(0x8077_000D_u32.cast_signed()));
    assert_eq!(set.abort(), Err(0x8077_000D_u32.cast_signed()));
    drop(set);
    let expected = [
        "create PAY twinset-1 5",
        "create null twinset-1 6",
        "configuration 50",
        "release",
    ];
    assert_eq!(calls(), expected);
}

#[test]
fn a_device_passes_on_what_it_is_told() {
    let mut object: *const DeviceTable = &DEVICE_TABLE;
    let device = Device(Object::of((&raw mut object).cast()).unwrap());
    assert!(
        device
            .command(1)
            .is_err_and(|code| code == 0x8077_0003_u32.cast_signed())
    );
    let command = std::ptr::NonNull::new(std::ptr::without_provenance_mut(4096)).unwrap();
    device.complete(command, 112, 512).unwrap();
    drop(device);
    assert_eq!(calls(), ["command 1", "complete 4096 112 512 0", "release"]);
}

#[test]
fn a_class_that_is_not_registered_is_told_by_its_number() {
    super::join().unwrap();
    // Nothing of SQL Server is in the prefix when these tests run.
    let code = Set::new().err();
    assert_eq!(code, Some(0x8004_0154_u32.cast_signed()));
}
