//! A file system that is really full: a small tmpfs, where mounting is permitted.

use std::process::Command;

use twinset::device::Outcome;
use twinset_domain::Fault;

use crate::plugins::{Place, put, section};

/// A mount that goes with its test.
struct Small<'a>(&'a Place);

impl<'a> Small<'a> {
    fn mount(place: &'a Place) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(place.path());
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then_some(Self(place))
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_the_end_of_the_medium_and_the_folder_is_clean_after_the_abort() {
    let place = Place::new();
    let Some(small) = Small::mount(&place) else {
        eprintln!("skipped: mounting a tmpfs is not permitted here");
        return;
    };
    let mut handle = place.blank();
    put(&mut handle, 0, "header.mtf", &[1; 4096]);
    handle.begin_section(&section(1, "a.bak")).unwrap();
    let mut taken = 0;
    let fault = loop {
        match handle.write(&[2; 1 << 20]) {
            Ok(()) => taken += 1 << 20,
            Err(fault) => break fault,
        }
    };
    taken += fault.accepted;
    assert_eq!((fault.outcome, fault.os_code), (Outcome::END_OF_MEDIUM, 28));
    assert!(taken > 3 << 20 && taken < 4 << 20, "{taken}");
    assert_eq!(Fault::from(fault).code.text(), "TW2010");
    let work = std::fs::metadata(
        place
            .volume()
            .join(".work.1.5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"),
    );
    assert_eq!(work.unwrap().len(), taken);
    // Nothing more fits, not even a record; it leaves nothing either.
    assert_eq!(
        handle.put_record("r", &[3; 8192]).unwrap_err().outcome,
        Outcome::END_OF_MEDIUM
    );
    handle.abort_section().unwrap();
    assert_eq!(place.files(), ["0000.header.mtf"]);
    put(&mut handle, 1, "a.bak", &[2; 1 << 20]);
    drop(handle);
    drop(small);
}

#[test]
fn a_read_only_mount_is_write_protected() {
    let place = Place::new();
    let Some(small) = Small::mount(&place) else {
        eprintln!("skipped: mounting a tmpfs is not permitted here");
        return;
    };
    place.labelled();
    let remount = Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(place.path())
        .status();
    assert!(remount.unwrap().success());
    let mount = twinset::device::Mount::Existing(crate::plugins::KEY);
    let fault = place
        .open(twinset::device::Access::Write)
        .mount(mount)
        .unwrap_err();
    assert_eq!(
        (fault.outcome, fault.os_code),
        (Outcome::WRITE_PROTECTED, 30)
    );
    place.existing(twinset::device::Access::Read);
    drop(small);
}
