//! Verbs about who writes: keys, identity, and media sets that change hands.

use std::path::PathBuf;

use clap::Subcommand;
use twinset_domain::Position;
use twinset_domain::append::Tail;
use twinset_domain::system::HERE;

use super::{SetArgs, position};

/// `twinset key ...`
#[derive(Debug, Subcommand)]
pub enum KeyVerb {
    /// Make a new private key, and print its public half
    ///
    /// Name the file in agent.toml, table agent: signing_key_file = "secrets/signing-key"
    #[command(after_help = format!("\
Example:
  twinset key make --out {}signing-key", HERE.secrets))]
    Make {
        /// The file to write; one that is there is never replaced
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Print the public half of the configured key
    #[command(after_help = "Example:\n  twinset key show")]
    Show,
}

/// `twinset media verify ...`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  twinset media verify payroll
  twinset media verify payroll --position 3
  twinset media verify payroll --decode
  twinset media verify payroll --quick
  twinset media verify payroll --dry-run
  twinset media verify payroll --public-key signing-key.pub
  twinset media verify payroll --expect-tail 7:9c3e9c3e9c3e9c3e9c3e9c3e9c3e9c3e9c3e9c3e9c3e9c3e9c3e9c3e9c3e9c3e")]
pub struct VerifyArgs {
    /// Which media set
    #[command(flatten)]
    pub set: SetArgs,
    /// Only the data of the backup set at this position
    #[arg(long, value_name = "N", value_parser = position)]
    pub position: Option<Position>,
    /// Key that must have signed manifests and records, as digits or as a file; several may be
    /// given [default: the configured key's public half, on media of this agent]
    #[arg(long, value_name = "KEY")]
    pub public_key: Vec<String>,
    /// A record that the media must hold: what `media show` printed as its tail
    #[arg(long, value_name = "SEQUENCE:HASH", value_parser = tail)]
    pub expect_tail: Option<Tail>,
    /// Then decompress and decrypt encoded sets, and compare with what SQL Server wrote
    #[arg(long)]
    pub decode: bool,
    /// Ask storage that keeps checksums, as object stores do, instead of reading data there; what
    /// keeps none is read
    #[arg(long, conflicts_with = "decode")]
    pub quick: bool,
    /// Read nothing; say how much would be read, and how much would leave object stores
    #[arg(long)]
    pub dry_run: bool,
}

fn tail(text: &str) -> Result<Tail, String> {
    let parts = text.split_once(':').and_then(|(sequence, hash)| {
        let small = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        let lawful = hash.len() == 64 && hash.chars().all(small);
        Some((sequence.parse().ok()?, hash)).filter(|_| lawful)
    });
    match parts {
        Some((sequence, hash)) => Ok(Tail {
            sequence,
            hash: hash.to_owned(),
        }),
        None => Err("write a number, a colon and 64 hexadecimal digits".to_owned()),
    }
}

/// `twinset media adopt ...`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  twinset media adopt payroll
  twinset media adopt payroll --yes")]
pub struct AdoptArgs {
    /// Which media set
    #[command(flatten)]
    pub set: SetArgs,
    /// Do it: it cannot be taken back
    #[arg(long)]
    pub yes: bool,
}

/// `twinset media drop-mirror ...`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  twinset media drop-mirror payroll 2
  twinset media drop-mirror payroll 2 --yes")]
pub struct DropMirrorArgs {
    /// Which media set
    #[command(flatten)]
    pub set: SetArgs,
    /// The mirror's number
    #[arg(value_name = "MIRROR")]
    pub mirror: u8,
    /// Do it: it cannot be taken back
    #[arg(long)]
    pub yes: bool,
}

/// `twinset agent ...`
#[derive(Debug, Subcommand)]
pub enum AgentVerb {
    /// Print the agent's id, and whether it belongs to this machine
    #[command(after_help = "Example:\n  twinset agent show")]
    Show,
    /// Give this host an identity of its own: for a cloned machine
    ///
    /// The media sets of the old identity stay readable and closed to this agent; catalog and old
    /// identity are kept beside. Format new media sets, on paths of their own ({agent}).
    #[command(after_help = "\
Examples:
  twinset agent renew-id
  twinset agent renew-id --yes")]
    RenewId {
        /// Give up an identity that belongs to this machine
        #[arg(long)]
        yes: bool,
    },
}
