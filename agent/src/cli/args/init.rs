//! What may be typed behind `twinset init`.

use std::path::PathBuf;
use std::str::FromStr;

use twinset_domain::system::HERE;

/// What a first configuration, or one more group, is made of.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  twinset init
  twinset init --host sql-a --database Payroll --mirror /backup/a --mirror /backup/b
  twinset init --host sql-a --partner sql-b=sql-b --database Payroll --mirror /backup/a --dry-run
  twinset init --add --instance sql-a --database Stock --media-set payroll")]
pub struct InitArgs {
    /// Name of the instance on this host, and of this agent [default: the host's name]
    #[arg(long, value_name = "NAME")]
    pub instance: Option<String>,
    /// Host of SQL Server
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// Its port [default: 1433]
    #[arg(long, value_name = "N", conflicts_with = "named_instance")]
    pub port: Option<u16>,
    /// A named instance, instead of a port
    #[arg(long, value_name = "NAME")]
    pub named_instance: Option<String>,
    /// SQL Server login [default: twinset]
    #[arg(long, value_name = "LOGIN")]
    pub user: Option<String>,
    /// File that holds the password alone [default: secrets/INSTANCE]
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<String>,
    /// Read the password from standard input and write it into that file
    #[arg(long, conflicts_with = "ask")]
    pub password_stdin: bool,
    /// Certificates (PEM) of who signed the server's certificate [default: the system's]
    #[arg(long, value_name = "FILE", conflicts_with = "trust_server_certificate")]
    pub ca_file: Option<String>,
    /// Believe any certificate: for laboratories
    #[arg(long)]
    pub trust_server_certificate: bool,
    /// The partner of the mirroring session; login and password file are the same
    #[arg(long, value_name = "NAME=HOST[:PORT]")]
    pub partner: Option<Partner>,
    /// Database or pattern; several times for several
    #[arg(long, value_name = "DB")]
    pub database: Vec<String>,
    /// Folder for one copy of every backup; several times for several, at most four
    #[arg(long, value_name = "DIR")]
    pub mirror: Vec<String>,
    /// Key of the media set [default: the group's name]
    #[arg(long, value_name = "KEY")]
    pub media_set: Option<String>,
    /// Name of the protection group [default: after the first database]
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// Take backups through files in this folder, not through virtual devices
    #[arg(long, value_name = "DIR")]
    pub stage_dir: Option<String>,
    /// Folder for identity, catalog and locks.
    #[arg(long, value_name = "DIR")]
    #[arg(help = format!("Folder for identity, catalog and locks [default: {}]", HERE.state))]
    pub state_dir: Option<String>,
    /// File of the plugin for folders [default: the one of this installation]
    #[arg(long, value_name = "FILE")]
    pub plugin: Option<PathBuf>,
    /// SQL Server's library of virtual devices [default: the usual place]
    #[arg(long, value_name = "FILE")]
    pub vdi_library: Option<String>,
    /// Add a group, and the instances and the media set that it needs, to the files that are there
    #[arg(long, conflicts_with_all = ["state_dir", "plugin"])]
    pub add: bool,
    /// Replace files that are there
    #[arg(long)]
    pub force: bool,
    /// Ask for what is not given, also without a terminal
    #[arg(long)]
    pub ask: bool,
    /// Print the files and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `NAME=HOST[:PORT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partner {
    /// Its name in the configuration.
    pub name: String,
    /// Its host; nothing where the file has it already.
    pub host: Option<String>,
    /// Its port.
    pub port: Option<u16>,
}

impl FromStr for Partner {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || "write NAME=HOST or NAME=HOST:PORT".to_owned();
        let (name, host) = match text.split_once('=') {
            Some((name, host)) if !host.is_empty() => (name, Some(host)),
            Some(_) => return Err(form()),
            // One that the file knows.
            None => (text, None),
        };
        if name.is_empty() {
            return Err(form());
        }
        let (host, port) = match host.and_then(|host| host.rsplit_once(':')) {
            // An address of version 6 without brackets has no port.
            Some((before, port)) if !before.contains(':') || before.ends_with(']') => {
                let port = port.parse().map_err(|_| form())?;
                (Some(before.trim_matches(['[', ']']).to_owned()), Some(port))
            }
            _ => (host.map(str::to_owned), None),
        };
        Ok(Self {
            name: name.to_owned(),
            host,
            port,
        })
    }
}
