//! All goes well.

use std::fs;

use serde_json::json;

use super::{SMALL, file, import, lengths, media, medium, notes, rows};
use crate::front::{Host, Setup};
use crate::support::World;

#[test]
fn all_mirrors_are_cut_at_the_same_byte_and_the_set_comes_back() {
    let world = rows(&[medium(SMALL), medium(SMALL + (256 << 10))]);
    let files = import(&world, 1, 3 << 20);
    let whole = fs::read(&files[0]).unwrap();
    let length = whole.len() as u64;
    let cut = lengths(&world, 1, 1);
    assert!(cut.len() >= 3, "{cut:?}");
    assert_eq!(cut.iter().sum::<u64>(), length);
    assert_eq!(cut, lengths(&world, 2, 1), "the smallest medium decides");
    for mirror in [1, 2] {
        // Without Twinset: the parts, as long as their notes say, one behind the other.
        let (notes, mut joined) = (notes(&world, mirror), Vec::new());
        for (number, medium) in (0..).zip(media(&world, mirror)) {
            let part = fs::read(file(&medium, "0001.").unwrap()).unwrap();
            let counts = notes.get(number).map_or(part.len(), |note: &_| {
                usize::try_from(note.to - note.from).unwrap()
            });
            joined.extend_from_slice(&part[..counts]);
        }
        assert!(joined == whole, "mirror {mirror}");
        assert_eq!(notes.len() + 1, media(&world, mirror).len());
    }
    world.verify(0);
    world.exports(1, 0, &files);
}

#[test]
fn what_fits_behind_the_warning_is_written_there_and_the_cut_is_where_all_came() {
    let roomy = json!({ "medium_bytes": SMALL, "reserve": 64 << 20 });
    // Longer than what may be on its way when the first mirror is warned.
    let world = rows(&[roomy, medium(64 << 20)]);
    let files = import(&world, 1, 48 << 20);
    let cut = lengths(&world, 1, 1);
    assert_eq!(cut, lengths(&world, 2, 1));
    let [first, _, ..] = cut[..] else {
        panic!("it was warned and did not go on: {cut:?}");
    };
    // Nothing behind the cut: what lies on the first medium is the whole part.
    let first_medium = &media(&world, 2)[0];
    let on_it = fs::metadata(file(first_medium, "0001.").unwrap()).unwrap();
    assert_eq!(on_it.len(), first);
    assert!(first > SMALL, "{cut:?}");
    world.exports(1, 0, &files);
}

#[test]
fn the_next_set_goes_on_the_last_medium_and_further() {
    let world = rows(&[medium(SMALL), medium(SMALL)]);
    let first = import(&world, 1, 1_500_000);
    let second = import(&world, 2, 200_000);
    let third = import(&world, 3, 2_000_000);
    for (position, files) in [(1, &first), (2, &second), (3, &third)] {
        world.exports(position, 0, files);
    }
    assert_eq!(
        lengths(&world, 1, 2),
        [] as [u64; 0],
        "one medium holds it whole"
    );
    assert_eq!(lengths(&world, 1, 3), lengths(&world, 2, 3));
    assert_eq!(world.sets().len(), 3);
    world.verify(0);
}

#[test]
fn a_set_that_ends_where_its_medium_does_needs_no_further_one() {
    let world = rows(&[medium(64 << 20)]);
    let files = import(&world, 1, SMALL);
    let length = fs::metadata(&files[0]).unwrap().len();
    let world = rows(&[medium(length), medium(length)]);
    let files = import(&world, 1, SMALL);
    assert_eq!(media(&world, 1).len(), 1);
    // The next one finds it full, with its first byte.
    let next = import(&world, 2, 100_000);
    assert_eq!(lengths(&world, 1, 2)[0], 0);
    world.exports(1, 0, &files);
    world.exports(2, 0, &next);
    world.verify(0);
}

#[test]
fn every_header_tells_its_number_and_corresponding_ones_are_equal_but_for_the_mirror() {
    let world = rows(&[medium(SMALL), medium(SMALL)]);
    import(&world, 1, 2_500_000);
    let (one, two) = (media(&world, 1), media(&world, 2));
    assert_eq!((one.len(), two.len()), (3, 3));
    for (number, (one, two)) in (1..).zip(one.iter().zip(&two)) {
        let header = |medium| {
            let bytes = fs::read(file(medium, "0000.").unwrap()).unwrap();
            twinset_format::header::MediaHeader::parse(&bytes).unwrap()
        };
        let (one, mut two) = (header(one), header(two));
        assert_eq!(one.media_sequence, number);
        two.mirror = one.mirror;
        assert_eq!(one.to_disk_bytes(), two.to_disk_bytes());
    }
}

#[test]
fn an_encoded_set_is_cut_as_a_raw_one_is() {
    let mut world = World::blank(1, 2);
    world.configure(|config| {
        config.set = "encoding = \"zstd\"\n".to_owned();
        for mirror in [1, 2] {
            config.rows.insert((mirror, 1), medium(SMALL));
        }
    });
    world.json(&["media", "format", "payroll"]).ended(0);
    let files = import(&world, 1, 6 << 20);
    assert!(lengths(&world, 1, 1).len() > 1);
    world.exports(1, 0, &files);
    world.verify(0);
}

#[test]
fn a_backup_of_two_families_through_virtual_devices_spans_and_restores() {
    let mut host = Host::blank(&Setup {
        families: 2,
        ..Setup::default()
    });
    host.world.configure(|config| {
        for mirror in [1, 2] {
            for family in [1, 2] {
                let medium = medium(SMALL - u64::from(mirror) * 4096);
                config.rows.insert((mirror, family), medium);
            }
        }
    });
    host.world.json(&["media", "format", "payroll"]).ended(0);
    host.backup().ended(0);
    assert!(lengths(&host.world, 1, 1).len() > 1);
    assert_eq!(lengths(&host.world, 1, 1), lengths(&host.world, 2, 1));
    host.world.verify(0);
    host.restores("Payroll", 1, "Payroll_Copy");
}
