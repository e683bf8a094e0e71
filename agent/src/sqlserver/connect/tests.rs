#![allow(clippy::unwrap_used, clippy::panic)]

use std::net::TcpListener;
use std::time::Instant;

use super::super::Secret;
use super::*;

fn connector(host: &str, port: u16) -> Connector {
    let auth = Auth::Sql {
        user: "backup".into(),
        password: Secret::new("geheim"),
    };
    let mut settings = InstanceSettings::new("payroll", host, Endpoint::Port(port), auth);
    settings.connect_timeout = Duration::from_millis(500);
    settings.connect_retry = Duration::ZERO;
    Connector::new(settings, "run-1")
}

#[test]
fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let fault = connector("127.0.0.1", free)
        .open(Purpose::Work)
        .unwrap_err();
    assert_eq!(fault.code, code::SQL_CONNECT);
    assert!(fault.object.contains("payroll") && fault.object.contains(&free.to_string()));
    assert!(fault.causes[0].contains("refused"), "{fault}");
    assert!(!fault.remedy.is_empty());
}

#[test]
fn an_unknown_host_is_named() {
    let fault = connector("no-such-host.invalid", 1433)
        .open(Purpose::Work)
        .unwrap_err();
    assert_eq!(fault.code, code::SQL_CONNECT);
    assert!(fault.object.contains("no-such-host.invalid"));
}

#[test]
fn a_listener_that_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let begun = Instant::now();
    let port = silent.local_addr().unwrap().port();
    let fault = connector("127.0.0.1", port)
        .open(Purpose::Control)
        .unwrap_err();
    assert_eq!(fault.code, code::SQL_CONNECT);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_listener_that_speaks_something_else_is_told_apart() {
    use std::io::Write;
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut stream, _) = other.accept().unwrap();
        stream
            .write_all(b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n")
            .unwrap();
        thread::sleep(Duration::from_millis(300));
    });
    let fault = connector("127.0.0.1", port)
        .open(Purpose::Work)
        .unwrap_err();
    assert_eq!(fault.code, code::SQL_CONNECT, "{fault}");
    server.join().unwrap();
}

#[test]
fn contradictions_are_found_before_connecting() {
    let mut connector = connector("127.0.0.1", 1);
    connector.settings.trust_server_certificate = true;
    connector.settings.ca_file = Some("/etc/ssl/none.pem".into());
    assert_eq!(
        connector.open(Purpose::Work).unwrap_err().code,
        code::CONFIG_VALUE
    );
}

#[test]
fn a_ca_file_must_be_there_and_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut connector = connector("127.0.0.1", 1);
    let file = folder.path().join("ca.pem");
    connector.settings.ca_file = Some(file.clone());
    assert_eq!(
        connector.open(Purpose::Work).unwrap_err().code,
        code::CONFIG_FILE
    );
    std::fs::write(&file, "no certificate").unwrap();
    let fault = connector.open(Purpose::Work).unwrap_err();
    assert!(fault.message.contains("no PEM certificate"), "{fault}");
    std::fs::write(&file, vec![b'-'; 2 << 20]).unwrap();
    assert!(
        connector
            .open(Purpose::Work)
            .unwrap_err()
            .message
            .contains("1 MiB")
    );
}
