//! A PostgreSQL server in a folder of its own.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

/// Password of the agents' role.
pub(crate) const PASSWORD: &str = "Kein-Wort-davon-5432";
/// The role of the agents.
pub(crate) const ROLE: &str = "twinset_agent";
/// Nothing that is waited for takes longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most ports that are tried: between asking for a free one and taking it another may come.
const PORTS: u32 = 20;

/// A server; stopped when it is dropped.
pub(crate) struct Server {
    folder: TempDir,
    process: Option<Child>,
    pub(crate) port: u16,
}

/// The folder of PostgreSQL's programs.
fn programs() -> PathBuf {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| {
            entries
                .map(|entry| entry.unwrap().path().join("bin"))
                .collect()
        })
        .unwrap_or_default();
    found.retain(|bin| bin.join("initdb").exists());
    found.sort();
    found
        .pop()
        .expect("no PostgreSQL below /usr/lib/postgresql: apt-get install postgresql")
}

/// The server refuses to run as root: then it runs as the package's own user.
fn command(program: &str) -> Command {
    let program = programs().join(program);
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid=postgres",
        "--regid=postgres",
        "--clear-groups",
        "--",
    ]);
    command.arg(program);
    command
}

#[track_caller]
fn well(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{said}", output.status);
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Gives a folder to the server's user.
fn hand_over(path: &Path) {
    if rustix::process::geteuid().is_root() {
        let output = Command::new("chown")
            .args(["-R", "postgres:postgres"])
            .arg(path)
            .output();
        well(&output.unwrap());
    }
}

/// An empty cluster, made once: copies are cheap.
fn template() -> &'static Path {
    static ONCE: OnceLock<TempDir> = OnceLock::new();
    let folder = ONCE.get_or_init(|| {
        let folder = tempfile::Builder::new()
            .prefix("twinset-pg.")
            .tempdir()
            .unwrap();
        hand_over(folder.path());
        let data = folder.path().join("data");
        let line = [
            "--no-sync",
            "--no-instructions",
            "--username=postgres",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "-D",
        ];
        let output = command("initdb")
            .args(line)
            .arg(data)
            .current_dir("/")
            .output();
        well(&output.unwrap());
        folder
    });
    folder.path()
}

impl Server {
    /// A server with an empty database `twinset` that belongs to the agents' role.
    pub(crate) fn start() -> Self {
        let mut server = Self::cluster();
        server.run();
        server.sql(
            "postgres",
            &format!("CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'"),
        );
        server.sql("postgres", &format!("CREATE DATABASE twinset OWNER {ROLE}"));
        server
    }

