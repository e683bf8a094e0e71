#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use tokio::net::UdpSocket;

use super::*;

fn answer(body: &str) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_le_bytes();
    [&[5], length.as_slice(), body.as_bytes()].concat()
}

const PAYROLL: &str = "ServerName;HOST;InstanceName;PAYROLL;IsClustered;No;Version;16.0.1000.6;\
                       tcp;50123;np;\\\\HOST\\pipe;;";

#[test]
fn the_port_stands_behind_tcp() {
    assert_eq!(parse(&answer(PAYROLL), "payroll"), Ok(50123));
}

#[test]
fn another_instance_or_no_tcp_is_said() {
    assert!(
        parse(&answer(PAYROLL), "OTHER")
            .unwrap_err()
            .contains("does not know")
    );
    let pipes = "ServerName;HOST;InstanceName;PAYROLL;np;x;;";
    assert!(
        parse(&answer(pipes), "PAYROLL")
            .unwrap_err()
            .contains("TCP")
    );
    let zero = PAYROLL.replace("50123", "0");
    assert!(parse(&answer(&zero), "PAYROLL").is_err());
}

proptest! {
    #[test]
    fn nothing_that_arrives_can_hurt(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes, "PAYROLL");
    }

    #[test]
    fn a_cut_answer_is_refused(length in 0..3 + PAYROLL.len()) {
        prop_assert!(parse(&answer(PAYROLL)[..length], "PAYROLL").is_err());
    }
}

#[test]
fn a_lost_datagram_is_asked_for_again() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let browser = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = browser.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let mut question = [0; 64];
            browser.recv_from(&mut question).await.unwrap();
            let (length, from) = browser.recv_from(&mut question).await.unwrap();
            browser.send_to(&answer(PAYROLL), from).await.unwrap();
            question[..length].to_vec()
        });
        assert_eq!(port_at(address, "Payroll").await, Ok(50123));
        assert_eq!(server.await.unwrap(), b"\x04Payroll\0");
    });
}

#[test]
fn silence_ends_after_the_tries() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let error = runtime.block_on(port_at(address, "PAYROLL")).unwrap_err();
    assert!(error.contains("does not answer"));
}
