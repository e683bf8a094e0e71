//! A volume that goes on from cartridge to cartridge of a shelf.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;
use twinset_plugin_api::{
    Access, Device, DeviceError, Host, Mount, OpenRequest, Outcome, Plugin, SpanRequest,
};

use super::super::TapePlugin;
use super::super::label::{Kind, Label};
use super::{
    BLOCK, KEY, NEW, REPAIR, bytes, files, get, left, listed, outcome, put, records, section,
};

/// Bytes of a cartridge: it warns in its middle.
pub(super) const SMALL: usize = 2 << 20;

/// A shelf that makes small cartridges.
pub(super) struct Cabinet {
    pub(super) folder: TempDir,
}

impl Cabinet {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn device(&self, access: Access, more: &Value) -> Box<dyn Device> {
        let mut options = json!({
            "shelf": self.folder.path(),
            "block_size": BLOCK,
            "capacity": SMALL,
        });
        for (key, value) in more.as_object().unwrap() {
            options[key] = value.clone();
        }
        let request = OpenRequest {
            options: &options.to_string(),
            agent_id: "an-agent",
            access,
        };
        TapePlugin::open(&request, Host::silent()).unwrap()
    }

    pub(super) fn blank(&self) -> Box<dyn Device> {
        let mut device = self.device(Access::Write, &json!({}));
        device.mount(Mount::Blank(KEY)).unwrap();
        device
    }

    pub(super) fn mounted(&self) -> Box<dyn Device> {
        let mut device = self.device(Access::Write, &json!({}));
        device.mount(Mount::Existing(KEY)).unwrap();
        device
    }

    pub(super) fn reader(&self) -> Box<dyn Device> {
        let mut device = self.device(Access::Read, &json!({}));
        device.mount(Mount::Existing(KEY)).unwrap();
        device
    }

    /// A cartridge with a header, one set and its verdict.
    pub(super) fn with_set(&self) -> Vec<u8> {
        let mut device = self.blank();
        put(&mut *device, 0, "header.mtf", NEW, b"TAPE header 1");
        let data = bytes(3 * BLOCK + 5);
        put(&mut *device, 1, "p.full.bak", NEW, &data);
        put(&mut *device, 2, "manifest.json", NEW, b"{manifest}");
        device.put_record("verdict.1", b"{verdict}").unwrap();
        data
    }

    pub(super) fn images(&self) -> Vec<PathBuf> {
        let numbers = (1..).map(|number| self.path(&format!("{number:04}.tap")));
        numbers.take_while(|path| path.exists()).collect()
    }
}

pub(super) fn span(device: &mut dyn Device, cut: u64) -> Result<(), DeviceError> {
    device.span(&SpanRequest {
        cut,
        note: b"{note}",
        header: b"TAPE header of the next",
    })
}

/// Writes a section on as many cartridges as it takes; where it was cut.
pub(super) fn put_row(
    device: &mut dyn Device,
    index: u64,
    data: &[u8],
) -> Result<Vec<u64>, DeviceError> {
    device.begin_section(&section(index, "p.bak", NEW))?;
    let (mut at, mut cuts) = (0, Vec::new());
    while at < data.len() {
        let end = data.len().min(at + 10_000);
        match device.write(&data[at..end]) {
            Ok(()) => at = end,
            Err(error) if error.outcome == Outcome::END_OF_MEDIUM => {
                at += error.accepted as usize;
                span(device, at as u64)?;
                cuts.push(at as u64);
            }
            Err(error) => return Err(error),
        }
    }
    device.end_section()?;
    Ok(cuts)
}

#[test]
fn a_section_goes_over_cartridges_and_comes_back() {
    let cabinet = Cabinet::new();
    let first = cabinet.with_set();
    let mut device = cabinet.mounted();
    let long = bytes(5 * SMALL / 4);
    let cuts = put_row(&mut *device, 3, &long).unwrap();
    assert!(cuts.len() >= 2, "{cuts:?}");
    put(&mut *device, 4, "manifest.json", NEW, b"{second}");
    device.put_record("verdict.2", b"{two}").unwrap();
    let short = bytes(50_000);
    put(&mut *device, 5, "q.trn", NEW, &short);
    for life in 0..3 {
        let told: Vec<_> = listed(&mut *device).iter().map(|s| (s.0, s.1)).collect();
        let lengths = [23, first.len(), 10, long.len(), 8, short.len()];
        let expected: Vec<_> = (0..).zip(lengths.map(|length| length as u64)).collect();
        assert_eq!(told, expected, "{life}");
        assert_eq!(left(&mut *device), [""; 0], "{life}");
        assert_eq!(records(&mut *device), ["verdict.1", "verdict.2"]);
        assert_eq!(device.get_record("verdict.1").unwrap(), b"{verdict}");
        assert!(get(&mut *device, 3) == long, "{life}");
        assert!(get(&mut *device, 1) == first && get(&mut *device, 5) == short);
        assert_eq!(get(&mut *device, 2), b"{manifest}");
        for cut in &cuts {
            device.open_section(3).unwrap();
            let at = *cut as usize - 7;
            device.seek(at as u64).unwrap();
            let mut buffer = vec![0; 20];
            let mut got = device.read(&mut buffer).unwrap();
            got += device.read(&mut buffer[got..]).unwrap();
            assert!(buffer[..got] == long[at..at + got] && got > 7, "{life}");
        }
        drop(device);
        device = if life == 0 {
            cabinet.mounted()
        } else {
            cabinet.reader()
        };
    }
    // Without Twinset: on each further cartridge the first tape file goes on with the data.
    let images = cabinet.images();
    assert_eq!(images.len(), cuts.len() + 1);
    let mut joined = files(&images[0])[5].clone();
    for image in &images[1..] {
        let files = files(image);
        assert!(files[0].starts_with(b"TAPE header of the next"));
        joined.extend_from_slice(&files[1]);
    }
    assert!(joined == long);
    let closing = files(&images[0])[6].clone();
    let label = Label::parse(&closing[..1024]).unwrap();
    assert_eq!((label.kind, label.to), (Kind::Next, cuts[0]));
    assert_eq!(&closing[1024..], b"{note}");
}

