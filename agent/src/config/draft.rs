//! Files of a configuration that are about to be written: what `twinset init` asks for, as text.
//!
//! A draft is text before it is a file, so that it is judged as a whole first
//! ([`super::load_draft`]) and shown by a dry run. Existing files are never rewritten: what is added
//! to `agent.toml` stands behind what is there, byte for byte.

mod text;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use twinset_domain::{Fault, code};

/// What is asked for. Texts go into the files as they are: the check of the whole judges them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The file of the plugin for folders.
    pub plugin: String,
    /// Folder for identity, catalog and locks, where it is not the usual one.
    pub state_dir: Option<String>,
    /// The instance on this host first, then its partner.
    pub servers: Vec<Server>,
    /// Key of the media set.
    pub media_set: String,
    /// One folder for each mirror; none where the media set is there already.
    pub mirrors: Vec<String>,
    /// Name of the protection group.
    pub group: String,
    /// What it protects.
    pub databases: Vec<String>,
    /// Folder for `source = "stage"`; virtual devices without it.
    pub stage_dir: Option<String>,
}

/// An instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name in the configuration.
    pub name: String,
    /// How it is reached; nothing where the file has it already.
    pub reach: Option<Reach>,
}

/// How an instance is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Host.
    pub host: String,
    /// Port, where it is not 1433.
    pub port: Option<u16>,
    /// Named instance, instead of a port.
    pub named: Option<String>,
    /// Login.
    pub user: String,
    /// File with its password.
    pub password_file: String,
    /// Who signed its certificate, where that is not an authority of the system.
    pub ca_file: Option<String>,
    /// Any certificate is believed.
    pub trusts_all: bool,
    /// SQL Server's library of virtual devices, where it is not the usual one.
    pub vdi_library: Option<String>,
}

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftFile {
    /// Where, absolute.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
    /// What of it is new: the whole, or what stands behind the old text.
    pub added: String,
    /// What was read there, where text is added to it.
    pub before: Option<String>,
}

/// A configuration of its own: `agent.toml` and the group's file.
///
/// # Errors
/// [`code::CONFIG_FILE`] when the working folder cannot be found, [`code::CONFIG_VALUE`] when the
/// group's name is no name of a file.
pub fn new(file: &Path, wish: &Wish) -> Result<Vec<DraftFile>, Fault> {
    let file = absolute(file)?;
    let agent = format!(
        "{}{}{}",
        text::head(wish),
        text::servers(&wish.servers),
        text::media_set(wish)
    );
    let folder = file.parent().unwrap_or(Path::new("/"));
    let group = group_file(&folder.join(super::load::GROUPS_DIR), wish)?;
    let whole = |path, text: String| DraftFile {
        path,
        added: text.clone(),
        text,
        before: None,
    };
    Ok(vec![whole(file, agent), whole(group, text::group(wish))])
}

/// A group, and what it needs, for a configuration that is there.
///
/// # Errors
/// [`code::CONFIG_FILE`] when the file cannot be read, [`code::USAGE`] when it holds what is to be
/// added, or lacks what is not given.
pub fn added(file: &Path, wish: &Wish) -> Result<Vec<DraftFile>, Fault> {
    let path = absolute(file)?;
    let before = std::fs::read_to_string(&path).map_err(|error| {
        let message = "the configuration that is added to cannot be read";
        Fault::new(code::CONFIG_FILE, path.display().to_string(), message)
            .cause(error)
            .remedy("write one first: twinset init without --add")
    })?;
    let there = There::of(&before);
    let servers = there.missing(&wish.servers)?;
    let has_set = there.media_sets.contains(&wish.media_set);
    let object = || format!("media set {}", wish.media_set);
    if has_set && !wish.mirrors.is_empty() {
        let fault = Fault::new(code::USAGE, object(), "it is in the file already");
        return Err(fault.remedy("leave --mirror out to use it, or name another --media-set"));
    }
    if !has_set && wish.mirrors.is_empty() {
        let fault = Fault::new(code::USAGE, object(), "it is not in the file yet");
        return Err(fault.remedy("say where its mirrors lie: --mirror DIR --mirror DIR"));
    }
    let mut more = text::servers(&servers);
    if !has_set {
        more.push_str(&text::media_set(wish));
    }
    let mut files = Vec::new();
    if !more.is_empty() {
        let gap = if before.ends_with('\n') { "" } else { "\n" };
        files.push(DraftFile {
            path: path.clone(),
            text: format!("{before}{gap}{more}"),
            added: more,
            before: Some(before),
        });
    }
    let folder = super::load::groups_dir(file).map_err(|mut faults| faults.swap_remove(0))?;
    let text = text::group(wish);
    files.push(DraftFile {
        path: group_file(&folder, wish)?,
        added: text.clone(),
        text,
        before: None,
    });
    Ok(files)
}

/// What a file has.
struct There {
    instances: BTreeSet<String>,
    media_sets: BTreeSet<String>,
}

impl There {
    fn of(text: &str) -> Self {
        let table = toml::from_str::<toml::Table>(text).unwrap_or_default();
        let keys = |name: &str| {
            let found = table.get(name).and_then(toml::Value::as_table);
            found.into_iter().flatten().map(|(key, _)| key.clone())
        };
        Self {
            instances: keys("instances").collect(),
            media_sets: keys("media_sets").collect(),
        }
    }

    /// The servers that are to be added.
    fn missing(&self, servers: &[Server]) -> Result<Vec<Server>, Fault> {
        let mut missing = Vec::new();
        for server in servers {
            let object = format!("instance {}", server.name);
            match (self.instances.contains(&server.name), &server.reach) {
                (true, None) => {}
                (false, Some(_)) => missing.push(server.clone()),
                (true, Some(_)) => {
                    let fault = Fault::new(code::USAGE, object, "it is in the file already");
                    return Err(fault.remedy("leave --host and its like out, or name another"));
                }
                (false, None) => {
                    let fault = Fault::new(code::USAGE, object, "it is not in the file yet");
                    return Err(fault.remedy("say how it is reached: --host HOST --user LOGIN"));
                }
            }
        }
        Ok(missing)
    }
}

fn absolute(file: &Path) -> Result<PathBuf, Fault> {
    std::path::absolute(file).map_err(|error| {
        let message = "the folder of this file cannot be found";
        Fault::new(code::CONFIG_FILE, file.display().to_string(), message)
            .cause(error)
            .remedy("name it by its absolute path")
    })
}

/// The file of a group; its name becomes the file's, so it must be none that leads elsewhere.
fn group_file(folder: &Path, wish: &Wish) -> Result<PathBuf, Fault> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let name = &wish.group;
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        let message = "it is no name of a group";
        return Err(
            Fault::new(code::CONFIG_VALUE, format!("group {name}"), message)
                .remedy("use letters, digits, `.`, `_` and `-`, a letter first, at most 64"),
        );
    }
    Ok(folder.join(format!("{name}.toml")))
}
