//! A host in a folder: configuration, state, and volumes.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::program::{Ran, Running, built};

/// Faults of the device at a mirror and family, as options of the fault plugin.
type Faults = BTreeMap<(u8, u16), Value>;

/// What stands in `agent.toml`.
#[derive(Clone)]
pub(crate) struct Media {
    pub(crate) agent: String,
    pub(crate) state_dir: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) families: u16,
    pub(crate) mirrors: u8,
    pub(crate) deadline: Option<&'static str>,
    pub(crate) faults: Faults,
    /// Folders of devices that do not stand at their usual place.
    pub(crate) elsewhere: BTreeMap<(u8, u16), PathBuf>,
    /// Another plugin file for the devices of one mirror.
    pub(crate) unlike: Option<(u8, PathBuf)>,
    /// Devices that are prefixes of buckets, with all their options.
    pub(crate) stores: Faults,
    /// Devices that go on on further media, with what a medium holds.
    pub(crate) rows: Faults,
    /// Devices that are tapes, with all their options.
    pub(crate) tapes: Faults,
    /// The disk plugin's file.
    pub(crate) disk: PathBuf,
    /// Lines for the `[agent]` table.
    pub(crate) extra: String,
    /// Tables behind all others.
    pub(crate) tables: String,
    /// Lines for the `[media_sets.payroll]` table.
    pub(crate) set: String,
    /// Its table `age`, with its head.
    pub(crate) age: String,
}

impl Media {
    fn new(families: u16, mirrors: u8) -> Self {
        Self {
            agent: "sql-a".into(),
            state_dir: "state".into(),
            name: "Payroll media".into(),
            description: "nightly fulls".into(),
            families,
            mirrors,
            deadline: None,
            faults: Faults::new(),
            elsewhere: BTreeMap::new(),
            unlike: None,
            stores: Faults::new(),
            rows: Faults::new(),
            tapes: Faults::new(),
            disk: built("libtwinset_disk.so"),
            extra: String::new(),
            tables: String::new(),
            set: String::new(),
            age: String::new(),
        }
    }

    /// The device at a place goes wrong like this.
    pub(crate) fn fault(&mut self, mirror: u8, family: u16, faults: Value) -> &mut Self {
        self.faults.insert((mirror, family), faults);
        self
    }

    fn text(&self) -> String {
        let fault = built("libtwinset_fault_device.so");
        let mut text = format!(
            "[agent]\nname = {:?}\nstate_dir = {:?}\n{}\n[plugins.disk]\npath = {:?}\n\
             [plugins.fault]\npath = {fault:?}\n{}\
             [media_sets.payroll]\nname = {:?}\ndescription = {:?}\nfamilies = {}\n{}\n",
            self.agent,
            self.state_dir,
            self.extra,
            self.disk,
            self.more_plugins(),
            self.name,
            self.description,
            self.families,
            self.set
        );
        if let Some((_, file)) = &self.unlike {
            text = text.replacen(
                "[media_sets",
                &format!("[plugins.unlike]\npath = {file:?}\n[media_sets"),
                1,
            );
        }
        if let Some(deadline) = self.deadline {
            writeln!(text, "device_deadline = {deadline:?}").unwrap();
        }
        text.push_str(&self.age);
        for mirror in 1..=self.mirrors {
            text.push_str("[[media_sets.payroll.mirrors]]\ndevices = [\n");
            for family in 1..=self.families {
                text.push_str(&self.device(mirror, family));
            }
            text.push_str("]\n");
        }
        text + &self.tables
    }

    fn more_plugins(&self) -> String {
        let kinds = [
            ("row", &self.rows, "examples/librow_of_media.so"),
            ("store", &self.stores, "libtwinset_object_store.so"),
            ("tape", &self.tapes, "libtwinset_tape.so"),
        ];
        let used = kinds.iter().filter(|(_, devices, _)| !devices.is_empty());
        used.map(|(name, _, file)| format!("[plugins.{name}]\npath = {:?}\n", built(file)))
            .collect()
    }

