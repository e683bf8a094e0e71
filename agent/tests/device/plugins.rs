//! Plugin files beside our own target folder, and opened devices of them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use serde_json::json;
use tempfile::TempDir;
use twinset::device::{Access, Handle, LoadPolicy, Mount, PluginFile, SectionMode, SectionRequest};

pub(crate) const KEY: &str = "6a1f7c1e-0000-4000-8000-000000000001";
pub(crate) const RUN: [u8; 16] = [0x5a; 16];

fn now() -> i64 {
    1_795_222_800_000
}

pub(crate) fn policy() -> LoadPolicy {
    LoadPolicy::new(now)
}

/// `<target>/<profile>`. Builds the plugins there, unless whoever started us has done it.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let exe = std::env::current_exe().unwrap();
        let folder = exe.parent().and_then(Path::parent).unwrap().to_path_buf();
        if std::env::var_os("TWINSET_PLUGINS_BUILT").is_none() {
            build(&folder);
        }
        folder
    })
}

fn build(folder: &Path) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--quiet", "--offline"]);
    command.arg("--target-dir").arg(folder.parent().unwrap());
    if folder.ends_with("release") {
        command.arg("--release");
    }
    for package in [
        "twinset-disk",
        "twinset-fault-device",
        "twinset-alien-device",
    ] {
        command.args(["--package", package]);
    }
    let built = command.args(["--lib", "--examples"]).status().unwrap();
    assert!(built.success(), "the plugins do not build");
}

fn file(name: &str) -> PathBuf {
    folder().join(format!(
        "{}{name}{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    ))
}

pub(crate) fn disk_file() -> PathBuf {
    file("twinset_disk")
}

pub(crate) fn fault_file() -> PathBuf {
    file("twinset_fault_device")
}

pub(crate) fn alien_file() -> PathBuf {
    file("twinset_alien_device")
}

pub(crate) fn example_file(name: &str) -> PathBuf {
    let file = file(name);
    file.parent()
        .unwrap()
        .join("examples")
        .join(file.file_name().unwrap())
}

fn load(path: &Path) -> Arc<PluginFile> {
    PluginFile::load(path, &policy()).unwrap_or_else(|fault| panic!("{fault}"))
}

pub(crate) fn disk() -> &'static Arc<PluginFile> {
    static DISK: OnceLock<Arc<PluginFile>> = OnceLock::new();
    DISK.get_or_init(|| load(&disk_file()))
}

pub(crate) fn faulty() -> &'static Arc<PluginFile> {
    static FAULTY: OnceLock<Arc<PluginFile>> = OnceLock::new();
    FAULTY.get_or_init(|| load(&fault_file()))
}

/// A folder for volumes.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where the volume of [`KEY`] lies.
    pub(crate) fn volume(&self) -> PathBuf {
        self.path().join(KEY)
    }

    pub(crate) fn open(&self, access: Access) -> Handle {
        open_disk(self.path(), access)
    }

    /// A device with a new volume.
    pub(crate) fn blank(&self) -> Handle {
        let mut handle = self.open(Access::Write);
        handle.mount(Mount::Blank(KEY)).unwrap();
        handle
    }

    /// A volume with a header that nobody has open: one that holds nothing goes with its device.
    pub(crate) fn labelled(&self) {
        put(&mut self.blank(), 0, "header.mtf", b"h");
    }

    /// A device with the volume that is there.
    pub(crate) fn existing(&self, access: Access) -> Handle {
        let mut handle = self.open(access);
        handle.mount(Mount::Existing(KEY)).unwrap();
        handle
    }

    /// A fault device with a new volume; `faults` as JSON without `path`.
    pub(crate) fn faulty(&self, label: &str, mut faults: serde_json::Value) -> Handle {
        faults["path"] = json!(self.path());
        let options = faults.to_string();
        let mut handle = faulty()
            .open(label, &options, "agent-1", Access::Write)
            .unwrap();
        handle.mount(Mount::Blank(KEY)).unwrap();
        handle
    }

    /// Names in the volume's folder, in order, without the lock; none where the volume is gone.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.volume()).into_iter().flatten();
        let name = |entry: std::fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<String> = entries.map(|entry| name(entry.unwrap())).collect();
        names.retain(|name| name != ".lock");
        names.sort();
        names
    }
}

pub(crate) fn open_disk(path: &Path, access: Access) -> Handle {
    let options = json!({ "path": path }).to_string();
    disk().open("disk", &options, "agent-1", access).unwrap()
}

pub(crate) fn section(index: u64, name: &str) -> SectionRequest<'_> {
    SectionRequest {
        index,
        name,
        run_id: RUN,
        expected_length: None,
        mode: SectionMode::New,
    }
}

/// Writes a whole section.
pub(crate) fn put(handle: &mut Handle, index: u64, name: &str, bytes: &[u8]) {
    handle.begin_section(&section(index, name)).unwrap();
    handle.write(bytes).unwrap();
    handle.end_section().unwrap();
}

/// Reads a whole section.
pub(crate) fn get(handle: &mut Handle, index: u64) -> Vec<u8> {
    let length = handle.open_section(index).unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let read = handle.read(&mut buffer).unwrap();
        if read == 0 {
            assert_eq!(bytes.len() as u64, length);
            return bytes;
        }
        bytes.extend_from_slice(&buffer[..read]);
    }
}
