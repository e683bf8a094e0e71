//! Something goes wrong while the page is turned, at every step of it.

use std::fs;
use std::path::Path;

use serde_json::json;
use twinset_plugin_api::{Access, Device, DeviceError, Host, Mount, OpenRequest, Plugin};

use super::super::TapePlugin;
use super::rows::{Cabinet, put_row, span};
use super::{BLOCK, KEY, NEW, bytes, get, left, listed, put, records, section};

/// A run that goes over two cartridges.
fn run(device: &mut dyn Device, data: &[u8]) -> Result<(), DeviceError> {
    let cut = 2 * BLOCK + 100;
    device.begin_section(&section(3, "x", NEW))?;
    device.write(&data[..3 * BLOCK])?;
    span(device, cut as u64)?;
    device.write(&data[cut..])?;
    device.end_section()?;
    device.put_record("verdict.2", b"{two}")
}

/// Whatever is left: what was ended is there, the rest is told and can be given up, and the row goes
/// on.
#[track_caller]
fn is_right(cabinet: &Cabinet, mut device: Box<dyn Device>, first: &[u8], whole: &[u8], at: &str) {
    let ended = listed(&mut *device).iter().any(|s| s.0 == 3);
    if ended {
        assert!(get(&mut *device, 3) == whole, "{at}");
    }
    assert!(get(&mut *device, 1) == first, "{at}");
    assert_eq!(device.get_record("verdict.1").unwrap(), b"{verdict}");
    for name in left(&mut *device) {
        device.remove_leftover(&name).unwrap();
    }
    assert_eq!(left(&mut *device), [""; 0], "{at}");
    let next = if ended { 5 } else { 3 };
    let more = bytes(6 * BLOCK + 3);
    device.begin_section(&section(next, "y", NEW)).unwrap();
    device.write(&more[..2 * BLOCK]).unwrap();
    span(&mut *device, 2 * BLOCK as u64).unwrap();
    device.write(&more[2 * BLOCK..]).unwrap();
    device.end_section().unwrap();
    drop(device);
    let mut device = cabinet.reader();
    assert_eq!(left(&mut *device), [""; 0], "{at}");
    assert!(get(&mut *device, next) == more, "{at}");
    assert!(get(&mut *device, 1) == first, "{at}");
    assert!(records(&mut *device).contains(&"verdict.1".to_owned()));
}

#[test]
fn a_fault_at_any_operation_loses_nothing_that_was_ended() {
    let data = bytes(7 * BLOCK + 11);
    let (mut failed, mut went) = (0, 0);
    for image in ["0001.tap", "0002.tap"] {
        for on in ["write", "mark", "space", "tell", "locate", "rewind", "read"] {
            for after in 0..40 {
                let cabinet = Cabinet::new();
                let first = cabinet.with_set();
                let meta = cabinet.path(&format!("{image}.meta"));
                let fault = json!({ "on": on, "after": after });
                if image == "0002.tap" {
                    fs::write(cabinet.path(image), "").unwrap();
                }
                fs::write(&meta, json!({ "faults": [fault] }).to_string()).unwrap();
                let mut device = cabinet.device(Access::Write, &json!({}));
                let ran = device
                    .mount(Mount::Existing(KEY))
                    .and_then(|()| run(&mut *device, &data));
                if ran.is_err() && after % 2 == 0 {
                    // Here the run is given up in order, there its process just dies.
                    let _ = device.abort_section();
                }
                drop(device);
                fs::write(&meta, "{}").unwrap();
                let at = format!("{image} {on} {after}: {ran:?}");
                let mut device = cabinet.device(Access::Write, &json!({}));
                device
                    .mount(Mount::Existing(KEY))
                    .unwrap_or_else(|error| panic!("{at}: {error:?}"));
                is_right(&cabinet, device, &first, &data, &at);
                if ran.is_ok() {
                    went += 1;
                    break;
                }
                failed += 1;
            }
        }
    }
    assert!(failed > 20 && went == 14, "{failed} {went}");
}

fn cut(path: &Path, whole: &[u8], at: usize, mark: bool) {
    let mut left = whole[..at].to_vec();
    if mark {
        // The driver's closing filemark, as after a kill.
        left.extend([0; 4]);
    }
    fs::write(path, left).unwrap();
}

