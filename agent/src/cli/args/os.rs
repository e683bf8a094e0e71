//! Verbs that one system alone has.

use clap::Subcommand;

/// None on this system: services are installed by packages, and started by systemd.
#[cfg(unix)]
#[derive(Debug, Subcommand)]
pub enum SystemVerb {}

/// Verbs of Windows.
#[cfg(windows)]
#[derive(Debug, Subcommand)]
pub enum SystemVerb {
    /// The agent as a service of Windows
    #[command(subcommand)]
    Service(ServiceVerb),
    /// Secrets in files that this machine alone can open
    #[command(subcommand)]
    Secret(SecretVerb),
}

/// `twinset secret ...`
#[cfg(windows)]
#[derive(Debug, Subcommand)]
pub enum SecretVerb {
    /// Read a secret from standard input and write it sealed (DPAPI) into a new file
    ///
    /// `password_file` and the like take such a file as they take one that holds the secret itself.
    #[command(after_help = r"Example:
  twinset secret seal C:\ProgramData\Twinset\secrets\sql-a")]
    Seal {
        /// The file; it must not be there
        file: std::path::PathBuf,
    },
}

/// `twinset service ...`
#[cfg(windows)]
#[derive(Debug, Subcommand)]
pub enum ServiceVerb {
    /// Install the service; it starts with Windows, under LocalSystem, with this configuration
    ///
    /// It makes the folders of configuration and state, which only administrators and SYSTEM may
    /// enter. Where it dies it is started again after 10 seconds, a minute, then every five minutes.
    #[command(after_help = r"Example:
  twinset --config C:\ProgramData\Twinset\agent.toml service install")]
    Install(Named),
    /// Start the service, and wait until it runs
    #[command(after_help = "Example:\n  twinset service start")]
    Start(Named),
    /// Stop the service, and wait until it has ended
    #[command(after_help = "Example:\n  twinset service stop")]
    Stop(Named),
    /// How the service manager sees the service, and where its log lies
    #[command(after_help = "Example:\n  twinset service status --json")]
    Status(Named),
    /// Stop the service and remove it; configuration, state and media stay
    #[command(after_help = "Example:\n  twinset service uninstall")]
    Uninstall(Named),
    /// How the service manager starts the service
    #[command(hide = true)]
    Dispatch(Named),
}

/// Which service.
#[cfg(windows)]
#[derive(Debug, clap::Args)]
pub struct Named {
    /// Its name; several agents of one host have several
    #[arg(long, default_value = "Twinset")]
    pub name: String,
}
