//! Virtual tapes beside the disk plugin: the same agent, the same bytes, the other device.

use std::fs;
use std::io;
use std::path::Path;

use crate::Arguments;
use crate::bed::{Bed, Tools};
use crate::measure;
use crate::rows::tell;

/// The virtual tapes, and what a run on them leaves beside.
const TAPES: [&str; 2] = ["a.tap", "b.tap"];
const BESIDE: [&str; 5] = [
    "a.tap.meta",
    "b.tap.meta",
    "a.tap.holder",
    "b.tap.holder",
    "state-tape",
];
/// The file that configures them.
const CONFIG: &str = "tape.toml";

/// An import to two virtual tapes, and their verify, beside the same with two folders.
///
/// # Errors
/// The first command that fails.
pub(crate) fn beside_disk(
    name: &str,
    arguments: &Arguments,
    tools: &Tools,
    root: &Path,
) -> io::Result<()> {
    let bed = Bed::make(tools, root, arguments.size)?;
    configure(&bed, tools)?;
    let tape = |arguments: &str| bed.line(CONFIG, arguments);
    let source = format!(
        "media import bench --database Payroll {}",
        bed.source.display()
    );
    let (ours, peer) = (tape(&source), bed.ours(&source));
    println!("\n{name}: A {ours}\n{name}: B {peer}");
    let blank = || {
        bed.clear(&["a", "b", "state"])?;
        bed.clear(&TAPES)?;
        bed.clear(&BESIDE)
    };
    let formatted = |line: String| blank().and_then(|()| measure::run(&line).map(drop));
    let pairs = measure::pairs(
        arguments.pairs,
        || {
            formatted(tape("media format bench"))?;
            measure::run(&ours)
        },
        || {
            formatted(bed.ours("media format bench"))?;
            measure::run(&peer)
        },
    )?;
    // 0.8 of the disk plugin's throughput.
    tell(&format!("{name}, import"), &pairs, [Some(1.25), None]);
    // One of the two is there by now.
    formatted(tape("media format bench"))?;
    measure::run(&bed.ours("media format bench"))?;
    measure::run(&ours)?;
    measure::run(&peer)?;
    let (ours, peer) = (tape("media verify bench"), bed.ours("media verify bench"));
    println!("{name}: A {ours}\n{name}: B {peer}");
    let pairs = measure::pairs(
        arguments.pairs,
        || measure::run(&ours),
        || measure::run(&peer),
    )?;
    tell(&format!("{name}, verify"), &pairs, [Some(1.25), None]);
    Ok(())
}

fn configure(bed: &Bed<'_>, tools: &Tools) -> io::Result<()> {
    let mut text = format!(
        "[agent]\nname = \"bench\"\nstate_dir = \"state-tape\"\ngroups_dir = \"groups\"\n\
         [plugins.tape]\npath = {:?}\n",
        tools.tape
    );
    for tape in TAPES {
        let image = bed.path(tape);
        text += &format!(
            "[[media_sets.bench.mirrors]]\n\
             devices = [{{ plugin = \"tape\", options = {{ image = {image:?} }} }}]\n"
        );
    }
    fs::write(bed.path(CONFIG), text)
}
