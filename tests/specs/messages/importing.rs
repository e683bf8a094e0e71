//! Taking files in.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use insta::assert_snapshot;

use super::{import, printed};
use crate::support::{World, generated};

#[test]
fn published() {
    let world = World::formatted(1, 2);
    assert_snapshot!(printed(&world, &import(&world, &generated(world.path(), 1, 1 << 16, 1))), @r"
    exit 0
    Payroll: full backup published at position 1, 148 KiB in 1 families x 2 mirrors, TIME
    ");
}

#[test]
fn a_missing_stripe() {
    let world = World::formatted(2, 1);
    assert_snapshot!(printed(&world, &import(&world, &generated(world.path(), 1, 1 << 16, 2)[..1])), @r"
    exit 1
    error 3132 ~/source-1-65536-2/Payroll.full.1of2.bak: the backup has 2 families, 1 files were given
      remedy: name one file for each family (stripe) of the backup
    ");
}

#[test]
fn too_many_files() {
    let world = World::formatted(1, 1);
    assert_snapshot!(printed(&world, &import(&world, &generated(world.path(), 1, 1 << 16, 2))), @r"
    exit 1
    error 3231 ~/source-1-65536-2/Payroll.full.1of2.bak, ~/source-1-65536-2/Payroll.full.2of2.bak: the media set has 1 families, 2 files were given
      remedy: import into a media set with as many families as the backup has files
    ");
}

#[test]
fn a_stripe_twice() {
    let world = World::formatted(2, 1);
    let one = generated(world.path(), 1, 1 << 16, 2).remove(0);
    assert_snapshot!(printed(&world, &import(&world, &[one.clone(), one])), @r"
    exit 1
    error 3227 ~/source-1-65536-2/Payroll.full.1of2.bak: is family 1, and so is ~/source-1-65536-2/Payroll.full.1of2.bak
      remedy: name each family once
    ");
}

#[test]
fn stripes_of_two_backups() {
    let world = World::formatted(2, 1);
    let one = generated(world.path(), 1, 1 << 16, 2).remove(0);
    let two = generated(world.path(), 2, 1 << 16, 2).remove(1);
    assert_snapshot!(printed(&world, &import(&world, &[one, two])), @r"
    exit 1
    error 3258 ~/source-2-65536-2/Payroll.full.2of2.bak: is of another backup
      cause: media set ID, not ID
      remedy: name the files of one backup only
    ");
}

#[test]
fn no_backup() {
    let world = World::formatted(1, 1);
    let file = world.path().join("letter.bak");
    fs::write(&file, "dear reader, ".repeat(999)).unwrap();
    assert_snapshot!(printed(&world, &import(&world, &[file])), @r"
    exit 1
    error 3241 ~/letter.bak: is no SQL Server backup
      cause: it begins neither with TAPE nor with MSSQLBAK
      remedy: name files that BACKUP wrote; nothing was imported
    ");
}

#[test]
fn a_truncated_backup() {
    let world = World::formatted(1, 1);
    let file = generated(world.path(), 1, 1 << 16, 1).remove(0);
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() - 512]).unwrap();
    assert_snapshot!(printed(&world, &import(&world, &[file])), @r"
    exit 1
    error 3256 ~/source-1-65536-1/Payroll.full.bak: the backup in it is not complete
      cause: the file ends within a backup set
      remedy: the file was cut off or altered; import a sound copy
    ");
}

#[test]
fn a_missing_file() {
    let world = World::formatted(1, 1);
    assert_snapshot!(printed(&world, &import(&world, &[world.path().join("nothing.bak")])), @r"
    exit 1
    error TW2012 ~/nothing.bak: cannot be opened
      cause: No such file or directory (os error 2)
      remedy: check the path and the rights of the agent's user
    ");
}
