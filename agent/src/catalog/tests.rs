#![allow(clippy::unwrap_used)]
use super::*;

fn known(id: MediaSetId, highest: u64) -> KnownSet {
    KnownSet {
        id,
        highest,
        sequence: 0,
    }
}

fn intent(run: RunId, position: u64) -> Intent<'static> {
    let position = Position::new(position).unwrap();
    let (media_set, database, what) = ("payroll", "Payroll", "vdi full");
    Intent {
        media_set,
        run,
        position,
        database,
        what,
        started: Moment(1000),
    }
}

#[test]
fn an_intent_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let (id, run) = (MediaSetId::random(), RunId::random());
    let mut catalog = Catalog::open(folder.path()).unwrap();
    catalog.attach("payroll", &known(id, 0)).unwrap();
    catalog.begin(&intent(run, 4)).unwrap();
    drop(catalog);

    let mut catalog = Catalog::open(folder.path()).unwrap();
    assert_eq!(catalog.media_set("payroll").unwrap(), Some(known(id, 4)));
    let left = catalog.unfinished("payroll").unwrap();
    assert_eq!(
        (left[0].run.as_str(), left[0].position),
        (run.to_string().as_str(), 4)
    );
    let (state, at) = (RunState::Published, Moment(2000));
    catalog
        .end(
            run,
            &RunEnd {
                state,
                at,
                bytes: 9,
                sequence: 3,
                note: None,
            },
        )
        .unwrap();
    assert!(catalog.unfinished("payroll").unwrap().is_empty());
    assert_eq!(catalog.media_set("payroll").unwrap().unwrap().sequence, 3);
    assert_eq!(
        catalog.history("payroll").unwrap()[0].state,
        RunState::Published
    );
}

#[test]
fn positions_never_go_back_for_one_media_set_and_start_anew_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut catalog = Catalog::open(folder.path()).unwrap();
    let (first, second) = (MediaSetId::random(), MediaSetId::random());
    catalog.attach("payroll", &known(first, 7)).unwrap();
    catalog.attach("payroll", &known(first, 3)).unwrap();
    assert_eq!(catalog.media_set("payroll").unwrap(), Some(known(first, 7)));
    catalog.attach("payroll", &known(second, 0)).unwrap();
    assert_eq!(
        catalog.media_set("payroll").unwrap(),
        Some(known(second, 0))
    );
}

#[test]
fn a_file_that_is_no_catalog_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("catalog.sqlite"), vec![1; 5000]).unwrap();
    let fault = Catalog::open(folder.path()).err().unwrap();
    assert_eq!(fault.code, code::CATALOG);
}

#[test]
fn what_is_bound_already_is_not_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let id = MediaSetId::random();
    let mut catalog = Catalog::open(folder.path()).unwrap();
    catalog.attach("payroll", &known(id, 4)).unwrap();
    let written = || {
        let log = folder.path().join("catalog.sqlite-wal");
        std::fs::metadata(log).unwrap().len()
    };
    let before = written();
    catalog.attach("payroll", &known(id, 4)).unwrap();
    catalog.attach("payroll", &known(id, 3)).unwrap();
    assert_eq!(written(), before);
    catalog.attach("payroll", &known(id, 5)).unwrap();
    assert!(written() > before);
    assert_eq!(catalog.media_set("payroll").unwrap(), Some(known(id, 5)));
    let other = MediaSetId::random();
    catalog.attach("payroll", &known(other, 0)).unwrap();
    assert_eq!(catalog.media_set("payroll").unwrap(), Some(known(other, 0)));
}

#[test]
fn a_catalog_that_is_closed_keeps_what_its_log_holds() {
    let folder = tempfile::tempdir().unwrap();
    let id = MediaSetId::random();
    for highest in 1..=3 {
        let mut catalog = Catalog::open(folder.path()).unwrap();
        catalog.attach("payroll", &known(id, highest)).unwrap();
        drop(catalog);
        // Who only reads finds it too.
        let seen = Catalog::look(folder.path()).unwrap().unwrap();
        assert_eq!(seen.media_set("payroll").unwrap(), Some(known(id, highest)));
    }
    // The file alone is an older memory; an empty one is none, whatever log lies beside it.
    std::fs::remove_file(folder.path().join("catalog.sqlite")).unwrap();
    let catalog = Catalog::open(folder.path()).unwrap();
    assert_eq!(catalog.media_set("payroll").unwrap(), None);
}
