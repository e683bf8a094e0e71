//! The text of new tables, in the order in which a reader needs them.

use std::fmt::Write;

use twinset_domain::system::HERE;

use super::{Server, Wish};

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A key: bare where TOML allows it.
fn key(text: &str) -> String {
    let bare = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    if !text.is_empty() && text.chars().all(bare) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.into_iter().map(quoted).collect();
    format!("[{}]", texts.join(", "))
}

/// The begin of `agent.toml`: the agent and its plugin.
pub(super) fn head(wish: &Wish) -> String {
    let name = wish.servers.first().map_or("", |server| &server.name);
    let mut text = format!(
        "# Twinset, this agent's file. Every key: docs/reference-configuration.md.\n\
         # Only {1} may write this file and the folders above it. After a\n\
         # change: twinset config check\n\n\
         [agent]\n\
         name = {0}\n\
         serves = [{0}]\n",
        quoted(name),
        HERE.writers
    );
    if let Some(folder) = &wish.state_dir {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "state_dir = {}", quoted(folder));
    }
    let _ = write!(
        text,
        "# metrics = \"127.0.0.1:9742\"       # for Prometheus, and a status page\n\n\
         [plugins.disk]\npath = {}\n",
        quoted(&wish.plugin)
    );
    text
}

/// The tables of instances.
pub(super) fn servers(servers: &[Server]) -> String {
    let mut text = String::new();
    for server in servers {
        let Some(reach) = &server.reach else { continue };
        let _ = write!(
            text,
            "\n[instances.{}]\nhost = {}\n",
            key(&server.name),
            quoted(&reach.host)
        );
        if let Some(port) = reach.port {
            let _ = writeln!(text, "port = {port}");
        }
        if let Some(named) = &reach.named {
            let _ = writeln!(text, "instance = {}", quoted(named));
        }
        let _ = write!(
            text,
            "auth = \"sql\"\nuser = {}\npassword_file = {}\n",
            quoted(&reach.user),
            quoted(&reach.password_file)
        );
        if let Some(file) = &reach.ca_file {
            let _ = writeln!(text, "ca_file = {}", quoted(file));
        }
        if reach.trusts_all {
            text.push_str(
                "trust_server_certificate = true    # laboratory only: better name a ca_file\n",
            );
        }
        if let Some(file) = &reach.vdi_library {
            let _ = writeln!(text, "vdi_library = {}", quoted(file));
        }
    }
    text
}

/// The table of the media set.
pub(super) fn media_set(wish: &Wish) -> String {
    let folder = |mirror: &String| {
        // Braces mean something in the options of a device.
        let plain = mirror.replace('{', "{{").replace('}', "}}");
        let plain = plain.trim_end_matches('/');
        format!("{plain}/{{agent}}/{}", wish.media_set)
    };
    let folders: Vec<String> = wish.mirrors.iter().map(folder).collect();
    format!(
        "\n# One copy of every backup in each folder. {{agent}} is this agent's name: the partner's\n\
         # agent writes beside it.\n\
         [media_sets.{}]\ndisk_mirrors = {}\n",
        key(&wish.media_set),
        list(folders.iter().map(String::as_str))
    )
}

/// The file of the group.
pub(super) fn group(wish: &Wish) -> String {
    let mut text = format!(
        "# A protection group of Twinset. Every key: docs/reference-configuration.md.\n\
         [group]\nname = {}\npartners = {}\ndatabases = {}\nmedia_set = {}\n",
        quoted(&wish.group),
        list(wish.servers.iter().map(|server| server.name.as_str())),
        list(wish.databases.iter().map(String::as_str)),
        quoted(&wish.media_set)
    );
    if let Some(folder) = &wish.stage_dir {
        let _ = write!(text, "source = \"stage\"\nstage_dir = {}\n", quoted(folder));
    }
    text.push_str(
        "\n# What the service (twinset run) takes by itself; twinset plan shows it.\n\
         [schedule]\n\
         full = \"0 1 * * sun\"\n\
         differential = \"0 1 * * mon-sat\"\n\
         log = \"*/15 * * * *\"\n\
         \n\
         # Older than this is an alert.\n\
         [alerts]\n\
         rpo = { full = \"8d\", log = \"1h\" }\n\
         \n\
         # Without it everything is kept.\n\
         # [retention]\n\
         # window = \"35d\"\n",
    );
    text
}
