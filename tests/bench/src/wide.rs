//! Rows about many mirrors, encodings, damage and overhead.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::Arguments;
use crate::bed::{self, Bed, MIRRORS, Tools};
use crate::measure;
use crate::rows::{tell, word};

/// Holes that are spread over two mirrors.
const HOLES: u64 = 64;
/// Bytes of a hole.
const HOLE: usize = 4096;
/// Bytes of the backup whose overhead is looked at.
const SMALL: u64 = 256 << 20;
/// What the peers write.
const PEERS: [&str; 4] = ["peer-a", "peer-b", "peer-c", "peer-d"];

/// One file to one to four places: ours hashes, checks and writes manifests as well.
///
/// # Errors
/// The first command that fails.
pub(crate) fn fan(
    name: &str,
    arguments: &Arguments,
    tools: &Tools,
    root: &Path,
    durable: bool,
) -> io::Result<()> {
    if !bed::installed("mbuffer") {
        println!("{name}: left out, mbuffer is not installed (Debian: mbuffer)");
        return Ok(());
    }
    for mirrors in 1..=MIRRORS.len() {
        let bed = Bed::for_mirrors(tools, root, arguments.size, mirrors)?;
        let paths: Vec<String> = PEERS
            .iter()
            .take(mirrors)
            .map(|name| bed.path(name).display().to_string())
            .collect();
        let source = bed.source.display();
        let (first, rest) = (paths.first().cloned().unwrap_or_default(), &paths[1..]);
        let sync = match durable {
            true => format!(" && sync {}", paths.join(" ")),
            false => String::new(),
        };
        let tee = format!("tee {} < {source} > {first}{sync}", rest.join(" "));
        let outs: Vec<String> = paths.iter().map(|path| format!("-o {path}")).collect();
        let outs = outs.join(" ");
        let mbuffer = format!("mbuffer -q -f -m 64M -s 1M -i {source} {outs}{sync}");
        let ours = bed.import();
        println!("\n{name} {mirrors}: A {ours}\n{name} {mirrors}: B {tee}");
        println!("{name} {mirrors}: C {mbuffer}");
        let peer = |line: &str| {
            bed.clear(&MIRRORS)?;
            bed.clear(&PEERS)?;
            measure::run(line)
        };
        let pairs = measure::against_two(
            arguments.pairs,
            || {
                bed.clear(&PEERS)?;
                bed.fresh()?;
                measure::run(&ours)
            },
            || peer(&tee),
            || peer(&mbuffer),
        )?;
        // The goals of the product: two and four mirrors. One and three are for orientation.
        let goal = |goal: f64| (mirrors % 2 == 0).then_some(goal);
        let goals = [goal(0.85), goal(0.90)];
        tell(&format!("{name} {mirrors}"), &pairs, goals);
    }
    Ok(())
}

/// The same compression on both sides; ours hashes twice, parses and writes manifests as well.
///
/// # Errors
/// The first command that fails.
pub(crate) fn zstd(arguments: &Arguments, tools: &Tools) -> io::Result<()> {
    if !bed::installed("zstd") {
        println!("zstd: left out, zstd is not installed (Debian: zstd)");
        return Ok(());
    }
    let bed = Bed::make(tools, &arguments.ram, arguments.size)?;
    bed.configure(2, "encoding = \"zstd\"\nzstd_level = 1\n")?;
    let (source, a, b) = (bed.source.display(), bed.path("peer-a"), bed.path("peer-b"));
    let (a, b) = (a.display(), b.display());
    let peer = format!("zstd -q -c -1 -T1 {source} | tee {a} > {b}");
    let ours = bed.import();
    println!("\nzstd: A {ours}   (encoding zstd, level 1)\nzstd: B {peer}");
    let pairs = measure::pairs(
        arguments.pairs,
        || {
            bed.clear(&PEERS)?;
            bed.fresh()?;
            measure::run(&ours)
        },
        || {
            bed.clear(&MIRRORS)?;
            measure::run(&peer)
        },
    )?;
    tell("zstd", &pairs, [None, Some(1.05)]);
    Ok(())
}

/// Damage costs a second read of the chunks it lies in, no more.
///
/// # Errors
/// The first command that fails, or an export that is not byte for byte the source.
pub(crate) fn holes(arguments: &Arguments, tools: &Tools) -> io::Result<()> {
    let bed = Bed::make(tools, &arguments.ram, arguments.size)?;
    bed.fresh()?;
    measure::run(&bed.import())?;
    let copies = bed.copies()?;
    let export = bed.ours(&format!(
        "media export bench --position 1 --to {}",
        bed.path("out").display()
    ));
    // With damage the export ends with 3.
    let ours = format!("{{ {export} ; }} || test $? = 3");
    println!("\nholes: A {export}   ({HOLES} holes of {HOLE} bytes)\nholes: B {export}   (sound)");
    let turn = || -> io::Result<()> {
        for hole in 0..HOLES {
            let copy = copies.get(usize::from(hole % 2 == 1)).map(|path| {
                let place = arguments.size / (HOLES + 1) * (hole + 1);
                invert(path, place)
            });
            copy.transpose()?;
        }
        Ok(())
    };
    let compare = format!(
        "cmp {} {}/*",
        bed.source.display(),
        bed.path("out").display()
    );
    let pairs = measure::pairs(
        arguments.pairs,
        || {
            bed.clear(&["out"])?;
            turn()?;
            let taken = measure::run(&ours)?;
            turn()?;
            measure::run(&compare)?;
            Ok(taken)
        },
        || {
            bed.clear(&["out"])?;
            measure::run(&export)
        },
    )?;
    tell("holes", &pairs, [Some(1.30), None]);
    Ok(())
}

/// Inverts a run of bytes in its place; doing it again takes it back.
fn invert(path: &Path, at: u64) -> io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut bytes = [0; HOLE];
    file.read_exact_at(&mut bytes, at)?;
    for byte in &mut bytes {
        *byte = !*byte;
    }
    file.write_all_at(&bytes, at)
}

/// Everything on a mirror over the bytes of the backup.
///
/// # Errors
/// The first command that fails.
#[allow(clippy::cast_precision_loss, reason = "a ratio with five digits")]
pub(crate) fn overhead(tools: &Tools, root: &Path) -> io::Result<()> {
    let bed = Bed::make(tools, root, SMALL)?;
    bed.fresh()?;
    measure::run(&bed.import())?;
    let mut stored = 0;
    for volume in std::fs::read_dir(bed.path("a"))? {
        for file in std::fs::read_dir(volume?.path())? {
            stored += file?.metadata()?.len();
        }
    }
    let plain = std::fs::metadata(&bed.source)?.len();
    let ratio = stored as f64 / plain as f64;
    println!(
        "\noverhead                 ratio {ratio:.5}   {stored} bytes on a mirror, {plain} in the backup   \
         goal <= 1.00050   {}",
        word(ratio <= 1.0005)
    );
    Ok(())
}
