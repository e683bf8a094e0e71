//! What was given and what was asked for, together.

use std::path::{Path, PathBuf};

use twinset_domain::Fault;

use super::ask::{self, Asker};
use super::os;
use crate::cli::args::InitArgs;
use crate::config::draft::{Reach, Server, Wish};
use crate::config::{self, Config, SecretRef};
use crate::sqlserver::secret::Secret;

/// Most mirrors that are asked for.
const MAX_MIRRORS: usize = 4;

/// Everything that is needed.
#[derive(Debug)]
pub(super) struct Answers {
    /// What goes into the files.
    pub(super) wish: Wish,
    /// The password, if it is to be written.
    pub(super) secret: Option<Secret>,
}

impl Answers {
    /// From flags, and from who answers.
    pub(super) fn collect(
        file: &Path,
        mut args: InitArgs,
        asker: &mut Asker,
    ) -> Result<Self, Fault> {
        let servers = servers(&mut args, asker)?;
        let secret = secret(file, &args, &servers, asker)?;
        let databases = databases(&mut args, asker)?;
        let group = args.group.take();
        let named = databases.first().map(|first| name_of(first));
        let question = ("--group", "Name of the protection group");
        let group = asker.needed(group, question, named.as_deref())?;
        let mirrors = mirrors(&mut args, asker)?;
        Ok(Self {
            wish: Wish {
                plugin: args.plugin.map_or_else(plugin, |path| {
                    let absolute = std::path::absolute(&path).unwrap_or(path);
                    absolute.display().to_string()
                }),
                state_dir: args.state_dir,
                servers,
                media_set: args.media_set.unwrap_or_else(|| group.clone()),
                mirrors,
                group,
                databases,
                stage_dir: args.stage_dir,
            },
            secret,
        })
    }

    /// Where the password belongs.
    pub(super) fn secret_file(&self, config: &Config) -> Option<PathBuf> {
        let instance = config.instance(&self.wish.servers.first()?.name).ok()?;
        match instance.auth.password()? {
            SecretRef::File(path) => Some(path.clone()),
            SecretRef::Env(_) | SecretRef::Credential(_) => None,
        }
    }
}

/// The instances, ours first.
fn servers(args: &mut InitArgs, asker: &mut Asker) -> Result<Vec<Server>, Fault> {
    // One that the file has needs no more than its name.
    let known = args.add && args.host.is_none();
    let here = config::host_name();
    let host = if known {
        None
    } else {
        let question = ("--host", "Host of SQL Server");
        Some(asker.needed(
            args.host.take(),
            question,
            asker_default(asker, "localhost"),
        )?)
    };
    let default = match &host {
        Some(host) if !is_here(host) => name_of(host.split('.').next().unwrap_or_default()),
        _ => name_of(&here),
    };
    let default = (!default.is_empty() && !known).then_some(default);
    let question = ("--instance", "Name for this instance, and for this agent");
    let name = asker.needed(args.instance.take(), question, default.as_deref())?;
    let reach = match host {
        None => None,
        Some(host) => Some(reach(host, &name, args, asker)?),
    };
    let partner = match args.partner.take() {
        None if asker.is_somebody() && !args.add => {
            let question = "Its partner in a mirroring session, as NAME=HOST (empty: none)";
            let said = asker.wanted(None, question)?;
            said.map(|text| {
                text.parse().map_err(|why: String| {
                    Fault::new(twinset_domain::code::USAGE, "partner", why)
                        .remedy("for example sql-b=sql-b.example.com")
                })
            })
            .transpose()?
        }
        partner => partner,
    };
    let partner = partner.map(|partner| Server {
        name: partner.name,
        reach: partner.host.zip(reach.clone()).map(|(host, ours)| Reach {
            host,
            port: partner.port,
            named: None,
            ..ours
        }),
    });
    Ok(std::iter::once(Server { name, reach })
        .chain(partner)
        .collect())
}

/// What is offered to somebody, and assumed of nobody.
const fn asker_default<'a>(asker: &Asker, text: &'a str) -> Option<&'a str> {
    if asker.is_somebody() {
        Some(text)
    } else {
        None
    }
}

fn reach(host: String, name: &str, args: &mut InitArgs, asker: &mut Asker) -> Result<Reach, Fault> {
    let user = asker.needed(
        args.user.take(),
        ("--user", "SQL Server login"),
        Some("twinset"),
    )?;
    let usual = format!("secrets/{name}");
    let password_file = asker.needed(
        args.password_file.take(),
        ("--password-file", "File for its password"),
        Some(&usual),
    )?;
    let ca_file = if args.trust_server_certificate {
        None
    } else {
        let question = "Certificates of who signed the server's (empty: the system's)";
        asker.wanted(args.ca_file.take(), question)?
    };
    Ok(Reach {
        host,
        port: args.port,
        named: args.named_instance.take(),
        user,
        password_file,
        ca_file,
        trusts_all: args.trust_server_certificate,
        vdi_library: args.vdi_library.take(),
    })
}

/// The password, where its file is to be written.
fn secret(
    file: &Path,
    args: &InitArgs,
    servers: &[Server],
    asker: &mut Asker,
) -> Result<Option<Secret>, Fault> {
    if args.password_stdin {
        return Ok(ask::line()?.map(Secret::new));
    }
    let Some(reach) = servers.first().and_then(|server| server.reach.as_ref()) else {
        return Ok(None);
    };
    let folder = file.parent().unwrap_or(Path::new(""));
    if folder.join(&reach.password_file).exists() {
        return Ok(None);
    }
    let question = format!("Password of {} (empty: you write the file)", reach.user);
    Ok(asker.secret(&question)?.map(Secret::new))
}

fn databases(args: &mut InitArgs, asker: &mut Asker) -> Result<Vec<String>, Fault> {
    if !args.database.is_empty() {
        return Ok(std::mem::take(&mut args.database));
    }
    let question = ("--database", "Databases, separated by commas");
    let usual = asker_default(asker, "USER_DATABASES");
    let said = asker.needed(None, question, usual)?;
    let names = said.split(',').map(|name| name.trim().to_owned());
    Ok(names.filter(|name| !name.is_empty()).collect())
}

fn mirrors(args: &mut InitArgs, asker: &mut Asker) -> Result<Vec<String>, Fault> {
    let mut mirrors = std::mem::take(&mut args.mirror);
    // The media set may be there already: the draft looks.
    if !mirrors.is_empty() || (args.add && args.media_set.is_some()) {
        return Ok(mirrors);
    }
    let question = ("--mirror", "Folder for the first copy of every backup");
    mirrors.push(asker.needed(None, question, None)?);
    while asker.is_somebody() && mirrors.len() < MAX_MIRRORS {
        match asker.wanted(None, "Folder for one more copy (empty: no more)")? {
            Some(folder) => mirrors.push(folder),
            None => break,
        }
    }
    Ok(mirrors)
}

fn is_here(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1")
}

/// A name for a group or an instance after something that has one.
fn name_of(text: &str) -> String {
    let letter = |letter: char| match letter {
        plain if plain.is_ascii_alphanumeric() => plain.to_ascii_lowercase(),
        '.' | '_' | '-' => letter,
        _ => '-',
    };
    let name: String = text.chars().map(letter).collect();
    name.trim_matches(['-', '.', '_']).to_owned()
}

/// The plugin of this installation: beside the program, or where packages put it.
fn plugin() -> String {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|program| Some(program.parent()?.join(os::PLUGIN_FILE)));
    match beside.filter(|path| path.exists()) {
        Some(path) => path.display().to_string(),
        None => os::PLUGIN.to_owned(),
    }
}
