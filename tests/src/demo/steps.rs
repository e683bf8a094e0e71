//! The steps, in the order in which a person sees them.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde_json::Value;

use super::media;
use super::show::{Show, Shown};
use super::stage::Stage;

/// Bytes of a chunk, the unit of hashing and substitution.
const CHUNK: u64 = 4 << 20;
/// Chunks of mirror 1, family 1 that are damaged.
const DAMAGED_CHUNKS: [u64; 3] = [2, 17, 30];

/// Takes all steps.
pub(super) fn all(stage: &Stage, show: &mut Show) -> io::Result<()> {
    look(stage, show)?;
    format(stage, show)?;
    backup(stage, show)?;
    files(stage, show)?;
    verify(stage, show)?;
    damage(stage, show)?;
    restore(stage, show)?;
    export(stage, show)
}

fn run(stage: &Stage, show: &Show, line: &str) -> io::Result<Shown> {
    show.run(&format!("twinset {line}"), &mut stage.twinset(line))
}

/// The object of a `--json` run that is not shown.
fn ask(stage: &Stage, line: &str) -> io::Result<Value> {
    let output = stage
        .twinset(&format!("--json --no-progress {line}"))
        .output()?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn look(stage: &Stage, show: &mut Show) -> io::Result<()> {
    show.step(
        "Look at everything, touch nothing",
        "A double of SQL Server runs: TDS with TLS, and its own libsqlvdi.so. Twinset is the real one.",
    );
    let checked = run(stage, show, "config check")?;
    show.check("the configuration is sound", checked.code == 0);
    let planned = run(stage, show, "backup payroll --dry-run")?;
    show.check(
        "the dry run finds Payroll online",
        planned.out.contains("Payroll (ONLINE)"),
    );
    let untouched = !stage.path().join("mirror1").exists();
    show.check("nothing was written", planned.code == 0 && untouched);
    Ok(())
}

fn format(stage: &Stage, show: &mut Show) -> io::Result<()> {
    show.step(
        "Format the media set",
        "Two families (stripes) on two mirrors: four volumes, here four folders.",
    );
    let formatted = run(stage, show, "media format payroll")?;
    let headers = volumes(stage)?
        .iter()
        .filter(|volume| volume.join("0000.header.mtf").is_file())
        .count();
    show.check(
        "all four volumes carry a media header",
        formatted.code == 0 && headers == 4,
    );
    Ok(())
}

fn volumes(stage: &Stage) -> io::Result<Vec<PathBuf>> {
    [(1, 1), (1, 2), (2, 1), (2, 2)]
        .into_iter()
        .map(|(mirror, family)| media::volume(stage.path(), mirror, family))
        .collect()
}

fn backup(stage: &Stage, show: &mut Show) -> io::Result<()> {
    show.step(
        "Back the database up",
        "SQL Server streams both families at once; each buffer goes to both mirrors, uncopied.",
    );
    stage.watch(true)?;
    let taken = run(stage, show, "backup payroll")?;
    stage.watch(false)?;
    let published = taken.out.contains("published at position 1");
    show.check(
        "the backup set is published at position 1",
        taken.code == 0 && published,
    );
    let status = run(stage, show, "status payroll")?;
    show.check("status has it, with all mirrors there", status.code == 0);
    Ok(())
}

fn files(stage: &Stage, show: &mut Show) -> io::Result<()> {
    show.step(
        "What lies on a volume",
        "The .bak is what SQL Server wrote, byte for byte; the manifest holds its hashes.",
    );
    let first = media::volume(stage.path(), 1, 1)?;
    show.text(&format!("{}:", first.display()));
    for (name, size) in media::listing(&first)? {
        show.text(&format!("{size:>12}  {name}"));
    }
    let native = media::file(&first, "0001.Payroll.full.")?;
    let mut start = [0; 4];
    io::Read::read_exact(&mut fs::File::open(&native)?, &mut start)?;
    let is_bak = native.extension().is_some_and(|ending| ending == "bak");
    show.check(
        "the data is a native backup file by name and content",
        is_bak && &start == b"TAPE",
    );
    let mut twins = true;
    for family in 1..=2 {
        let one = media::file(&media::volume(stage.path(), 1, family)?, "0001.")?;
        let two = media::file(&media::volume(stage.path(), 2, family)?, "0001.")?;
        twins &= media::same(&one, &two)?;
    }
    show.check("mirror 2 holds the same bytes as mirror 1", twins);
    Ok(())
}

fn verify(stage: &Stage, show: &mut Show) -> io::Result<()> {
    show.step(
        "Verify",
        "Every byte of every mirror is read and compared with its hashes.",
    );
    let sound = run(stage, show, "media verify payroll")?;
    show.check("everything is sound", sound.code == 0);
    Ok(())
}

fn damage(stage: &Stage, show: &mut Show) -> io::Result<()> {
    show.step(
        "Damage mirror 1 in three places, lose a volume of mirror 2",
        "One bit each in three chunks of family 1; the whole of family 2 on the other mirror.",
    );
    let volume = media::volume(stage.path(), 1, 1)?;
    let native = media::file(&volume, "0001.")?;
    for chunk in DAMAGED_CHUNKS {
        let offset = chunk * CHUNK + 1_234_567;
        media::flip(&native, offset)?;
        show.text(&format!(
            "flipped a bit at byte {offset} of {}",
            native.display()
        ));
    }
    let lost = media::volume(stage.path(), 2, 2)?;
    fs::remove_dir_all(&lost)?;
    show.text(&format!("removed {}", lost.display()));
    let found = run(stage, show, "media verify payroll")?;
    show.check(
        "verify ends with 3: damaged, and still readable",
        found.code == 3,
    );
    let named = |chunk: &u64| {
        let (device, chunk) = ("mirror1/family1", format!("chunk {chunk},"));
        found
            .out
            .lines()
            .any(|line| line.contains(device) && line.contains(&chunk))
    };
    let all = DAMAGED_CHUNKS.iter().all(named);
    show.check("it names each damaged chunk with its volume", all);
    let gone = found
        .out
        .lines()
        .any(|line| line.contains("mirror2/family2"));
    show.check("it names the missing volume", gone);
    Ok(())
}

fn restore(stage: &Stage, show: &mut Show) -> io::Result<()> {
    show.step(
        "Restore from what is left",
        "Chunk by chunk from whichever mirror is sound. SQL Server compares what it gets.",
    );
    let planned = run(stage, show, "restore plan Payroll --group payroll")?;
    show.check("the plan says which volume is missing", planned.code == 3);
    let line = "restore run Payroll --group payroll --as Payroll_Copy --on sql-a";
    let restored = run(stage, show, line)?;
    show.check(
        "the restore ends with 3: done, damage healed",
        restored.code == 3,
    );
    let healed = |chunk: &u64| {
        let chunk = format!("chunk {chunk},");
        let told = |line: &str| line.starts_with("damaged") && line.contains(&chunk);
        restored.out.lines().any(told)
    };
    let map = DAMAGED_CHUNKS.iter().all(healed);
    show.check(
        "the damage map names the three chunks and what healed them",
        map,
    );
    let online = stage.state_of("Payroll_Copy").as_deref() == Some("ONLINE");
    show.check(
        "Payroll_Copy is online: SQL Server got exactly what it had sent",
        online,
    );
    Ok(())
}

fn export(stage: &Stage, show: &mut Show) -> io::Result<()> {
    show.step(
        "Native files again",
        "Without Twinset, RESTORE reads them as they are. The statement is printed.",
    );
    let exported = run(stage, show, "media export payroll --position 1 --to native")?;
    let statement = exported
        .out
        .contains("RESTORE DATABASE [Payroll_Copy] FROM DISK");
    show.check(
        "two files and their RESTORE are there",
        exported.code == 3 && statement,
    );
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(stage.path().join("native"))? {
        files.push(entry?.path());
    }
    files.sort();
    // The twins that were never touched: family 1 of mirror 2, family 2 of mirror 1.
    for (family, mirror) in [(1, 2), (2, 1)] {
        let volume = media::volume(stage.path(), mirror, family)?;
        let ours = files
            .get(usize::from(family) - 1)
            .cloned()
            .unwrap_or_default();
        let same = media::same(&ours, &media::file(&volume, "0001.")?)?;
        let named = media::named_hash(&volume)? == media::hash(&ours)?;
        show.check(
            &format!("family {family} is byte for byte what was backed up"),
            same && named,
        );
    }
    let shown = ask(stage, "media show payroll")?;
    let published = shown["result"]["sets"][0]["state"] == "published";
    show.check(
        "the backup set is still published, nothing was changed",
        published,
    );
    Ok(())
}
