#![allow(clippy::unwrap_used)]

use super::{Answer, Ask, Command, Completion, LIMIT};

fn asks() -> Vec<Ask> {
    vec![
        Ask::Create {
            instance: Some("PAY".into()),
            name: "twinset-1".into(),
            config: std::array::from_fn(|word| word as u32 + 1),
        },
        Ask::Create {
            instance: None,
            name: "x".into(),
            config: [u32::MAX; 11],
        },
        Ask::Join { name: "ü".into() },
        Ask::Configuration(50),
        Ask::Open { name: "a-1".into() },
        Ask::Command(u32::MAX),
        Ask::Complete(Completion {
            token: u64::MAX,
            code: 38,
            bytes: 512,
            position: 7,
            data: vec![9; 512],
        }),
        Ask::Abort,
        Ask::Close,
    ]
}

#[test]
fn questions_arrive_as_they_were_asked() {
    let mut line = Vec::new();
    for ask in asks() {
        ask.say(&mut line).unwrap();
    }
    let mut end = line.as_slice();
    for ask in asks() {
        assert_eq!(Ask::hear(&mut end).unwrap().unwrap(), ask);
    }
    assert_eq!(Ask::hear(&mut end).unwrap(), None);
}

#[test]
fn answers_arrive_with_what_they_carry() {
    let command = Command {
        token: 3,
        code: 2,
        size: 4,
        position: -1,
        has_buffer: true,
        data: vec![1, 2, 3, 4],
    };
    let config = [7; 11];
    let mut line = Vec::new();
    Answer::of_command(&command).say(&mut line).unwrap();
    Answer::of_config(config).say(&mut line).unwrap();
    Answer::from(-5).say(&mut line).unwrap();
    let mut end = line.as_slice();
    assert_eq!(Answer::hear(&mut end).unwrap().command().unwrap(), command);
    assert_eq!(Answer::hear(&mut end).unwrap().config().unwrap(), config);
    assert_eq!(Answer::hear(&mut end).unwrap(), Answer::from(-5));
    Answer::hear(&mut end).unwrap_err();
}

#[test]
fn what_is_no_question_is_refused() {
    let mut line = Vec::new();
    asks()[0].say(&mut line).unwrap();
    // Every length but the whole: too short, or with something behind it.
    for length in 5..line.len() {
        let mut short = line[..length].to_vec();
        short[..4].copy_from_slice(&(length as u32 - 4).to_le_bytes());
        Ask::hear(&mut short.as_slice()).unwrap_err();
    }
    for wrong in [vec![1, 0, 0, 0, 99], vec![2, 0, 0, 0, 7, 0]] {
        Ask::hear(&mut wrong.as_slice()).unwrap_err();
    }
    let long = (LIMIT as u32 + 1).to_le_bytes();
    Ask::hear(&mut long.as_slice()).unwrap_err();
}
