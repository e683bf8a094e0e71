//! A small device, called as a host calls it.

use std::ptr;
use std::sync::Mutex;

use crate::v1::{
    self, DescriptionV1, DeviceHandleV1, DeviceTableV1, ErrorV1, HostServicesV1, OpenRequestV1,
    SpanRequestV1, TextV1,
};
use crate::{
    Checked, Description, Device, DeviceClass, DeviceError, DeviceStatus, Disposition, Host,
    Inspection, Leftover, Mount, Observation, Observed, OpenRequest, Outcome, Plugin, RecordEntry,
    SectionEntry, SectionRequest, VolumeEntry,
};

struct Odd;

impl Plugin for Odd {
    fn describe() -> Description {
        Description {
            vendor: "v".into(),
            product: "p".into(),
            version: "1".into(),
            class: DeviceClass::DISK,
            capabilities: 0,
            block_sizes: (512, 512),
            alignment: 1,
            transfer_sizes: (1, 4096),
            bytes_held: 0,
        }
    }

    fn open(request: &OpenRequest<'_>, _: Host) -> Result<Box<dyn Device>, DeviceError> {
        match request.options {
            "panic" => panic!("open fell over"),
            "ok" => Ok(Box::new(Self)),
            _ => Err(DeviceError::new(Outcome::OK, "says ok and fails")),
        }
    }
}

fn no<T>() -> Result<T, DeviceError> {
    Err(DeviceError::not_supported("this"))
}

impl Device for Odd {
    fn mount(&mut self, wanted: Mount<'_>) -> Result<(), DeviceError> {
        match wanted {
            Mount::Existing("panic") => panic!("mount fell over"),
            _ => Ok(()),
        }
    }
    fn unmount(&mut self, _: Disposition) -> Result<(), DeviceError> {
        Ok(())
    }
    fn volumes(&mut self, _: &str, max: usize) -> Result<Vec<VolumeEntry>, DeviceError> {
        // One more than asked for.
        let entry = |n| VolumeEntry {
            key: format!("v{n:05}"),
            sections: None,
        };
        Ok((0..=max).map(entry).collect())
    }
    fn sections(&mut self, _: Option<u64>, _: usize) -> Result<Vec<SectionEntry>, DeviceError> {
        Ok(vec![SectionEntry {
            index: 1,
            length: 2,
            name: "x".repeat(300),
        }])
    }
    fn begin_section(&mut self, _: &SectionRequest<'_>) -> Result<(), DeviceError> {
        no()
    }
    fn write(&mut self, bytes: &[u8]) -> Result<(), DeviceError> {
        let mut error = DeviceError::new(Outcome::END_OF_MEDIUM, "full").with_os_code(28);
        error.accepted = bytes.len() as u64 / 2;
        Err(error)
    }
    fn sync(&mut self) -> Result<(), DeviceError> {
        no()
    }
    fn end_section(&mut self) -> Result<(), DeviceError> {
        no()
    }
    fn abort_section(&mut self) -> Result<(), DeviceError> {
        no()
    }
    fn open_section(&mut self, _: u64) -> Result<u64, DeviceError> {
        no()
    }
    fn seek(&mut self, _: u64) -> Result<(), DeviceError> {
        no()
    }
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, DeviceError> {
        Ok(buffer.len() + 1)
    }
    fn put_record(&mut self, _: &str, _: &[u8]) -> Result<(), DeviceError> {
        no()
    }
    fn get_record(&mut self, _: &str) -> Result<Vec<u8>, DeviceError> {
        Ok(vec![7; 100])
    }
    fn list_records(&mut self, _: &str, _: usize) -> Result<Vec<RecordEntry>, DeviceError> {
        no()
    }
    fn remove_record(&mut self, _: &str) -> Result<(), DeviceError> {
        no()
    }
    fn remove_section(&mut self, _: u64) -> Result<(), DeviceError> {
        no()
    }
    fn truncate(&mut self, _: u64) -> Result<(), DeviceError> {
        no()
    }
    fn leftovers(&mut self, _: &str, _: usize) -> Result<Vec<Leftover>, DeviceError> {
        no()
    }
    fn remove_leftover(&mut self, _: &str) -> Result<(), DeviceError> {
        no()
    }
    fn status(&mut self) -> Result<DeviceStatus, DeviceError> {
        Ok(DeviceStatus {
            free: Some(1),
            capacity: None,
            alerts: "warm".into(),
        })
    }
    fn inspect_section(&mut self, index: u64) -> Result<Inspection, DeviceError> {
        let checked = match index {
            1 => Checked::Sound,
            2 => Checked::Differs("too short".into()),
            _ => return Err(DeviceError::not_supported("looking")),
        };
        let locked_until = (index == 2).then_some(77);
        Ok(Inspection {
            checked,
            locked_until,
        })
    }
    fn probe(&mut self) -> Result<Vec<Observation>, DeviceError> {
        let (level, text) = (Observed::Warning, "warm".into());
        Ok(vec![Observation { level, text }; 3])
    }
}

