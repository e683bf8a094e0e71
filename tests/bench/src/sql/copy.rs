//! The way of the bytes from a virtual device, beside a bare reader that throws them away.

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use twinset::sqlserver::{
    Auth, Connector, Endpoint, InstanceSettings, Purpose, Secret, StatementEnd,
};

use super::{Host, PASSWORD, Store};
use crate::Arguments;
use crate::bed::Tools;
use crate::measure::{self, Taken};
use crate::rows::line;

/// The bare reader, in C: it shares no code with us.
const READER: &str = include_str!("../../bare/reader.c");
/// Longest BACKUP.
const PATIENCE: Duration = Duration::from_secs(600);
/// Ours may take so many times as long: 0.85 of the throughput.
const GOAL: f64 = 1.0 / 0.85;

/// Ours reads, hashes, checks the format and hands every buffer to its mirrors.
///
/// # Errors
/// The first command that fails; the reader cannot be compiled.
pub(crate) fn copy(arguments: &Arguments, tools: &Tools) -> io::Result<()> {
    let size = arguments.size.saturating_mul(4);
    for (name, mirrors, store, goal) in [
        ("copy, one that discards", 1, Store::Discards, Some(GOAL)),
        ("copy, two that discard", 2, Store::Discards, None),
        ("copy, one in memory", 1, Store::Folder, None),
    ] {
        let size = if store == Store::Folder {
            arguments.size
        } else {
            size
        };
        let host = Host::make(tools, &arguments.ram, 1, size, mirrors, store)?;
        let reader = compile(&host)?;
        let ours = host.ours("backup bench");
        println!("\n{name}: A {ours}   ({} MiB)", size >> 20);
        println!("{name}: B BACKUP DATABASE db0001 TO VIRTUAL_DEVICE, read by bare/reader.c");
        let mut number = 0;
        let pairs = measure::pairs(
            arguments.pairs,
            || {
                host.fresh()?;
                measure::run(&ours)
            },
            || {
                number += 1;
                bare(
                    &host,
                    &reader,
                    &format!("bare-{}-{number}", std::process::id()),
                    size,
                )
            },
        )?;
        line(name, &pairs.medians(|taken| taken.wall), goal);
    }
    Ok(())
}

fn compile(host: &Host<'_>) -> io::Result<std::path::PathBuf> {
    let (source, program) = (host.path("reader.c"), host.path("reader"));
    std::fs::write(&source, READER)?;
    let made = Command::new("cc")
        .args(["-O2", "-o"])
        .args([&program, &source])
        .arg("-ldl")
        .status()?;
    if made.success() {
        Ok(program)
    } else {
        Err(io::Error::other("the bare reader cannot be compiled"))
    }
}

/// One BACKUP that the reader takes; its login is not measured.
fn bare(host: &Host<'_>, reader: &Path, set: &str, least: u64) -> io::Result<Taken> {
    let server = host.lab.instances.first();
    let server = server.ok_or_else(|| io::Error::other("no instance"))?;
    let auth = Auth::Sql {
        user: "twinset".into(),
        password: Secret::new(PASSWORD),
    };
    let mut settings =
        InstanceSettings::new("sql-a", "localhost", Endpoint::Port(server.port), auth);
    settings.ca_file = Some(server.ca_file.clone());
    let told = |fault: twinset_domain::Fault| io::Error::other(fault.to_string());
    let session = Connector::new(settings, "bare")
        .open(Purpose::Work)
        .map_err(told)?;
    let mut child = Command::new(reader)
        .arg(&host.tools.library)
        .arg(set)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let out = child
        .stdout
        .take()
        .ok_or_else(|| io::Error::other("no output"))?;
    let mut out = BufReader::new(out);
    let mut said = String::new();
    out.read_line(&mut said)?;
    let begun = Instant::now();
    let sql =
        format!("BACKUP DATABASE [db0001] TO VIRTUAL_DEVICE = N'{set}' WITH COPY_ONLY, CHECKSUM");
    let end = session.start(sql).map_err(told)?.wait(PATIENCE);
    said.clear();
    out.read_line(&mut said)?;
    let wall = begun.elapsed().as_secs_f64();
    let bytes: u64 = said.trim().parse().unwrap_or(0);
    if end != Some(StatementEnd::Ok) || !child.wait()?.success() || bytes < least {
        return Err(io::Error::other(format!(
            "bare reader: {bytes} bytes, {end:?}"
        )));
    }
    Ok(Taken { wall, cpu: 0.0 })
}
