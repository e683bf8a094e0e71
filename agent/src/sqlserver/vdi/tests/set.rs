use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use sqlvdi::server::{Knobs, ServerError, ServerSet};
use twinset_domain::code;

use super::super::{NotConfigured, RestoreSource, SinkFault, VdiSet, drive_restore, feature};
use super::{LIMIT, go_on, library, session, unique_name, until, wanted};

struct Empty;

impl RestoreSource for Empty {
    fn read(&mut self, _: &mut [u8]) -> Result<usize, SinkFault> {
        Ok(0)
    }
}

#[test]
fn a_name_in_use_is_refused_until_it_is_closed() {
    let library = library();
    let name = unique_name();
    let first = VdiSet::create(&library, None, &name, 1, feature::LIKE_PIPE).unwrap();
    let fault = VdiSet::create(&library, None, &name, 1, feature::LIKE_PIPE).unwrap_err();
    assert_eq!(fault.code, code::VDI_SESSION);
    assert!(fault.causes[0].contains("VD_E_PROTOCOL"), "{fault}");
    first.close(LIMIT).unwrap();
    VdiSet::create(&library, None, &name, 1, feature::LIKE_PIPE).unwrap();
}

#[test]
fn impossible_names_and_counts_never_reach_the_library() {
    let library = library();
    for name in ["", "a/b", "a b", "ünder", "a\0b", &"x".repeat(61)] {
        let fault = VdiSet::create(&library, None, name, 1, feature::LIKE_PIPE).unwrap_err();
        assert_eq!(fault.code, code::VDI_CONFIG, "{name}");
    }
    for devices in [0, 65] {
        VdiSet::create(&library, None, &unique_name(), devices, feature::LIKE_PIPE).unwrap_err();
    }
}

