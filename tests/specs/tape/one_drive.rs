//! Rows of cartridges, read with a drive that a person feeds.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::BLOCK;
use super::spanning::{cartridge, cartridges, formatted, on_shelves, shelf};
use crate::front::{Host, Setup};
use crate::support::{Running, World, generated};

/// One drive, and the row that lies beside it.
struct Desk {
    drive: PathBuf,
    row: Vec<PathBuf>,
    /// Which one of them is in the drive.
    inside: usize,
}

impl Desk {
    /// A row beside a drive with its last cartridge.
    fn new(drive: &Path, row: Vec<PathBuf>) -> Self {
        let inside = row.len() - 1;
        fs::rename(&row[inside], drive).unwrap();
        let drive = drive.to_owned();
        Self { drive, row, inside }
    }

    /// The row of a place.
    fn of(world: &World, mirror: u8, family: u16) -> Self {
        let count = u32::try_from(cartridges(world, mirror, family)).unwrap();
        assert!(count >= 2, "{count}");
        let row = (1..=count).map(|number| cartridge(world, mirror, family, number));
        let drive = world.path().join(format!("drive-m{mirror}f{family}.tap"));
        Self::new(&drive, row.collect())
    }

    /// Changes the cartridge in the drive.
    fn change(&mut self, number: usize) {
        fs::rename(&self.drive, &self.row[self.inside]).unwrap();
        self.inside = number - 1;
        fs::rename(&self.row[self.inside], &self.drive).unwrap();
    }

    /// Brings one after the other, as it is asked for; the last one may hold no data.
    fn feed(&mut self, run: &mut Running) {
        for number in 1..self.row.len() {
            let line = run.line_with(&format!("put tape {number} of this row in"));
            assert!(line.contains("\"operator\""), "{line}");
            self.change(number);
        }
        if run.says(&format!("put tape {} of this row in", self.row.len())) {
            self.change(self.row.len());
        }
    }

    /// The last one of the row is in the drive again.
    fn settle(&mut self) {
        self.change(self.row.len());
    }

    fn options(&self) -> serde_json::Value {
        json!({ "image": self.drive, "block_size": BLOCK })
    }
}

/// A world of one family whose mirrors have a drive each.
fn fed(mirrors: u8, more: &str) -> (World, Vec<PathBuf>, Vec<Desk>) {
    let mut world = formatted(1, mirrors);
    let source = generated(world.path(), 1, 5 << 20, 1);
    world.import(&source).ended(0);
    let desks: Vec<Desk> = (1..=mirrors).map(|m| Desk::of(&world, m, 1)).collect();
    world.configure(|media| {
        more.clone_into(&mut media.set);
        for (mirror, desk) in (1..).zip(&desks) {
            media.tapes.insert((mirror, 1), desk.options());
        }
    });
    (world, source, desks)
}

#[test]
fn a_row_is_verified_and_given_back_cartridge_by_cartridge() {
    let (world, source, mut desks) = fed(1, "");
    let mut run = world.start(&["media", "verify", "payroll"]);
    desks[0].feed(&mut run);
    assert_eq!(run.end().ended(0).result()["damage"], json!([]));
    desks[0].settle();
    let out = world.path().join("given");
    let line = ["media", "export", "payroll", "--position", "1", "--to"];
    let mut run = world.start(&[&line[..], &[out.to_str().unwrap()]].concat());
    desks[0].feed(&mut run);
    run.end().ended(0);
    let given = fs::read_dir(&out).unwrap().next().unwrap().unwrap().path();
    assert!(fs::read(given).unwrap() == fs::read(&source[0]).unwrap());
}

/// Both drives ask; whichever is served first gives the bytes, and the other is no damage.
#[test]
fn it_is_enough_to_feed_one_of_two_drives() {
    let (world, _, mut desks) = fed(2, "");
    let out = world.path().join("given");
    let line = ["media", "export", "payroll", "--position", "1", "--to"];
    let mut run = world.start(&[&line[..], &[out.to_str().unwrap()]].concat());
    desks[1].feed(&mut run);
    let exported = run.end().ended(0).result();
    assert_eq!(exported["map"]["damage"], json!([]), "{exported}");
}

#[test]
fn nobody_comes_and_what_was_asked_for_is_told() {
    let (world, _, _) = fed(1, "medium_wait = \"0s\"\n");
    let damage = world.verify(4)["damage"].to_string();
    assert!(damage.contains("of this row in, last seen as"), "{damage}");
}

#[test]
fn the_operator_may_stop_it_instead() {
    let (world, _, _) = fed(1, "");
    let mut run = world.start(&["media", "verify", "payroll"]);
    run.line_with("put tape 1 of this row in");
    run.stop().failed("TW5004");
}

/// Two families on two mirrors over three cartridges each, and one drive for all of them.
#[test]
fn a_database_on_many_cartridges_is_restored_with_one_drive() {
    let mut host = Host::blank(&Setup {
        families: 2,
        ..Setup::default()
    });
    on_shelves(&mut host.world);
    host.world.configure(|media| {
        media.tables = "[restore]\nspool_dir = \"spool\"\n".to_owned();
        for options in media.tapes.values_mut() {
            options["capacity"] = json!(1_300_000);
        }
    });
    let world = &host.world;
    world.json(&["media", "format", "payroll"]).ended(0);
    host.backup().ended(0);
    let drive = world.path().join("drive.tap");
    // All of them are taken out of the library.
    let away = |mirror: u8, family: u16| {
        let count = u32::try_from(cartridges(world, mirror, family)).unwrap();
        assert!(count >= 3, "{count}");
        let to = world.path().join(format!("vault-m{mirror}f{family}"));
        fs::rename(shelf(world, mirror, family), &to).unwrap();
        let name = |number| to.join(format!("{number:04}.tap"));
        (1..=count).map(name).collect::<Vec<PathBuf>>()
    };
    let rows: Vec<_> = [(1, 1), (2, 2), (2, 1), (1, 2)]
        .map(|(mirror, family)| away(mirror, family))
        .into();
    for row in rows {
        let mut desk = Desk::new(&drive, row);
        let device = desk.options().to_string();
        let line = [
            "media", "spool", "payroll", "--plugin", "tape", "--device", &device,
        ];
        let mut run = world.start(&line);
        desk.feed(&mut run);
        run.end().ended(0);
        fs::rename(&drive, world.path().join("done.tap")).unwrap();
    }
    host.restores("Payroll", 1, "Payroll_Copy");
}
