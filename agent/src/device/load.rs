//! Loading a plugin file: path, trust, hash, door, description, one log line.

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use twinset_domain::{Fault, code};
use twinset_plugin_api::v1::{DescriptionV1, DeviceTableV1, ErrorV1};
use twinset_plugin_api::{Access, Description, DeviceError, Outcome};

use super::call::Handle;
use super::door::{self, Door};
use super::fault::DeviceFault;
use super::{elf, trust};

/// How long `describe` may take; it touches no device.
const DESCRIBE_DEADLINE: Duration = Duration::from_secs(10);
/// Largest plugin file, in bytes.
const FILE_MAX: u64 = 1 << 30;
const READ_SIZE: usize = 256 * 1024;
/// Lower and upper bound of what this agent can serve, in bytes.
const TRANSFER_BOUNDS: (u32, u32) = (512, 1 << 31);

/// What the agent asks of a plugin file before and while it loads it.
#[derive(Clone, Debug)]
pub struct LoadPolicy {
    /// Pinned SHA-256 in hexadecimal (configuration key `sha256`).
    pub sha256: Option<String>,
    /// Folder for the long report on a plugin with another layout; `None`: debug log.
    pub report_dir: Option<PathBuf>,
    /// The agent's clock for plugins: milliseconds since 1970-01-01 UTC.
    pub now: fn() -> i64,
}

impl LoadPolicy {
    /// No pin, no report folder.
    #[must_use]
    pub const fn new(now: fn() -> i64) -> Self {
        Self {
            sha256: None,
            report_dir: None,
            now,
        }
    }
}

/// A loaded plugin file. It stays loaded until the process ends.
pub struct PluginFile {
    path: PathBuf,
    table: &'static DeviceTableV1,
    door: Door,
    description: Description,
    blake3: String,
    now: fn() -> i64,
    /// Devices whose lane was abandoned in a call; not opened again before it returns.
    barred: Mutex<HashSet<String>>,
}

impl PluginFile {
    /// Loads the plugin file at `path`. Loading one file twice gives the same code twice; two files
    /// live side by side. Reads the whole file once, for its hash.
    ///
    /// # Errors
    /// `PLUGIN_LOAD`, `PLUGIN_UNSAFE`, `PLUGIN_HASH`, `PLUGIN_REVISION`, `PLUGIN_PANICKED`, each
    /// with a remedy; nothing of the file runs before path, owners and hash are checked.
    pub fn load(path: &Path, policy: &LoadPolicy) -> Result<Arc<Self>, Fault> {
        let real = trust::check(path)?;
        let blake3 = check_hash(&real, policy.sha256.as_deref())?;
        let (table, door) = door::find(&real, policy.report_dir.as_deref())?;
        let description = describe(&real, table)?;
        let Description {
            vendor,
            product,
            version,
            ..
        } = &description;
        tracing::info!(
            path = %real.display(), vendor, product, version, revision = table.revision,
            door = door.name(), blake3, "plugin loaded"
        );
        Ok(Arc::new(Self {
            path: real,
            table,
            door,
            description,
            blake3,
            now: policy.now,
            barred: Mutex::default(),
        }))
    }

    /// Opens a device. `label` names it in faults and log lines; `options_json` is the `options`
    /// table of the configuration; `agent_id` goes into the lock.
    ///
    /// # Errors
    /// As the plugin says, [`Outcome::BAD_OPTION`] first of all; [`Outcome::DEADLINE`] when a lane
    /// on this device was abandoned and has not come back.
    pub fn open(
        self: &Arc<Self>,
        label: &str,
        options_json: &str,
        agent_id: &str,
        access: Access,
    ) -> Result<Handle, DeviceFault> {
        if self.barred().contains(label) {
            let text = "an earlier call of this device still hangs in the plugin";
            return Err(DeviceFault::new(label, "open", Outcome::DEADLINE, text));
        }
        Handle::open(Arc::clone(self), label, options_json, agent_id, access)
    }

    /// As [`PluginFile::open`], on a thread of its own: a plugin that hangs there costs a thread,
    /// and the device stays barred until the call comes back.
    ///
    /// # Errors
    /// As [`PluginFile::open`], and [`Outcome::DEADLINE`].
    pub fn open_within(
        self: &Arc<Self>,
        label: &str,
        options_json: &str,
        agent_id: &str,
        access: Access,
        deadline: Duration,
    ) -> Result<Handle, DeviceFault> {
        let (tell, hear) = mpsc::sync_channel(0);
        let (plugin, device) = (Arc::clone(self), label.to_owned());
        let (options, agent) = (options_json.to_owned(), agent_id.to_owned());
        let asked = thread::Builder::new()
            .name(format!("open {label}"))
            .spawn(move || {
                let opened = plugin.open(&device, &options, &agent, access);
                // When nobody listens any more the device is closed again.
                if tell.send(opened).is_err() {
                    plugin.unbar(&device);
                }
            });
        let failed = |outcome, text: String| DeviceFault::new(label, "open", outcome, text);
        if let Err(error) = asked {
            let text = format!("no thread for the device: {error}");
            return Err(failed(Outcome::TRANSIENT, text));
        }
        match hear.recv_timeout(deadline) {
            Ok(opened) => opened,
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(failed(
                Outcome::PANICKED,
                "the call did not return".to_owned(),
            )),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                self.bar(label);
                let text = format!("the device did not answer within {deadline:?}");
                Err(failed(Outcome::DEADLINE, text))
            }
        }
    }

    /// What the plugin says it is.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The real path of the loaded file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// BLAKE3 of the file, in hexadecimal.
    #[must_use]
    pub fn blake3(&self) -> &str {
        &self.blake3
    }

    pub(super) fn table(&self) -> &'static DeviceTableV1 {
        self.table
    }

    pub(super) fn clock(&self) -> fn() -> i64 {
        self.now
    }

    /// Keeps a device closed while a call of it hangs.
    pub(super) fn bar(&self, label: &str) {
        self.barred().insert(label.to_owned());
    }

    pub(super) fn unbar(&self, label: &str) {
        self.barred().remove(label);
    }

    fn barred(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.barred.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for PluginFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Description {
            product, version, ..
        } = &self.description;
        write!(
            f,
            "PluginFile({}, {product} {version}, {:?})",
            self.path.display(),
            self.door
        )
    }
}