    fn cluster() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("twinset-pg.")
            .tempdir()
            .unwrap();
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).unwrap();
        let output = Command::new("cp")
            .arg("-a")
            .arg(template().join("data"))
            .arg(folder.path().join("data"))
            .output();
        well(&output.unwrap());
        Self {
            folder,
            process: None,
            port: 0,
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Offers TLS, with a certificate for this name; gives the file of its authority.
    pub(crate) fn encrypt(&mut self, name: &str) -> PathBuf {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &authority).unwrap();
        fs::write(self.data().join("server.crt"), leaf.pem()).unwrap();
        let file = self.data().join("server.key");
        fs::write(&file, key.serialize_pem()).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        hand_over(&self.data());
        let ca_file = self.folder.path().join("authority.pem");
        fs::write(&ca_file, authority.pem()).unwrap();
        self.sql("postgres", "ALTER SYSTEM SET ssl = on");
        self.stop();
        self.run();
        ca_file
    }

    /// Starts it, on the port that it has, or on a free one the first time.
    pub(crate) fn run(&mut self) {
        for _ in 0..PORTS {
            let port = match self.port {
                0 => TcpListener::bind("127.0.0.1:0")
                    .unwrap()
                    .local_addr()
                    .unwrap()
                    .port(),
                port => port,
            };
            let mut process = self.command(port).spawn().unwrap();
            if self.answers(&mut process, port) {
                (self.process, self.port) = (Some(process), port);
                return;
            }
        }
        let log = fs::read_to_string(self.folder.path().join("log"));
        panic!("PostgreSQL does not start:\n{}", log.unwrap_or_default());
    }

    fn command(&self, port: u16) -> Command {
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let mut command = command("postgres");
        command.arg("-D").arg(self.data()).current_dir("/");
        for setting in [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={port}"),
            format!("unix_socket_directories={}", self.data().display()),
            "fsync=off".to_owned(),
            "shared_buffers=16MB".to_owned(),
            "max_connections=20".to_owned(),
            "dynamic_shared_memory_type=mmap".to_owned(),
            "shared_memory_type=mmap".to_owned(),
        ] {
            command.args(["-c", &setting]);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        command
    }

    fn answers(&self, process: &mut Child, port: u16) -> bool {
        let until = Instant::now() + PATIENCE;
        loop {
            let ready = Command::new(programs().join("pg_isready"))
                .args(["-q", "-p", &port.to_string(), "-h"])
                .arg(self.data())
                .status();
            if ready.unwrap().success() {
                return true;
            }
            if process.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(Instant::now() < until, "PostgreSQL is not ready");
            std::thread::yield_now();
        }
    }

    /// Stops it as an operator does who waits for nobody.
    pub(crate) fn stop(&mut self) {
        self.end(rustix::process::Signal::INT);
    }

    /// Stops it as a power cut does.
    pub(crate) fn crash(&mut self) {
        self.end(rustix::process::Signal::QUIT);
    }

    fn end(&mut self, signal: rustix::process::Signal) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        let id = i32::try_from(process.id()).unwrap();
        let id = rustix::process::Pid::from_raw(id).unwrap();
        rustix::process::kill_process(id, signal).unwrap();
        process.wait().unwrap();
    }

    /// What SQL answers, one line a row, columns parted by `|`, as its administrator.
    #[track_caller]
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let output = Command::new(programs().join("psql"))
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                "postgres",
            ])
            .args(["-p", &self.port.to_string(), "-d", database, "-h"])
            .arg(self.data())
            .args(["-c", sql])
            .output();
        well(&output.unwrap())
    }

    /// The same, in the agents' database.
    #[track_caller]
    pub(crate) fn ask(&self, sql: &str) -> String {
        self.sql("twinset", sql)
    }

    /// Runs a script in the agents' database, as its administrator.
    #[track_caller]
    pub(crate) fn script(&self, sql: &str) {
        let file = self.folder.path().join("script.sql");
        fs::write(&file, sql).unwrap();
        let output = Command::new(programs().join("psql"))
            .args([
                "-X",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                "postgres",
                "--single-transaction",
            ])
            .args(["-p", &self.port.to_string(), "-d", "twinset", "-h"])
            .arg(self.data())
            .arg("-f")
            .arg(&file)
            .output();
        well(&output.unwrap());
    }

    /// Everything that it holds of agents, but for the times at which they were heard.
    #[track_caller]
    pub(crate) fn tables(&self) -> String {
        [
            "backup_set",
            "holding",
            "run",
            "alert",
            "integrity",
            "member",
        ]
        .map(|table| {
            let sql = format!("SELECT t FROM twinset.{table} t ORDER BY t::text");
            format!("{table}\n{}\n", self.ask(&sql))
        })
        .concat()
    }

    /// `[shared_catalog]` of an agent that reaches it without TLS, through this port.
    pub(crate) fn table(&self, port: u16) -> String {
        format!(
            "[shared_catalog]\nhost = \"127.0.0.1\"\nport = {port}\nuser = {ROLE:?}\n\
             password_file = \"pg-password\"\nencrypt = \"off\"\n"
        )
    }
}

/// Puts the password of the agents' role into a folder.
pub(crate) fn password(folder: &Path) {
    let file = folder.join("pg-password");
    fs::write(&file, PASSWORD).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
}

impl Drop for Server {
    fn drop(&mut self) {
        self.crash();
    }
}
