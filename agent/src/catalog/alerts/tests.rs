#![allow(clippy::unwrap_used, clippy::panic)]

use tempfile::TempDir;
use twinset_domain::code;

use super::*;

fn catalog() -> (TempDir, Catalog) {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(folder.path()).unwrap();
    (folder, catalog)
}

fn alert(object: &str, message: &str) -> Alert {
    Alert::new(code::DEVICE, object, message)
        .remedy("look")
        .group("payroll")
}

fn news(catalog: &Catalog, channel: &str, now: i64) -> Vec<(Event, i64)> {
    let parcels = catalog.parcels(channel, "sql-a", Moment(now)).unwrap();
    let told = |parcel: &Parcel| (parcel.notice.event, parcel.notice.alert.id);
    parcels.iter().map(told).collect()
}

#[test]
fn an_alert_is_raised_once_and_updated_in_place() {
    let (_folder, mut catalog) = catalog();
    let raised = catalog.raise(&alert("a", "first"), Moment(10)).unwrap();
    assert_eq!(raised, Raised::New);
    let again = catalog.raise(&alert("a", "second"), Moment(20)).unwrap();
    assert_eq!(again, Raised::Again);
    catalog.raise(&alert("b", "other"), Moment(30)).unwrap();
    let open = catalog.open_alerts().unwrap();
    assert_eq!(open.len(), 2);
    let first = open.iter().find(|alert| alert.object == "a").unwrap();
    assert_eq!(
        (first.first, first.last, first.times, first.message.as_str()),
        (Moment(10), Moment(20), 2, "second")
    );
    assert_eq!(first.group.as_deref(), Some("payroll"));
    assert_eq!(
        news(&catalog, "command", 30),
        [(Event::Raised, 1), (Event::Raised, 2)]
    );
    // Worse than before: told again.
    let worse = alert("a", "third").severity(Severity::Critical);
    assert_eq!(catalog.raise(&worse, Moment(40)).unwrap(), Raised::Again);
    assert_eq!(news(&catalog, "command", 40).len(), 3);
    assert_eq!(
        catalog.open_alerts().unwrap()[0].object,
        "a",
        "the worst first"
    );
}

#[test]
fn an_alert_ends_by_cause_or_by_hand_and_stays_in_the_history() {
    let (_folder, mut catalog) = catalog();
    for object in ["a", "b", "c"] {
        catalog.raise(&alert(object, "wrong"), Moment(10)).unwrap();
    }
    assert!(catalog.resolve(code::DEVICE, "a", Moment(20)).unwrap());
    assert!(!catalog.resolve(code::DEVICE, "a", Moment(21)).unwrap());
    assert_eq!(catalog.resolve_about("b", Moment(22)).unwrap().len(), 1);
    let which = Which {
        id: Some(3),
        ..Which::default()
    };
    let ended = catalog.resolve_by_hand(&which, Some("known"), Moment(30));
    assert_eq!(ended.unwrap().len(), 1);
    assert_eq!(catalog.open_alerts().unwrap(), []);
    let history = catalog.ended_alerts(Moment(0)).unwrap();
    let ends: Vec<_> = history
        .iter()
        .map(|alert| alert.resolved.clone().unwrap())
        .collect();
    assert_eq!(
        (ends[0].by_hand, ends[0].note.as_deref()),
        (true, Some("known"))
    );
    assert_eq!((ends[2].by_hand, ends[2].at), (false, Moment(20)));
    // Raised anew it is another one.
    let raised = catalog.raise(&alert("a", "wrong"), Moment(40)).unwrap();
    assert_eq!(
        (raised, catalog.open_alerts().unwrap()[0].id),
        (Raised::New, 4)
    );
}

#[test]
fn nothing_is_lost_while_a_receiver_is_down() {
    let (folder, mut catalog) = catalog();
    catalog.raise(&alert("a", "wrong"), Moment(10)).unwrap();
    let parcel = catalog
        .parcels("webhook", "sql-a", Moment(10))
        .unwrap()
        .remove(0);
    assert_eq!(parcel.notice.agent, "sql-a");
    catalog
        .delivered("webhook", &parcel, Some("refused"), Moment(10))
        .unwrap();
    drop(catalog);
    let mut catalog = Catalog::open(folder.path()).unwrap();
    assert_eq!(news(&catalog, "webhook", 39), []);
    assert_eq!(news(&catalog, "webhook", 40), [(Event::Raised, 1)]);
    assert_eq!(
        news(&catalog, "command", 11),
        [(Event::Raised, 1)],
        "each by itself"
    );
    // A clock that was set back does not silence a channel.
    assert_eq!(news(&catalog, "webhook", -9000), [(Event::Raised, 1)]);
    let parcel = catalog
        .parcels("webhook", "sql-a", Moment(40))
        .unwrap()
        .remove(0);
    assert_eq!(parcel.tries, 1);
    catalog
        .delivered("webhook", &parcel, None, Moment(40))
        .unwrap();
    assert_eq!(news(&catalog, "webhook", 50_000), []);
    let mut parcel = catalog
        .parcels("command", "sql-a", Moment(40))
        .unwrap()
        .remove(0);
    parcel.tries = Backoff::USUAL.tries - 1;
    catalog
        .delivered("command", &parcel, Some("x"), Moment(40))
        .unwrap();
    assert_eq!(news(&catalog, "command", 50_000), [], "given up");
}