/// The cut of the twins may lie in a block, and before what this tape took.
#[test]
fn what_lies_behind_a_cut_does_not_count() {
    let sizes = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 50, 3 * BLOCK];
    for cut in sizes {
        for more in [0, 1, BLOCK, BLOCK + 7] {
            let cabinet = Cabinet::new();
            cabinet.with_set();
            let mut device = cabinet.mounted();
            let data = bytes(5 * BLOCK + 9);
            device.begin_section(&section(3, "x", NEW)).unwrap();
            device.write(&data[..cut + more]).unwrap();
            let error = span(&mut *device, (cut + more + 1) as u64).unwrap_err();
            assert!(error.text.contains("does not lie"), "{error:?}");
            span(&mut *device, cut as u64).unwrap();
            device.write(&data[cut..]).unwrap();
            device.end_section().unwrap();
            assert!(get(&mut *device, 3) == data, "{cut} {more}");
            drop(device);
            assert!(get(&mut *cabinet.reader(), 3) == data, "{cut} {more}");
        }
    }
}

/// A repair reads what is left of a section while it writes it anew: other cartridges come into the
/// drive between two writes, and nothing is written on them.
#[test]
fn what_is_read_meanwhile_gets_nothing_written_over() {
    let cabinet = Cabinet::new();
    cabinet.with_set();
    let mut device = cabinet.mounted();
    let long = bytes(5 * SMALL / 4);
    let cuts = put_row(&mut *device, 3, &long).unwrap();
    assert!(cuts.len() >= 2, "{cuts:?}");
    drop(device);
    let before: Vec<Vec<u8>> = cabinet
        .images()
        .iter()
        .map(|p| fs::read(p).unwrap())
        .collect();
    let mut device = cabinet.mounted();
    device.begin_section(&section(3, "p.bak", REPAIR)).unwrap();
    let piece = 10_000;
    for from in (0..6 * BLOCK).step_by(piece) {
        // From the first cartridge, the second, the first again ...
        let at = if from % (2 * piece) == 0 {
            0
        } else {
            cuts[0] as usize
        };
        device.open_section(3).unwrap();
        device.seek(at as u64).unwrap();
        let mut buffer = vec![0; 100];
        let got = device.read(&mut buffer).unwrap();
        assert!(buffer[..got] == long[at..at + got] && got > 0);
        device.write(&long[from..from + piece]).unwrap();
    }
    device.abort_section().unwrap();
    drop(device);
    for (image, before) in cabinet.images().iter().zip(&before) {
        let kept = before.len().min(fs::read(image).unwrap().len());
        assert!(
            fs::read(image).unwrap()[..kept - 4] == before[..kept - 4],
            "{image:?}"
        );
    }
    assert!(get(&mut *cabinet.reader(), 3) == long);
}

#[test]
fn a_section_that_is_given_up_is_gone_from_all_cartridges() {
    for turned in [false, true] {
        let cabinet = Cabinet::new();
        let first = cabinet.with_set();
        let mut device = cabinet.mounted();
        device.begin_section(&section(3, "x", NEW)).unwrap();
        device.write(&bytes(4 * BLOCK)).unwrap();
        if turned {
            span(&mut *device, 3 * BLOCK as u64).unwrap();
        }
        device.abort_section().unwrap();
        for _ in 0..2 {
            assert_eq!(left(&mut *device), [""; 0], "{turned}");
            assert_eq!(listed(&mut *device).len(), 3);
            drop(device);
            device = cabinet.mounted();
        }
        put(&mut *device, 3, "y", NEW, b"again");
        drop(device);
        let mut device = cabinet.reader();
        assert_eq!(get(&mut *device, 3), b"again");
        assert!(get(&mut *device, 1) == first);
    }
}