/// Reads the file once; gives its BLAKE3 and compares its SHA-256 with the pinned one.
fn check_hash(path: &Path, pinned: Option<&str>) -> Result<String, Fault> {
    let object = path.display().to_string();
    let unreadable = |error: std::io::Error| {
        Fault::new(
            code::PLUGIN_LOAD,
            object.clone(),
            "the plugin file cannot be read",
        )
        .remedy("give the agent's user the right to read it")
        .source(&error)
    };
    let mut file = File::open(path).map_err(unreadable)?.take(FILE_MAX + 1);
    let (mut blake3, mut sha256) = (blake3::Hasher::new(), Context::new(&SHA256));
    let (mut buffer, mut size) = (vec![0; READ_SIZE], 0);
    let mut least = None;
    loop {
        let read = file.read(&mut buffer).map_err(unreadable)?;
        if read == 0 {
            break;
        }
        if size == 0 {
            least = elf::least_length(&buffer[..read]);
        }
        size += read as u64;
        blake3.update(&buffer[..read]);
        if pinned.is_some() {
            sha256.update(&buffer[..read]);
        }
    }
    if size > FILE_MAX {
        return Err(Fault::new(
            code::PLUGIN_LOAD,
            object,
            "the plugin file is larger than 1 GiB",
        )
        .remedy("name the plugin's library file in `path` of its [plugins] table"));
    }
    if let Some(least) = least.filter(|least| *least > size) {
        let message = format!("the plugin file is cut off: {size} bytes of at least {least}");
        return Err(Fault::new(code::PLUGIN_LOAD, object, message)
            .remedy("install the plugin again, and put its file in place with one rename"));
    }
    if let Some(pinned) = pinned {
        let digest = sha256.finish();
        let found: String = digest
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        if !pinned.trim().eq_ignore_ascii_case(&found) {
            let message = format!(
                "the plugin's SHA-256 is {found}, {} is pinned",
                pinned.trim()
            );
            return Err(Fault::new(code::PLUGIN_HASH, object, message)
                .remedy("if the plugin was updated on purpose, pin the new hash in `sha256`"));
        }
    }
    Ok(blake3.finalize().to_hex().to_string())
}

/// Asks the plugin what it is, on a thread of its own: a plugin that hangs here costs a thread.
fn describe(path: &Path, table: &'static DeviceTableV1) -> Result<Description, Fault> {
    let object = path.display().to_string();
    let remedy = "install another version of the plugin, or tell its vendor";
    let (tell, hear) = mpsc::sync_channel(1);
    let asked = thread::Builder::new()
        .name("plugin-describe".into())
        .spawn(move || {
            let mut out = DescriptionV1::default();
            let mut error = ErrorV1::default();
            // SAFETY: both places live for the length of the call; any thread may call `describe`.
            let outcome = Outcome(unsafe { (table.describe)(&raw mut out, &raw mut error) });
            // Nobody listens any more after the deadline; that is fine.
            let _ = tell.send((outcome, out, DeviceError::from(&error)));
        });
    let answer = asked.map_err(|error| error.to_string()).and_then(|_| {
        let seconds = DESCRIBE_DEADLINE.as_secs();
        hear.recv_timeout(DESCRIBE_DEADLINE)
            .map_err(|_| format!("no answer within {seconds} s"))
    });
    let (outcome, out, error) = answer.map_err(|text| {
        Fault::new(
            code::PLUGIN_LOAD,
            object.clone(),
            "the plugin does not describe itself",
        )
        .remedy(remedy)
        .cause(text)
    })?;
    if !outcome.is_ok() {
        let kind = match outcome {
            Outcome::PANICKED => code::PLUGIN_PANICKED,
            _ => code::PLUGIN_LOAD,
        };
        return Err(
            Fault::new(kind, object, "the plugin cannot describe itself")
                .remedy(remedy)
                .cause(error.text),
        );
    }
    let description = out.read().ok_or("a text is malformed");
    description.and_then(sound).map_err(|text| {
        Fault::new(
            code::PLUGIN_LOAD,
            object,
            format!("the plugin's description is wrong: {text}"),
        )
        .remedy(remedy)
    })
}

fn sound(description: Description) -> Result<Description, &'static str> {
    let Description {
        block_sizes: blocks,
        transfer_sizes: transfers,
        ..
    } = &description;
    let powers = [blocks.0, blocks.1, description.alignment];
    if description.vendor.is_empty() || description.product.is_empty() {
        return Err("vendor or product is empty");
    }
    if powers.iter().any(|size| !size.is_power_of_two()) || blocks.0 > blocks.1 {
        return Err("block sizes and alignment must be powers of two in order");
    }
    if transfers.0 > transfers.1
        || transfers.1 < TRANSFER_BOUNDS.0
        || transfers.1 > TRANSFER_BOUNDS.1
    {
        return Err("transfer sizes must be in order, the largest from 512 bytes to 2 GiB");
    }
    Ok(description)
}
