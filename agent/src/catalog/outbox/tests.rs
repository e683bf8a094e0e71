#![allow(clippy::unwrap_used, clippy::panic)]

use tempfile::TempDir;
use twinset_domain::alert::Alert;
use twinset_domain::code;
use twinset_domain::protection::{Record, Sight};

use super::*;

const NOW: Moment = Moment(1_795_305_600);

fn catalog() -> (TempDir, Catalog) {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(folder.path()).unwrap();
    (folder, catalog)
}

fn raise(catalog: &mut Catalog, object: &str) {
    let alert = Alert::new(code::DEVICE, object, "broken").remedy("look");
    catalog.raise(&alert, NOW).unwrap();
}

/// What waits behind a number, by the names of the events.
fn waiting(catalog: &Catalog, after: u64) -> Vec<String> {
    let events = catalog.batch(after).unwrap().events;
    let name = |told: &Told| {
        let event = serde_json::to_value(&told.event).unwrap();
        event["event"].as_str().unwrap().to_owned()
    };
    events.iter().map(name).collect()
}

#[test]
fn nothing_is_written_down_before_the_first_meeting() {
    let (_folder, mut catalog) = catalog();
    raise(&mut catalog, "a");
    assert_eq!(waiting(&catalog, 0), Vec::<String>::new());
    let sharing = catalog.sharing().unwrap();
    assert_eq!((sharing.epoch, sharing.waiting), (None, None));
    catalog.begin_epoch(1, NOW).unwrap();
    assert_eq!(waiting(&catalog, 0), ["begin", "alert", "whole"]);
    raise(&mut catalog, "b");
    raise(&mut catalog, "b");
    assert_eq!(waiting(&catalog, 3), ["alert"], "seen again is no news");
    assert_eq!(catalog.sharing().unwrap().waiting, Some(4));
}

#[test]
fn a_change_that_is_taken_back_leaves_no_event() {
    let (_folder, mut catalog) = catalog();
    catalog.begin_epoch(1, NOW).unwrap();
    let failed = catalog.in_one(|change| {
        tell(change, || Ok(Some(Event::Begin)))?;
        change.execute("no sql", []).map(drop)
    });
    assert!(failed.is_err());
    assert_eq!(waiting(&catalog, 2), Vec::<String>::new());
    assert_eq!(
        catalog.newest_event().unwrap(),
        2,
        "nor a hole in the numbers"
    );
}

#[test]
fn what_was_taken_waits_no_more_and_another_epoch_takes_nothing() {
    let (_folder, mut catalog) = catalog();
    catalog.begin_epoch(3, NOW).unwrap();
    raise(&mut catalog, "a");
    let (tag, batch) = (
        catalog.tag_of(2).unwrap().unwrap(),
        catalog.batch(2).unwrap(),
    );
    assert_eq!((batch.epoch, batch.before, batch.events.len()), (3, tag, 1));
    let mark = |epoch, last| Mark { epoch, last, tag };
    catalog.acknowledge(&mark(2, 3)).unwrap();
    assert_eq!(waiting(&catalog, 0).len(), 3);
    catalog.acknowledge(&mark(3, 2)).unwrap();
    catalog.acknowledge(&mark(3, 1)).unwrap();
    assert_eq!(waiting(&catalog, 0), ["alert"]);
    assert_eq!(
        catalog.tag_of(2).unwrap(),
        Some(tag),
        "the last tag is kept"
    );
    assert_eq!(catalog.tag_of(1).unwrap(), None);
    let again = catalog.batch(2).unwrap();
    assert_eq!((again.before, again.events), (tag, batch.events));
}

#[test]
fn too_much_is_given_up_for_everything_at_once() {
    let (_folder, mut catalog) = catalog();
    catalog.begin_epoch(1, NOW).unwrap();
    let most = i64::try_from(MAX_WAITING).unwrap();
    let sql = "UPDATE shared SET newest = ?1";
    catalog.connection.execute(sql, [most - 1]).unwrap();
    raise(&mut catalog, "a");
    assert!(catalog.ours().unwrap().open);
    raise(&mut catalog, "b");
    assert!(!catalog.ours().unwrap().open);
    raise(&mut catalog, "c");
    let left = "SELECT count(*) FROM outbox";
    let left: i64 = catalog
        .connection
        .query_row(left, [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0);
    assert_eq!(catalog.sharing().unwrap().waiting, None);
    catalog.begin_epoch(2, NOW).unwrap();
    let all = ["begin", "alert", "alert", "alert", "whole"];
    assert_eq!(waiting(&catalog, 0), all, "nothing is missing");
}

#[test]
fn a_record_that_looks_the_same_to_others_is_told_once() {
    let (_folder, mut catalog) = catalog();
    catalog.begin_epoch(1, NOW).unwrap();
    let mut record = Record::new(NOW);
    catalog.protect("payroll", "Payroll", &record, NOW).unwrap();
    record.sight_since = Moment(NOW.0 + 5);
    catalog.protect("payroll", "Payroll", &record, NOW).unwrap();
    assert_eq!(waiting(&catalog, 2), ["member"]);
    record.sight = Sight::Absent;
    catalog.protect("payroll", "Payroll", &record, NOW).unwrap();
    catalog.unprotect("payroll", "Payroll").unwrap();
    assert_eq!(waiting(&catalog, 2), ["member", "member", "member-gone"]);
}

#[test]
fn how_tries_went_is_remembered() {
    let (folder, mut catalog) = catalog();
    let fault = Fault::new(code::SHARED_AWAY, "there", "it does not answer").remedy("look");
    let tries = Tries::default().badly(7, NOW);
    catalog.tried(tries, Some(&fault)).unwrap();
    drop(catalog);
    let mut catalog = Catalog::open(folder.path()).unwrap();
    let sharing = catalog.sharing().unwrap();
    assert_eq!((sharing.tries, sharing.fault), (tries, Some(fault)));
    catalog.tried(Tries::well(NOW), None).unwrap();
    let sharing = catalog.sharing().unwrap();
    assert_eq!((sharing.tries, sharing.fault), (Tries::well(NOW), None));
}