#[test]
fn a_shelf_that_is_used_up_asks_for_a_cartridge_and_goes_on_with_it() {
    let cabinet = Cabinet::new();
    cabinet.with_set();
    let mut device = cabinet.device(Access::Write, &json!({ "cartridges": 1 }));
    device.mount(Mount::Existing(KEY)).unwrap();
    let data = bytes(6 * BLOCK);
    let cut = 4 * BLOCK as u64;
    device.begin_section(&section(3, "x", NEW)).unwrap();
    device.write(&data[..4 * BLOCK]).unwrap();
    let foreign = [&8_u32.to_le_bytes()[..], b"VOL1THEM", &8_u32.to_le_bytes()].concat();
    fs::write(cabinet.path("a.tap"), &foreign).unwrap();
    fs::write(cabinet.path("b.tap"), b"").unwrap();
    fs::write(cabinet.path("b.tap.meta"), r#"{"write_protected":true}"#).unwrap();
    for _ in 0..2 {
        let error = span(&mut *device, cut).unwrap_err();
        assert_eq!(error.outcome, Outcome::NEEDS_OPERATOR);
        assert!(
            error.text.contains("blank cartridge on the shelf"),
            "{error:?}"
        );
    }
    fs::write(cabinet.path("c.tap"), b"").unwrap();
    span(&mut *device, cut).unwrap();
    device.write(&data[4 * BLOCK..]).unwrap();
    device.end_section().unwrap();
    drop(device);
    assert!(get(&mut *cabinet.reader(), 3) == data);
    assert!(fs::read(cabinet.path("a.tap")).unwrap() == foreign);
    assert_eq!(fs::read(cabinet.path("b.tap")).unwrap(), b"");
}

#[test]
fn a_cartridge_that_is_gone_is_missed_where_it_is_needed() {
    let cabinet = Cabinet::new();
    let first = cabinet.with_set();
    let mut device = cabinet.mounted();
    let long = bytes(3 * SMALL / 2);
    put_row(&mut *device, 3, &long).unwrap();
    drop(device);
    let away = cabinet.path("away");
    let second = cabinet.images()[1].clone();
    fs::rename(&second, &away).unwrap();
    let mut device = cabinet.reader();
    assert!(get(&mut *device, 1) == first);
    device.open_section(3).unwrap();
    device.seek(SMALL as u64 * 3 / 4).unwrap();
    let error = device.read(&mut [0; 100]).unwrap_err();
    assert_eq!(error.outcome, Outcome::NO_MEDIUM);
    assert!(
        error.text.contains("put tape 2 of this row in"),
        "{error:?}"
    );
    // Under another name it is found again.
    fs::rename(&away, cabinet.path("z.tap")).unwrap();
    assert!(get(&mut *device, 3) == long);
    drop(device);
    // Without the last one nothing is mounted, and nothing written.
    let images = cabinet.images();
    let third = cabinet.path("0003.tap");
    fs::rename(&third, &away).unwrap();
    let mut device = cabinet.device(Access::Write, &json!({}));
    let error = device.mount(Mount::Existing(KEY)).unwrap_err();
    assert_eq!(error.outcome, Outcome::NO_MEDIUM, "{images:?}");
    assert!(
        error.text.contains("goes on on tape 3 (0003.tap)"),
        "{error:?}"
    );
}

#[test]
fn a_row_has_one_user_and_no_doubles() {
    let cabinet = Cabinet::new();
    cabinet.with_set();
    let device = cabinet.mounted();
    let mut other = cabinet.device(Access::Read, &json!({}));
    let error = other.mount(Mount::Existing(KEY)).unwrap_err();
    assert_eq!(error.outcome, Outcome::LOCKED);
    assert!(error.text.starts_with("an-agent\t"), "{error:?}");
    drop(device);
    fs::copy(cabinet.path("0001.tap"), cabinet.path("copy.tap")).unwrap();
    let error = other.mount(Mount::Existing(KEY)).unwrap_err();
    assert!(error.text.contains("are both tape 1"), "{error:?}");
}

#[test]
fn a_row_is_given_free_as_a_whole() {
    let cabinet = Cabinet::new();
    cabinet.with_set();
    let mut device = cabinet.mounted();
    put_row(&mut *device, 3, &bytes(3 * SMALL / 2)).unwrap();
    device.truncate(1).unwrap();
    device.truncate(0).unwrap();
    drop(device);
    let mut device = cabinet.device(Access::Write, &json!({}));
    let found = device.mount(Mount::Existing(KEY));
    assert_eq!(outcome(found), Outcome::NO_MEDIUM);
    assert_eq!(device.volumes("", 9).unwrap().len(), 0);
    let have = cabinet.images().len();
    device.mount(Mount::Blank(KEY)).unwrap();
    put(&mut *device, 0, "header.mtf", NEW, b"h");
    put_row(&mut *device, 1, &bytes(3 * SMALL / 2)).unwrap();
    assert_eq!(
        cabinet.images().len(),
        have,
        "its cartridges are used again"
    );
}
