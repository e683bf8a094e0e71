#![allow(clippy::unwrap_used, clippy::panic)]

use super::{Attempt, Piece, Seal};

fn seal() -> Seal {
    let piece = |name: &str, length| Piece {
        name: name.into(),
        length,
        tag: (length == 5).then(|| "abc-2".to_owned()),
        sum: (length == 5).then(|| "sha256:x=".to_owned()),
    };
    Seal {
        attempt: Attempt {
            index: 3,
            run_id: [1; 16],
            mark: 2,
        },
        name: "a.bak".into(),
        pieces: vec![piece("a.bak", 7), piece("a.bak.0002", 5)],
    }
}

#[test]
fn a_seal_comes_back() {
    assert_eq!(Seal::parse(3, &seal().to_bytes()).unwrap(), seal());
    assert_eq!(seal().length(), 12);
}

#[test]
fn a_changed_seal_is_damaged_and_says_where() {
    let text = String::from_utf8(seal().to_bytes().to_vec()).unwrap();
    for (from, to) in [
        ("\"length\":5", "\"length\":6"),
        ("a.bak.0002", "a.bak.0003"),
        ("a.bak.0002", "../x.0002"),
        ("\"objects\":[", "\"objects\":[1,"),
        ("\"attempt\":\"0", "\"attempt\":\"1"),
        ("{", ""),
        ("\"format\":1", "\"format\":0"),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        let fault = Seal::parse(3, changed.as_bytes()).unwrap_err();
        assert!(
            fault
                .text
                .starts_with("sections/00000003: the seal is damaged"),
            "{}",
            fault.text
        );
    }
    assert!(Seal::parse(4, text.as_bytes()).is_err());
    let newer = text.replace("\"format\":1", "\"format\":2");
    let fault = Seal::parse(3, newer.as_bytes()).unwrap_err();
    assert!(
        fault.text.contains("layout 2 is newer than 1"),
        "{}",
        fault.text
    );
}