    fn device(&self, mirror: u8, family: u16) -> String {
        for (plugin, devices) in [("store", &self.stores), ("tape", &self.tapes)] {
            if let Some(Value::Object(options)) = devices.get(&(mirror, family)) {
                let pairs = options.iter().map(|(k, v)| format!("{k} = {v}"));
                let options = pairs.collect::<Vec<_>>().join(", ");
                return format!("  {{ plugin = {plugin:?}, options = {{ {options} }} }},\n");
            }
        }
        let usual = PathBuf::from(format!("m{mirror}/f{family}"));
        let path = self.elsewhere.get(&(mirror, family)).unwrap_or(&usual);
        let mut options = format!("path = {path:?}");
        let mut plugin = match &self.unlike {
            Some((unlike, _)) if *unlike == mirror => "unlike",
            _ => "disk",
        };
        if let Some(row) = self.rows.get(&(mirror, family)) {
            plugin = "row";
            for (key, value) in row.as_object().unwrap() {
                write!(options, ", {key} = {value}").unwrap();
            }
        }
        if let Some(faults) = self.faults.get(&(mirror, family)) {
            plugin = "fault";
            for (key, value) in faults.as_object().unwrap() {
                write!(options, ", {key} = {value}").unwrap();
            }
        }
        format!("  {{ plugin = {plugin:?}, options = {{ {options} }} }},\n")
    }
}

/// A host in a folder of its own; gone when dropped.
pub(crate) struct World {
    folder: TempDir,
    /// What `agent.toml` says.
    pub(crate) media: Media,
    /// `NAME=value` of variables that `twinset` finds beside those of the tests.
    pub(crate) environment: Vec<String>,
}

