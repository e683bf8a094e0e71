//! Several drives look through one library at once: what one has in its drive, to look at it, is
//! waited for by whoever wants it.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use twinset_plugin_api::{Access, Host, Mount, OpenRequest, Outcome};

use super::super::super::device::Tape;
use super::super::super::head::Head;
use super::super::super::options;
use super::super::super::source::Source;
use super::super::{BLOCK, KEY, get, outcome};
use super::{Library, TWIN};

impl Library {
    /// What changes the cartridges of a drive.
    fn source(&self, drive: u32) -> Box<dyn Source> {
        let options = json!({
            "library": self.folder.path(), "block_size": BLOCK, "drive_element": drive,
        });
        let text = options.to_string();
        let request = OpenRequest {
            options: &text,
            agent_id: "another-agent",
            access: Access::Read,
        };
        let options = options::parse(&text).unwrap();
        Tape::new(options, &request, Host::silent()).source()
    }

    /// Looks through the library with a drive, until a cartridge is in it.
    fn looks(&self, drive: u32, at: &str) -> (Box<dyn Source>, Head) {
        let mut source = self.source(drive);
        source.look_through(true);
        let head = source.bring(Head::none(""), at).unwrap();
        source.let_go(at);
        (source, head)
    }

    fn free(&self, drive: u32) {
        std::fs::remove_file(self.folder.path().join(format!("drive-{drive}"))).unwrap();
    }
}

fn until(what: &str, is: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        thread::yield_now();
    }
}

/// Mounts the first row in drive 0, which gives the other one out before it waits, and lets it have
/// its cartridge then. What was read of it.
fn while_it_waits(library: &Library, lets: impl FnOnce()) -> Vec<u8> {
    thread::scope(|scope| {
        let mounted = scope.spawn(|| get(&mut *library.mounted(0, KEY), 1));
        until("it gives the other one out", || {
            library.inside(0).is_empty() || mounted.is_finished()
        });
        lets();
        mounted.join().unwrap()
    })
}

/// Two rows, each of one cartridge; no drive holds any.
fn two_rows() -> (Library, Vec<u8>) {
    let library = Library::new(2);
    let (device, first) = library.begun(0, KEY);
    drop(device);
    drop(library.begun(1, TWIN));
    library.free(0);
    library.free(1);
    (library, first)
}

#[test]
fn a_cartridge_that_another_drive_looks_at_is_waited_for() {
    let (library, first) = two_rows();
    let (mut source, head) = library.looks(1, "V00001");
    drop(library.looks(0, "V00002"));
    let read = while_it_waits(&library, || source.put_back(head).unwrap());
    assert!(read == first);
    assert_eq!(library.inside(0), "V00001");
}

#[test]
fn two_drives_that_want_each_others_cartridge_both_get_it() {
    let (library, first) = two_rows();
    // Each drive is left with the other one's.
    let (mut source, head) = library.looks(1, "V00001");
    drop(library.looks(0, "V00002"));
    let read = while_it_waits(&library, || {
        let other = source.bring(head, "V00002").unwrap();
        assert_eq!(other.cartridge, "V00002");
    });
    assert!(read == first);
    assert_eq!(library.inside(1), "V00002");
}

/// What a run has in its drive for good is not waited for.
#[test]
fn a_cartridge_in_the_drive_of_a_row_is_left_there() {
    let (library, _) = two_rows();
    let there = library.mounted(1, KEY);
    let mut device = library.device(Access::Read, 0, &json!({}));
    assert_eq!(
        outcome(device.mount(Mount::Existing(KEY))),
        Outcome::NO_MEDIUM
    );
    assert_eq!(library.inside(1), "V00001");
    drop(there);
}

/// A search in vain leaves nothing in its drive that another drive may look for.
#[test]
fn who_finds_nothing_puts_the_last_one_back() {
    let (library, first) = two_rows();
    std::fs::rename(library.image("V00002"), library.folder.path().join("away")).unwrap();
    let mut device = library.device(Access::Read, 1, &json!({}));
    let nothing = device.mount(Mount::Existing(TWIN));
    assert_eq!(outcome(nothing), Outcome::NO_MEDIUM);
    assert_eq!(library.inside(1), "");
    assert!(get(&mut *library.mounted(0, KEY), 1) == first);
}
