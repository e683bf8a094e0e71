#![allow(clippy::unwrap_used)]

use super::*;

const GIB: u64 = 1 << 30;

fn work(total: Option<u64>) -> Work {
    Work {
        what: "backup Payroll".to_owned(),
        total,
        since: Instant::now(),
    }
}

#[test]
fn lines_say_how_far_how_fast_and_how_long() {
    let seconds = Duration::from_secs;
    let lines = [
        line(&work(Some(4 * GIB)), GIB, seconds(5)),
        line(&work(Some(4 * GIB)), 5 * GIB, seconds(20)),
        line(&work(None), GIB, seconds(5)),
        line(&work(Some(4 * GIB)), 0, Duration::ZERO),
        line(&work(Some(0)), 0, seconds(1)),
        end_line(&work(None), 4 * GIB, seconds(200)),
        json_line("running", &work(Some(2)), 1, seconds(1)),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r#"
    backup Payroll: 1.00 GiB of 4.00 GiB (25 %), 205 MiB/s, 15.0 s left
    backup Payroll: 5.00 GiB of 4.00 GiB (100 %), 256 MiB/s
    backup Payroll: 1.00 GiB, 205 MiB/s
    backup Payroll: 0 B of 4.00 GiB (0 %)
    backup Payroll: 0 B of 0 B (100 %), 0 B/s
    backup Payroll: 4.00 GiB in 3 min 20 s, 20.5 MiB/s
    {"progress":{"done":1,"elapsed_ms":1000,"state":"running","total":2,"what":"backup Payroll"}}
    "#);
}

/// A reporter that keeps its lines and looks every millisecond.
fn reporter(style: Style) -> (Reporter, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = lines.clone();
    let sink = move |line: &str| kept.lock().unwrap().push(line.to_owned());
    (
        Reporter::with(style, Duration::from_millis(1), Box::new(sink)),
        lines,
    )
}

#[test]
fn many_threads_advance_and_the_end_counts_them_all() {
    let (reporter, lines) = reporter(Style::Json);
    reporter.begin("verify", Some(8000));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..1000).for_each(|_| reporter.advance(1)));
        }
    });
    while lines.lock().unwrap().len() < 3 {
        thread::sleep(Duration::from_millis(1));
    }
    reporter.end();
    reporter.end();
    let lines = lines.lock().unwrap();
    assert!(lines[0].contains(r#""state":"begin""#));
    assert!(lines[1].contains(r#""state":"running""#));
    let last = lines.last().unwrap();
    assert!(
        last.contains(r#""done":8000"#) && last.contains(r#""state":"end""#),
        "{last}"
    );
}

#[test]
fn silence_is_kept_and_notes_pass_without_progress() {
    for (style, expected) in [(Style::Silent, 0), (Style::Notes, 1)] {
        let (reporter, lines) = reporter(style);
        reporter.begin("verify", None);
        reporter.advance(1);
        reporter.note("mirror 2 dropped");
        drop(reporter);
        assert_eq!(lines.lock().unwrap().len(), expected, "{style:?}");
    }
}

#[test]
fn a_bar_makes_room_for_notes_and_ends_in_a_line() {
    let (reporter, lines) = reporter(Style::Bar);
    for total in [Some(100 << 20), None] {
        reporter.begin("backup Payroll", total);
        for _ in 0..10 {
            reporter.advance(10 << 20);
            thread::sleep(Duration::from_millis(3));
        }
        aside(|| reporter.note("mirror 2 dropped"));
    }
    reporter.end();
    let lines = lines.lock().unwrap();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(
        lines[3].starts_with("backup Payroll: 100 MiB in "),
        "{lines:?}"
    );
}