impl World {
    /// A world whose media set was never formatted.
    pub(crate) fn blank(families: u16, mirrors: u8) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("twinset-spec.")
            .tempdir()
            .unwrap();
        let world = Self {
            folder,
            media: Media::new(families, mirrors),
            environment: Vec::new(),
        };
        world.write();
        world
    }

    /// A world whose media set is formatted.
    pub(crate) fn formatted(families: u16, mirrors: u8) -> Self {
        let world = Self::blank(families, mirrors);
        world.json(&["media", "format", "payroll"]).ended(0);
        world
    }

    /// A formatted world with one generated set of `size` bytes at position 1, and its files.
    pub(crate) fn with_set(families: u16, mirrors: u8, size: u64) -> (Self, Vec<PathBuf>) {
        let world = Self::formatted(families, mirrors);
        let files = super::generated(world.path(), 1, size, families);
        world.import(&files).ended(0);
        (world, files)
    }

    /// The world's folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Changes `agent.toml`.
    pub(crate) fn configure(&mut self, change: impl FnOnce(&mut Media)) {
        change(&mut self.media);
        self.write();
    }

    /// Takes all planted faults away.
    pub(crate) fn heal_devices(&mut self) {
        self.configure(|media| media.faults.clear());
    }

    fn write(&self) {
        fs::write(self.path().join("agent.toml"), self.media.text()).unwrap();
    }

    /// Another configuration of the same folder, for another agent.
    pub(crate) fn other_config(&self, file: &str, change: impl FnOnce(&mut Media)) -> PathBuf {
        let mut media = self.media.clone();
        change(&mut media);
        let path = self.path().join(file);
        fs::write(&path, media.text()).unwrap();
        path
    }

    /// The folder of the device at a place.
    pub(crate) fn device(&self, mirror: u8, family: u16) -> PathBuf {
        self.path().join(format!("m{mirror}/f{family}"))
    }

    /// The folder of the only volume at a place.
    pub(crate) fn volume(&self, mirror: u8, family: u16) -> PathBuf {
        let device = self.device(mirror, family);
        let entries = fs::read_dir(&device).unwrap_or_else(|e| panic!("{}: {e}", device.display()));
        let folders = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir());
        let volumes: Vec<PathBuf> = folders.collect();
        assert_eq!(volumes.len(), 1, "{volumes:?}");
        volumes.into_iter().next().unwrap()
    }

    /// Every volume with its mirror and family.
    pub(crate) fn volumes(&self) -> Vec<(u8, u16, PathBuf)> {
        (1..=self.media.mirrors)
            .flat_map(|mirror| (1..=self.media.families).map(move |family| (mirror, family)))
            .map(|(mirror, family)| (mirror, family, self.volume(mirror, family)))
            .collect()
    }

    /// The file of a volume whose name begins like this.
    pub(crate) fn file(&self, mirror: u8, family: u16, begins: &str) -> PathBuf {
        let volume = self.volume(mirror, family);
        let names = super::sections(&volume);
        let name = names.iter().find(|name| name.starts_with(begins));
        volume.join(name.unwrap_or_else(|| panic!("no {begins} in {names:?}")))
    }

    fn line<'a>(config: &'a str, args: &[&'a str]) -> Vec<&'a str> {
        [&["--config", config], args].concat()
    }

    /// Runs `twinset` for people.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.start_with("agent.toml", &[&["--no-progress"], args].concat())
            .end()
    }

    /// Runs `twinset` for people with another configuration file.
    pub(crate) fn run_with(&self, config: &str, args: &[&str]) -> Ran {
        self.start_with(config, &[&["--no-progress"], args].concat())
            .end()
    }

    /// Runs `twinset` for programs.
    pub(crate) fn json(&self, args: &[&str]) -> Ran {
        self.json_with("agent.toml", args)
    }

    /// Runs `twinset` for programs with another configuration file.
    pub(crate) fn json_with(&self, config: &str, args: &[&str]) -> Ran {
        self.start_with(config, &[&["--json", "--no-progress"], args].concat())
            .end()
    }

    /// Starts `twinset`, telling every planted fault on standard error.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        self.start_with(
            "agent.toml",
            &[&["--json", "--log-level", "info"], args].concat(),
        )
    }

    fn start_with(&self, config: &str, args: &[&str]) -> Running {
        let (twinset, line) = (built("twinset"), Self::line(config, args));
        if self.environment.is_empty() {
            return Running::start(&twinset, &line, self.path());
        }
        let set = self.environment.iter().map(String::as_str);
        let set = set.chain([twinset.to_str().unwrap()]);
        let line: Vec<&str> = set.chain(line).collect();
        Running::start(Path::new("/usr/bin/env"), &line, self.path())
    }

    /// Imports files as a set of database Payroll.
    pub(crate) fn import(&self, files: &[PathBuf]) -> Ran {
        self.json(&Self::import_line(files))
    }

    /// What is typed to import these files.
    pub(crate) fn import_line(files: &[PathBuf]) -> Vec<&str> {
        let mut line = vec!["media", "import", "payroll", "--database", "Payroll"];
        line.extend(files.iter().map(|path| path.to_str().unwrap()));
        line
    }

    /// Exports a position into a folder that did not exist before; gives run and folder.
    pub(crate) fn export(&self, position: u64) -> (Ran, TempDir) {
        let folder = tempfile::Builder::new()
            .prefix("out.")
            .tempdir_in(self.path())
            .unwrap();
        let (position, to) = (
            position.to_string(),
            folder.path().to_str().unwrap().to_owned(),
        );
        let line = [
            "media",
            "export",
            "payroll",
            "--position",
            &position,
            "--to",
            &to,
        ];
        (self.json(&line), folder)
    }

    /// The export of a position must give these bytes and end so.
    #[track_caller]
    pub(crate) fn exports(&self, position: u64, code: i32, files: &[PathBuf]) -> Value {
        let (ran, _folder) = self.export(position);
        let result = ran.ended(code).result();
        let written = result["files"].as_array().unwrap();
        assert_eq!(written.len(), files.len());
        for (ours, theirs) in written.iter().zip(files) {
            let same = fs::read(ours.as_str().unwrap()).unwrap() == fs::read(theirs).unwrap();
            assert!(same, "{ours} is not {}", theirs.display());
        }
        result
    }

    /// `media verify` must end so; gives its report.
    #[track_caller]
    pub(crate) fn verify(&self, code: i32) -> Value {
        self.json(&["media", "verify", "payroll"])
            .ended(code)
            .result()
    }

    /// The sets that `media show` lists.
    #[track_caller]
    pub(crate) fn sets(&self) -> Vec<Value> {
        let shown = self.json(&["media", "show", "payroll"]).ended(0).result();
        shown["sets"].as_array().unwrap().clone()
    }
}
