#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

fn read_all(bytes: &[u8]) -> io::Result<Option<Message>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(read_message(&mut &bytes[..]))
}

#[test]
fn every_packet_but_the_last_is_full() {
    let mut packets = Packets::new(ANSWER, 512, 51);
    let mut out = Vec::new();
    packets.push(&[7; 504 * 2], &mut out);
    packets.finish(&mut out);
    assert_eq!(out.len(), 1024);
    assert_eq!(out[..8], [4, 0, 2, 0, 0, 51, 1, 0]);
    assert_eq!(out[512..520], [4, 1, 2, 0, 0, 51, 2, 0]);
}

#[test]
fn a_flush_sends_a_short_packet_that_is_not_the_last() {
    let mut packets = Packets::new(ANSWER, 512, 51);
    let mut out = Vec::new();
    packets.push(&[7; 10], &mut out);
    assert!(out.is_empty());
    packets.flush(&mut out);
    assert_eq!(out[..8], [4, 0, 0, 18, 0, 51, 1, 0]);
    packets.finish(&mut out);
    assert_eq!(out[18..], [4, 1, 0, 8, 0, 51, 2, 0]);
}

#[test]
fn packets_join_to_messages() {
    let bytes = [
        1, 0, 0, 10, 0, 0, 1, 0, b'a', b'b', 1, 1, 0, 9, 0, 0, 2, 0, b'c',
    ];
    let message = read_all(&bytes).unwrap().unwrap();
    assert_eq!(
        (message.kind, message.body.as_slice()),
        (BATCH, &b"abc"[..])
    );
    assert!(read_all(&[]).unwrap().is_none());
}

#[test]
fn what_the_client_takes_back_is_not_run() {
    let taken_back = [1, 3, 0, 9, 0, 0, 1, 0, b'a'];
    let after = [1, 1, 0, 9, 0, 0, 1, 0, b'b'];
    let message = read_all(&[taken_back, after].concat()).unwrap().unwrap();
    assert_eq!(message.body, b"b");
}

#[test]
fn lengths_that_cannot_be_are_refused() {
    assert!(read_all(&[1, 1, 0, 7, 0, 0, 1, 0]).is_err());
    for cut in 1..17 {
        let bytes = [1, 1, 0, 17, 0, 0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        assert!(read_all(&bytes[..cut]).is_err() || cut < 8, "cut at {cut}");
    }
}