impl Drop for Odd {
    fn drop(&mut self) {
        DROPPED.lock().unwrap().push(());
    }
}

static DROPPED: Mutex<Vec<()>> = Mutex::new(Vec::new());
static LOGGED: Mutex<Vec<String>> = Mutex::new(Vec::new());

unsafe extern "C" fn log(_: u64, _: u32, text: TextV1) {
    // SAFETY: lent for this call.
    let bytes = unsafe { std::slice::from_raw_parts(text.bytes, text.len) };
    LOGGED
        .lock()
        .unwrap()
        .push(String::from_utf8_lossy(bytes).into_owned());
}

unsafe extern "C" fn now(_: u64) -> i64 {
    1
}

unsafe extern "C" fn should_stop(_: u64) -> u32 {
    0
}

fn table() -> &'static DeviceTableV1 {
    // SAFETY: static memory.
    unsafe { &*crate::door::table_v1::<Odd>() }
}

fn open(options: &str, revision: u32) -> Result<*mut DeviceHandleV1, DeviceError> {
    let host = HostServicesV1 {
        size: size_of::<HostServicesV1>() as u32,
        revision,
        key: 0,
        log,
        now,
        should_stop,
    };
    let request = OpenRequestV1 {
        options: TextV1::lend(options),
        agent_id: TextV1::lend("a"),
        access: v1::ACCESS_WRITE,
        reserved: 0,
    };
    let (mut handle, mut error) = (ptr::null_mut(), ErrorV1::default());
    // SAFETY: all places live for the call.
    let outcome = unsafe { (table().open)(&request, &host, &mut handle, &mut error) };
    if outcome == Outcome::OK.0 {
        Ok(handle)
    } else {
        Err(DeviceError::from(&error))
    }
}

fn last(handle: *mut DeviceHandleV1) -> DeviceError {
    let mut error = ErrorV1::default();
    // SAFETY: an open handle.
    unsafe { (table().last_error)(handle, &mut error) };
    DeviceError::from(&error)
}

#[test]
fn describe_fills_the_hosts_place() {
    let (mut out, mut error) = (DescriptionV1::default(), ErrorV1::default());
    // SAFETY: both places live for the call.
    let outcome = unsafe { (table().describe)(&mut out, &mut error) };
    assert_eq!(
        (outcome, out.read().unwrap()),
        (Outcome::OK.0, Odd::describe())
    );
    // SAFETY: a missing place is refused, not written to.
    let outcome = unsafe { (table().describe)(ptr::null_mut(), &mut error) };
    assert_eq!(outcome, Outcome::PERMANENT.0);
}

#[test]
fn a_panic_in_open_comes_back_as_text() {
    let error = open("panic", 1).unwrap_err();
    assert_eq!(error.outcome, Outcome::PANICKED);
    assert!(error.text.starts_with("open fell over ("), "{}", error.text);
}

#[test]
fn a_failure_that_calls_itself_ok_is_a_failure() {
    assert_eq!(open("no", 1).unwrap_err().outcome, Outcome::PERMANENT);
}

#[test]
fn a_host_of_another_revision_is_refused() {
    assert_eq!(open("ok", 2).unwrap_err().outcome, Outcome::NOT_SUPPORTED);
}

#[test]
fn a_panic_poisons_the_handle_and_reaches_the_hosts_log() {
    let handle = open("ok", 1).unwrap();
    let before = DROPPED.lock().unwrap().len();
    // SAFETY: an open handle, used by this thread alone, closed once.
    unsafe {
        let mount = |key| (table().mount)(handle, v1::MOUNT_EXISTING, TextV1::lend(key));
        assert_eq!(mount("fine"), Outcome::OK.0);
        assert_eq!(mount("panic"), Outcome::PANICKED.0);
        assert_eq!(mount("fine"), Outcome::PANICKED.0);
        assert!(last(handle).text.contains("mount fell over"));
        assert_eq!((table().close)(handle), Outcome::OK.0);
    }
    assert!(DROPPED.lock().unwrap().len() > before);
    assert!(
        LOGGED
            .lock()
            .unwrap()
            .iter()
            .any(|line| line.contains("panic: mount fell over"))
    );
}

