//! Which sets may lie in one media set? One row for each question.
#![allow(clippy::unwrap_used, clippy::panic)]

use twinset_domain::Position;
use twinset_domain::wrapping::{Container, Wrapping, encoding, may_join, same_encoding};

/// The code of a refusal, or `-`.
fn verdict(kept: (&str, Container), new: (&str, Container)) -> String {
    let position = Position::new(3).unwrap();
    let kept = Wrapping::of(kept.0, kept.1);
    match may_join("payroll", (position, kept), Wrapping::of(new.0, new.1)) {
        Ok(()) => "-".to_owned(),
        Err(fault) => fault.code.to_string(),
    }
}

#[test]
fn compressed_and_plain_sets_never_mix_whoever_did_it() {
    use Container::{Compressed, Packed, Plain, Unknown};
    let rows = [
        // One media set has one encoding, so both sides have the same.
        (("raw", Plain), ("raw", Plain), "-"),
        (("raw", Plain), ("raw", Compressed), "3098"),
        (("raw", Plain), ("raw", Packed), "3098"),
        (("raw", Compressed), ("raw", Plain), "3098"),
        (("raw", Packed), ("raw", Plain), "3098"),
        (("raw", Compressed), ("raw", Packed), "-"),
        (("raw", Compressed), ("raw", Compressed), "-"),
        (("raw", Packed), ("raw", Packed), "-"),
        // What nobody knows is judged when the first bytes have come.
        (("raw", Plain), ("raw", Unknown), "-"),
        (("raw", Unknown), ("raw", Plain), "-"),
        // Under zstd all is compressed, under age all is encrypted.
        (("zstd", Plain), ("zstd", Packed), "-"),
        (("zstd", Packed), ("zstd", Plain), "-"),
        (("age", Plain), ("age", Packed), "3098"),
        (("age", Plain), ("age", Plain), "-"),
        (("zstd+age", Plain), ("zstd+age", Compressed), "-"),
        // Other encodings in one media set cannot be; the rule holds all the same.
        (("raw", Plain), ("zstd", Plain), "3098"),
        (("raw", Compressed), ("zstd", Plain), "-"),
        (("raw", Plain), ("age", Plain), "3095"),
        (("age", Plain), ("raw", Plain), "3095"),
        (("zstd", Plain), ("zstd+age", Plain), "3095"),
        (("raw", Plain), ("zstd+age", Plain), "3098"),
    ];
    for (kept, new, code) in rows {
        assert_eq!(verdict(kept, new), code, "{kept:?} then {new:?}");
    }
}

#[test]
fn the_refusal_names_both_sides() {
    let position = Position::new(3).unwrap();
    let kept = Wrapping::of("raw", Container::Plain);
    let new = Wrapping::of("raw", Container::Packed);
    let fault = may_join("payroll", (position, kept), new).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "3098 media set payroll: the set would be compressed (by SQL Server), and those on the \
         media are not compressed\n  cause: the set at position 3 is not compressed\n  remedy: \
         use a media set of its own for it: configure one and format it"
    );
}

#[test]
fn the_configured_encoding_must_be_the_one_of_the_media() {
    let rows = [
        ("raw", "raw", "-"),
        ("raw", "zstd", "3098"),
        ("zstd", "raw", "3098"),
        ("raw", "age", "3095"),
        ("zstd", "zstd+age", "3095"),
        ("zstd+age", "zstd", "3095"),
        ("raw", "zstd+age", "3098"),
        ("age", "zstd", "3098"),
    ];
    for (formatted, configured, code) in rows {
        let found = same_encoding("payroll", formatted, configured)
            .map_or_else(|fault| fault.code.to_string(), |()| "-".to_owned());
        assert_eq!(found, code, "{formatted} then {configured}");
    }
}

#[test]
fn encodings_have_names() {
    let names = [
        encoding(false, false),
        encoding(true, false),
        encoding(false, true),
        encoding(true, true),
    ];
    assert_eq!(names, ["raw", "zstd", "age", "zstd+age"]);
}
