use super::*;

#[test]
fn a_misspelling_finds_its_word_and_a_stranger_none() {
    let known = ["families", "encoding", "mirrors", "name"];
    let rows = [
        ("famillies", Some("families")),
        ("encodnig", Some("encoding")),
        ("Mirror", Some("mirrors")),
        ("nmae", Some("name")),
        ("retention", None),
    ];
    for (word, expected) in rows {
        assert_eq!(nearest(word, known), expected, "{word}");
    }
}

#[test]
fn without_a_near_word_all_are_named() {
    assert_eq!(
        did_you_mean("x9", ["sql", "windows"]),
        "write one of \"sql\" or \"windows\""
    );
    assert_eq!(did_you_mean("x9", []), "none is configured");
}