#[test]
fn what_the_host_passes_is_checked() {
    let handle = open("ok", 1).unwrap();
    let table = table();
    let mut got = 0;
    let mut room = [0; 10];
    // SAFETY: an open handle; bad pointers are null, which the shim refuses.
    unsafe {
        assert_eq!(
            (table.mount)(handle, 9, TextV1::lend("x")),
            Outcome::NOT_SUPPORTED.0
        );
        assert_eq!((table.write)(handle, ptr::null(), 5), Outcome::PERMANENT.0);
        assert_eq!(
            (table.begin_section)(handle, ptr::null()),
            Outcome::PERMANENT.0
        );
        let broken = TextV1 {
            bytes: b"\xff".as_ptr(),
            len: 1,
        };
        assert_eq!((table.remove_record)(handle, broken), Outcome::PERMANENT.0);
        let long = TextV1 {
            bytes: b"x".as_ptr(),
            len: 256,
        };
        assert_eq!((table.remove_record)(handle, long), Outcome::PERMANENT.0);
        let read = (table.read)(handle, room.as_mut_ptr(), 10, &mut got);
        assert_eq!((read, got), (Outcome::PERMANENT.0, 0));
        let get = (table.get_record)(handle, TextV1::lend("r"), room.as_mut_ptr(), 10, &mut got);
        assert_eq!((get, got), (Outcome::TOO_SMALL.0, 100));
        let mut span = SpanRequestV1 {
            cut: 0,
            note: b"n".as_ptr(),
            note_len: 1,
            header: ptr::null(),
            header_len: 0,
        };
        // This device has one medium.
        assert_eq!(
            (table.span)(handle, &raw const span),
            Outcome::NOT_SUPPORTED.0
        );
        assert!(last(handle).text.contains("span is not supported"));
        span.header_len = 5;
        assert_eq!((table.span)(handle, &raw const span), Outcome::PERMANENT.0);
        span.header_len = v1::RECORD_MAX + 1;
        assert_eq!(
            (table.span)(handle, &raw const span),
            Outcome::NOT_SUPPORTED.0
        );
        assert_eq!((table.span)(handle, ptr::null()), Outcome::PERMANENT.0);
        assert_eq!((table.cancel)(ptr::null_mut()), Outcome::PERMANENT.0);
        assert_eq!((table.close)(ptr::null_mut()), Outcome::PERMANENT.0);
        (table.close)(handle);
    }
}

#[test]
fn a_list_never_fills_more_than_its_room() {
    let handle = open("ok", 1).unwrap();
    let (mut room, mut got) = ([v1::VolumeEntryV1::default(); 3], 0);
    let mut sections = [v1::SectionEntryV1::default(); 3];
    // SAFETY: an open handle and real room.
    unsafe {
        let list = (table().volumes)(handle, TextV1::lend(""), room.as_mut_ptr(), 3, &mut got);
        assert_eq!((list, got), (Outcome::OK.0, 3));
        assert_eq!(room[2].key.text(), Some("v00002"));
        let list = (table().sections)(handle, 0, 0, sections.as_mut_ptr(), 3, &mut got);
        assert_eq!((list, got), (Outcome::PERMANENT.0, 0));
        (table().close)(handle);
    }
}

#[test]
fn the_error_of_a_full_medium_says_how_much_was_taken() {
    let handle = open("ok", 1).unwrap();
    // SAFETY: an open handle and real bytes.
    unsafe {
        let written = (table().write)(handle, b"12345678".as_ptr(), 8);
        assert_eq!(written, Outcome::END_OF_MEDIUM.0);
    }
    let error = last(handle);
    assert_eq!(
        (error.accepted, error.os_code, error.text.as_str()),
        (4, 28, "full")
    );
    // SAFETY: closed once.
    unsafe { (table().close)(handle) };
}

#[test]
fn what_media_say_of_themselves_crosses_whole() {
    let handle = open("ok", 1).unwrap();
    let (mut room, mut got) = ([v1::ObservationV1::default(); 2], 0);
    let mut told = v1::InspectionV1::default();
    // SAFETY: an open handle and real room.
    unsafe {
        assert_eq!(
            (table().inspect_section)(handle, 1, &mut told),
            Outcome::OK.0
        );
        let sound = Inspection::from(&told);
        assert_eq!((sound.checked, sound.locked_until), (Checked::Sound, None));
        assert_eq!(
            (table().inspect_section)(handle, 2, &mut told),
            Outcome::OK.0
        );
        let locked = Inspection::from(&told);
        assert_eq!(locked.checked, Checked::Differs("too short".into()));
        assert_eq!(locked.locked_until, Some(77));
        let silent = (table().inspect_section)(handle, 3, &mut told);
        assert_eq!(silent, Outcome::NOT_SUPPORTED.0);
        let probed = (table().probe)(handle, room.as_mut_ptr(), 2, &mut got);
        assert_eq!((probed, got), (Outcome::OK.0, 2));
        (table().close)(handle);
    }
    use v1::Entry as _;
    let first = Observation::from_raw(&room[0]).unwrap();
    assert_eq!(
        (first.level, first.text.as_str()),
        (Observed::Warning, "warm")
    );
}