#[test]
fn waiting_ends_when_the_statement_has_ended() {
    let set = VdiSet::create(&library(), None, &unique_name(), 1, feature::LIKE_PIPE).unwrap();
    let mut slices = 0;
    let end = set.configure(LIMIT, &mut || {
        slices += 1;
        if slices < 4 {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    assert!(matches!(end, Err(NotConfigured::NotWanted)));
    set.close(LIMIT).unwrap();
}

#[test]
fn a_server_that_never_comes_is_named_after_the_deadline() {
    let set = VdiSet::create(&library(), None, &unique_name(), 1, feature::LIKE_PIPE).unwrap();
    let begun = Instant::now();
    let end = set.configure(Duration::from_millis(300), &mut go_on);
    let Err(NotConfigured::Fault(fault)) = end else {
        panic!("{end:?}")
    };
    assert_eq!(fault.code, code::VDI_NOT_OPENED);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_library_that_counts_in_seconds_is_waited_for_just_so() {
    let knobs = Knobs {
        timeout_in_seconds: true,
        ..Knobs::default()
    };
    let (set, device, server) = session(false, knobs, |_, mut device| {
        // Two slices pass while nothing comes.
        std::thread::sleep(Duration::from_millis(1500));
        let ticket = device.read(4096).unwrap();
        let done = device.wait(ticket).unwrap();
        device.close();
        done.code
    });
    let end = drive_restore(device, &mut Empty, &AtomicBool::new(false));
    assert_eq!(server.join().unwrap(), 38);
    assert_eq!(end.commands, 1);
    set.close(LIMIT).unwrap();
}

#[test]
fn an_unknown_failure_of_configuration_is_shown_with_its_number() {
    let set = VdiSet::create(&library(), None, &unique_name(), 1, feature::LIKE_PIPE).unwrap();
    let knobs = Knobs {
        configure_code: -12345,
        ..Knobs::default()
    };
    let name = set.name().to_owned();
    let server = ServerSet::open_with(&name, knobs).unwrap();
    let end = set.configure(LIMIT, &mut go_on);
    let Err(NotConfigured::Fault(fault)) = end else {
        panic!("{end:?}")
    };
    assert!(fault.causes[0].contains("0xFFFFCFC7"), "{fault}");
    drop(server);
}

#[test]
fn what_was_negotiated_is_told() {
    let (set, device, server) = session(true, Knobs::default(), |_, device| device.close());
    let agreed = device.negotiated();
    assert_eq!((agreed.block_size, agreed.max_transfer_size), (4096, 65536));
    assert!(agreed.writes() && agreed.complete_enabled());
    server.join().unwrap();
    drop(device);
    drop(set);
}

#[test]
fn devices_open_by_their_names_only_and_once() {
    let set = VdiSet::create(&library(), None, &unique_name(), 2, feature::LIKE_PIPE).unwrap();
    let names = set.device_names();
    assert!(set.open_device(&names[0]).unwrap_err().causes[0].contains("VD_E_PROTOCOL"));
    let mut server = ServerSet::open_with(&names[0], Knobs::default()).unwrap();
    server.configure(wanted(names.clone(), false)).unwrap();
    set.configure(LIMIT, &mut go_on).unwrap();
    assert!(set.open_device("other").unwrap_err().causes[0].contains("VD_E_INVALID"));
    let first = set.open_device(&names[0]).unwrap();
    let second = set.open_device(&names[1]).unwrap();
    assert!(set.open_device(&names[0]).is_err());
    drop((first, second));
    assert!(set.close(LIMIT).is_ok());
}

#[test]
fn abort_wakes_a_waiting_device_at_once() {
    let (set, device, server) = session(false, Knobs::default(), |server, device| {
        until("the abort", || server.aborted_by_client());
        drop(device);
    });
    let aborter = set.aborter();
    let stop = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        aborter.abort("a test");
        aborter.abort("again, harmlessly");
    });
    let begun = Instant::now();
    let end = drive_restore(device, &mut Empty, &AtomicBool::new(false));
    assert_eq!(end.end, super::super::End::Aborted);
    assert!(begun.elapsed() < Duration::from_secs(2));
    stop.join().unwrap();
    server.join().unwrap();
    set.close(LIMIT).unwrap();
}

#[test]
fn closing_waits_for_devices_and_says_so_when_they_stay_out() {
    let (set, device, server) = session(false, Knobs::default(), |server, device| {
        until("the abort", || server.aborted_by_client());
        drop(device);
    });
    let fault = set.close(Duration::from_millis(50)).unwrap_err();
    assert!(fault.message.contains("1 devices or buffers"), "{fault}");
    server.join().unwrap();
    // The device is still safe to use: its set is alive as long as it is.
    let end = drive_restore(device, &mut Empty, &AtomicBool::new(false));
    assert_eq!(end.end, super::super::End::Aborted);
}

#[test]
fn dropping_a_set_lets_the_server_go() {
    let set = VdiSet::create(&library(), None, &unique_name(), 1, feature::LIKE_PIPE).unwrap();
    let server = std::thread::spawn({
        let names = set.device_names();
        move || {
            let mut server = ServerSet::open_with(&names[0], Knobs::default()).unwrap();
            server.configure(wanted(names, false)).unwrap();
            server.device(0).err()
        }
    });
    set.configure(LIMIT, &mut go_on).unwrap();
    drop(set);
    assert_eq!(server.join().unwrap(), Some(ServerError::Aborted));
}

#[test]
fn shared_objects_may_be_opened_by_the_servers_user() {
    use std::os::unix::fs::PermissionsExt;
    let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let set = VdiSet::create(&library(), None, &unique_name(), 1, feature::LIKE_PIPE).unwrap();
    let after = rustix::process::umask(before);
    assert_eq!(
        after.as_raw_mode(),
        0o077,
        "the mask of the process was left alone"
    );
    let mut seen = 0;
    for entry in std::fs::read_dir("/dev/shm").unwrap().flatten() {
        if entry.file_name().to_string_lossy().contains(set.name()) {
            seen += 1;
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o666, 0o666, "{:?}", entry.file_name());
        }
    }
    assert!(seen > 0);
    set.close(LIMIT).unwrap();
}