/// The first cartridge is closed before the next one is touched.
#[test]
fn a_run_cut_off_anywhere_is_set_right() {
    let data = bytes(7 * BLOCK + 11);
    let base = Cabinet::new();
    let first = base.with_set();
    let (one, two) = (base.path("0001.tap"), base.path("0002.tap"));
    let begin = fs::metadata(&one).unwrap().len() as usize;
    let mut device = base.mounted();
    run(&mut *device, &data).unwrap();
    drop(device);
    let (whole_one, whole_two) = (fs::read(&one).unwrap(), fs::read(&two).unwrap());
    let mut places: Vec<(usize, usize)> = Vec::new();
    places.extend((begin..whole_one.len()).step_by(1021).map(|at| (at, 0)));
    places.push((whole_one.len(), 0));
    places.extend(
        (0..=whole_two.len())
            .step_by(1021)
            .map(|at| (whole_one.len(), at)),
    );
    let mut mounted = 0;
    for (number, (at_one, at_two)) in places.into_iter().enumerate() {
        let cabinet = Cabinet::new();
        let mark = number % 2 == 0;
        cut(
            &cabinet.path("0001.tap"),
            &whole_one,
            at_one,
            mark && at_two == 0,
        );
        cut(
            &cabinet.path("0002.tap"),
            &whole_two,
            at_two,
            mark && at_two > 0,
        );
        let at = format!("{at_one} {at_two} {mark}");
        let mut device = cabinet.device(Access::Write, &json!({}));
        device
            .mount(Mount::Existing(KEY))
            .unwrap_or_else(|error| panic!("{at}: {error:?}"));
        is_right(&cabinet, device, &first, &data, &at);
        mounted += 1;
    }
    assert!(mounted > 30, "{mounted}");
}

/// Where hands choose, the way out of a run that died while it waited is an option.
#[test]
fn a_row_may_be_said_to_end() {
    let shelf = super::Shelf::new();
    shelf.with_set(BLOCK);
    let mut device = shelf.mounted();
    device.begin_section(&section(3, "x", NEW)).unwrap();
    device.write(&bytes(3 * BLOCK)).unwrap();
    span(&mut *device, 3 * BLOCK as u64).unwrap_err();
    drop(device);
    let mut device = shelf.open(Access::Write);
    let error = device.mount(Mount::Existing(KEY)).unwrap_err();
    assert!(error.text.contains("`last = 1`"), "{error:?}");
    let options = json!({ "image": shelf.image(), "block_size": BLOCK, "last": 1 });
    let request = OpenRequest {
        options: &options.to_string(),
        agent_id: "an-agent",
        access: Access::Write,
    };
    let mut device = TapePlugin::open(&request, Host::silent()).unwrap();
    device.mount(Mount::Existing(KEY)).unwrap();
    for name in left(&mut *device) {
        device.remove_leftover(&name).unwrap();
    }
    drop(device);
    let mut device = shelf.mounted();
    assert_eq!(left(&mut *device), [""; 0]);
    put(&mut *device, 3, "y", NEW, b"again");
}

/// What the labels do not say is not believed: the next cartridge was labelled and is empty.
#[test]
fn a_cartridge_that_was_labelled_and_is_empty_is_the_last_one() {
    let cabinet = Cabinet::new();
    cabinet.with_set();
    let mut device = cabinet.mounted();
    device.begin_section(&section(3, "x", NEW)).unwrap();
    device.write(&bytes(3 * BLOCK)).unwrap();
    span(&mut *device, 3 * BLOCK as u64).unwrap();
    drop(device);
    let mut device = cabinet.mounted();
    let found = device.leftovers("", 9).unwrap();
    let told: Vec<_> = found
        .iter()
        .map(|l| (l.name.as_str(), l.run_id, l.index))
        .collect();
    assert_eq!(told, [("begun-3", Some([0x5a; 16]), Some(3))]);
    device.remove_leftover("begun-3").unwrap();
    drop(device);
    let mut device = cabinet.mounted();
    assert_eq!(left(&mut *device), [""; 0]);
    put_row(&mut *device, 3, b"short").unwrap();
    put(&mut *device, 4, "manifest.json", NEW, b"{m}");
    assert_eq!(get(&mut *device, 0), b"TAPE header of the next");
    assert_eq!(cabinet.images().len(), 2);
}
