//! The servers that were started, and devices on them without the agent in between.

use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use twinset::device::{Handle, LoadPolicy, Mount, PluginFile, SectionMode, SectionRequest};

pub(crate) use twinset::device::Access;

use crate::support::built;

/// A server that runs.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) name: String,
    /// Options of a device in its bucket; `path` names the bucket alone.
    pub(crate) options: Value,
    /// Everything that is told of it: `locked` and `eaten` are options of other buckets.
    told: Value,
}

impl Server {
    /// Options of a device with a prefix of its own.
    pub(crate) fn place(&self) -> Value {
        below(self.options.clone())
    }

    /// The same in a bucket whose objects can be locked; not every server has one.
    pub(crate) fn locked(&self) -> Option<Value> {
        self.told.get("locked").cloned().map(below)
    }

    /// What else is told of it.
    pub(crate) fn told(&self, key: &str) -> Option<&Value> {
        self.told.get(key)
    }

    /// Host and port of its endpoint.
    pub(crate) fn address(&self) -> &str {
        let endpoint = self.options["endpoint"].as_str().unwrap();
        let (_, rest) = endpoint.split_once("://").unwrap();
        rest.split('/').next().unwrap()
    }

    pub(crate) fn is_s3(&self) -> bool {
        self.options["path"].as_str().unwrap().starts_with("s3://")
    }
}

/// A prefix of its own in a bucket.
pub(crate) fn below(mut options: Value) -> Value {
    let bucket = options["path"].as_str().unwrap();
    options["path"] = json!(format!("{bucket}/{}", uuid::Uuid::new_v4().simple()));
    options
}

/// All servers that were started; none is a failure.
pub(crate) fn servers() -> Vec<Server> {
    let text = std::env::var("TWINSET_STORES").expect("run these specs by `make test-stores`");
    let list: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(!list.is_empty(), "no server was started");
    list.into_iter()
        .map(|value| Server {
            name: value["name"].as_str().unwrap().to_owned(),
            options: value["options"].clone(),
            told: value,
        })
        .collect()
}

fn plugin() -> Arc<PluginFile> {
    static PLUGIN: OnceLock<Arc<PluginFile>> = OnceLock::new();
    let load = || {
        // The store's clock is this machine's.
        let now = || {
            let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
            i64::try_from(since.as_millis()).unwrap()
        };
        let policy = LoadPolicy::new(now);
        PluginFile::load(&built("libtwinset_object_store.so"), &policy)
            .unwrap_or_else(|fault| panic!("{fault}"))
    };
    Arc::clone(PLUGIN.get_or_init(load))
}

/// Opens a device.
pub(crate) fn open(options: &Value, agent: &str, access: Access) -> Handle {
    let opened = plugin().open("store", &options.to_string(), agent, access);
    opened.unwrap_or_else(|fault| panic!("{fault}"))
}

/// The only volume of a device, mounted.
pub(crate) fn mounted(options: &Value, access: Access) -> Handle {
    let mut device = open(options, "an-agent", access);
    let volumes = device.volumes().unwrap();
    assert_eq!(volumes.len(), 1, "{volumes:?}");
    device.mount(Mount::Existing(&volumes[0].key)).unwrap();
    device
}

/// Reads a whole section.
pub(crate) fn get(device: &mut Handle, index: u64) -> Vec<u8> {
    let length = usize::try_from(device.open_section(index).unwrap()).unwrap();
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match device.read(&mut bytes[filled..]).unwrap() {
            0 => break,
            got => filled += got,
        }
    }
    assert_eq!(filled, length);
    assert_eq!(device.read(&mut [0; 8]).unwrap(), 0);
    bytes
}

/// An order for a section.
pub(crate) fn section(index: u64, name: &str, mode: SectionMode) -> SectionRequest<'_> {
    SectionRequest {
        index,
        name,
        run_id: [0x5a; 16],
        expected_length: None,
        mode,
    }
}

/// Writes a whole section in pieces, as an agent does.
pub(crate) fn put(device: &mut Handle, index: u64, name: &str, mode: SectionMode, bytes: &[u8]) {
    device.begin_section(&section(index, name, mode)).unwrap();
    for piece in bytes.chunks(1 << 20) {
        device.write(piece).unwrap();
    }
    device.end_section().unwrap();
}

/// Flips one bit of a section that lies in the store.
pub(crate) fn damage(options: &Value, index: u64, bit: u64) {
    let mut device = mounted(options, Access::TakeOver);
    let mut bytes = get(&mut device, index);
    bytes[usize::try_from(bit / 8).unwrap()] ^= 1 << (bit % 8);
    let sections = device.sections().unwrap();
    let name = &sections.iter().find(|s| s.index == index).unwrap().name;
    put(&mut device, index, name, SectionMode::Repair, &bytes);
}

/// Bytes that are unlike in every piece.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
