//! A log backup of 1 MiB to two mirrors, durable, beside `dd conv=fsync` of the same two files.

use std::io;
use std::path::Path;

use super::{Host, Store};
use crate::Arguments;
use crate::bed::Tools;
use crate::measure;
use crate::rows::tell;

/// A database whose log backups have 1 MiB.
const BYTES: u64 = 16 << 20;
/// Most times as long as `dd` takes.
const GOAL: f64 = 3.0;

/// From the start of the process to its end, logins and all.
///
/// # Errors
/// The first command that fails.
pub(crate) fn log(name: &str, arguments: &Arguments, tools: &Tools, root: &Path) -> io::Result<()> {
    let host = Host::make(tools, root, 1, BYTES, 2, Store::Folder)?;
    host.fresh()?;
    measure::run(&host.ours("backup bench"))?;
    let ours = host.ours("backup bench --kind log");
    // The first one makes the media set of logs.
    measure::run(&ours)?;
    let (a, b) = (host.path("peer-a"), host.path("peer-b"));
    let dd = |to: &Path| {
        let to = to.display();
        format!("dd if=/dev/zero of={to} bs=1M count=1 conv=fsync status=none")
    };
    let peer = format!("{} && {}", dd(&a), dd(&b));
    println!("\n{name}: A {ours}\n{name}: B {peer}");
    let clear = || -> io::Result<()> {
        for path in [&a, &b] {
            if path.exists() {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    };
    let pairs = measure::pairs(
        arguments.pairs,
        || measure::run(&ours),
        || {
            clear()?;
            measure::run(&peer)
        },
    )?;
    tell(name, &pairs, [Some(GOAL), None]);
    Ok(())
}
