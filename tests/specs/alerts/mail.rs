//! Mail: alerts come to people, or wait.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::mailbox::{Mailbox, Manner};
use super::{host, time_passes};
use crate::front::Host;

/// An RPO rule that a database without backups breaks.
const RPO: &str = "[alerts]\nrpo = { full = \"8d\" }\n";
const SECRET: &str = "Kein-Brief-davon-0815";

/// A host that mails, with these lines in its table.
fn with_mail(mailbox: &Mailbox, group: &str, lines: &str) -> Host {
    let mut host = host(group, "");
    let path = host.world.path();
    fs::write(path.join("mail-ca.pem"), &mailbox.certificate).unwrap();
    fs::write(path.join("mail-password"), SECRET).unwrap();
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(path.join("mail-password"), private).unwrap();
    let table = format!(
        "[alerts.smtp]\nhost = \"localhost\"\nport = {}\nfrom = \"Twinset <twinset@example.com>\"\n\
         to = [\"dba@example.com\", \"Night <night@example.com>\"]\n{lines}\n",
        mailbox.port
    );
    host.world.configure(|media| media.tables = table);
    host
}

const CLOSED: &str =
    "user = \"twinset\"\npassword_file = \"mail-password\"\nca_file = \"mail-ca.pem\"";

#[test]
fn people_read_what_was_raised_and_what_ended_over_starttls() {
    let manner = Manner {
        offers_tls: true,
        auth: 235,
        ..Manner::default()
    };
    let mailbox = Mailbox::open(manner);
    let host = with_mail(&mailbox, RPO, CLOSED);
    host.world.json(&["alerts", "check"]).ended(3);
    host.world.json(&["alerts", "check"]).ended(3);
    host.backup().ended(0);
    host.world.json(&["alerts", "check"]).ended(0);
    let raised = mailbox.next();
    assert!(raised.tls, "nothing is said before");
    assert!(raised.auth.unwrap().starts_with("AUTH PLAIN "));
    assert!(raised.from.contains("<twinset@example.com>"));
    assert_eq!(raised.to.len(), 2, "{:?}", raised.to);
    for part in [
        "Subject: Twinset sql-a: ",
        "TW6021",
        "Auto-Submitted: auto-generated",
        "This was raised.",
        "Message-ID: ",
        "what to do",
    ] {
        assert!(raised.text.contains(part), "{part}:\n{}", raised.text);
    }
    let ended = mailbox.next();
    assert!(ended.text.contains("This is over."), "{}", ended.text);
    mailbox.is_empty();
}

#[test]
fn tls_from_the_first_byte_and_none_at_all() {
    let rows = [
        (true, "encrypt = \"tls\"\nca_file = \"mail-ca.pem\""),
        (false, "encrypt = \"off\""),
    ];
    for (wraps, lines) in rows {
        let mailbox = Mailbox::open(Manner {
            wraps,
            ..Manner::default()
        });
        let host = with_mail(&mailbox, "", lines);
        host.world.json(&["alerts", "test"]).ended(0);
        let told = mailbox.next();
        assert_eq!(told.tls, wraps);
        assert!(told.text.contains("This is a test."));
        assert_eq!(told.auth, None);
    }
}

#[test]
fn nothing_is_said_to_a_server_that_is_not_the_one() {
    let other = Mailbox::open(Manner::default());
    let offers = Manner {
        offers_tls: true,
        auth: 235,
        ..Manner::default()
    };
    let rows = [
        // No STARTTLS: the password stays here.
        (
            Manner {
                auth: 235,
                ..Manner::default()
            },
            false,
        ),
        // The certificate of somebody else.
        (offers, true),
        // The login is refused.
        (
            Manner {
                auth: 535,
                ..offers
            },
            false,
        ),
        // One of the receivers is.
        (
            Manner {
                greeting: 554,
                ..offers
            },
            false,
        ),
    ];
    for (number, (manner, foreign)) in rows.into_iter().enumerate() {
        let mailbox = Mailbox::open(manner);
        let host = with_mail(&mailbox, "", CLOSED);
        if foreign {
            fs::write(host.world.path().join("mail-ca.pem"), &other.certificate).unwrap();
        }
        let ran = host.world.json(&["alerts", "test"]).ended(1);
        let fault = ran.failed("TW6022").to_string();
        assert!(!fault.contains(SECRET), "{number}: {fault}");
        assert!(!ran.stderr.contains(SECRET), "{number}: {}", ran.stderr);
        mailbox.is_empty();
    }
}

#[test]
fn what_the_server_does_not_take_waits_and_comes_later() {
    let refuses = Mailbox::open(Manner {
        greeting: 421,
        ..Manner::default()
    });
    let mut host = with_mail(&refuses, RPO, "encrypt = \"off\"");
    let ran = host.world.json(&["alerts", "check"]).ended(1);
    assert!(ran.failed("TW6022").to_string().contains("421"));
    refuses.is_empty();
    let takes = Mailbox::open(Manner::default());
    host.world.configure(|media| {
        let (was, is) = (refuses.port.to_string(), takes.port.to_string());
        media.tables = media.tables.replace(&was, &is);
    });
    time_passes(&host);
    host.world.json(&["alerts", "check"]).ended(3);
    assert!(takes.next().text.contains("TW6021"));
    takes.is_empty();
}

#[test]
fn a_receiver_that_is_gone_is_said() {
    let mailbox = Mailbox::open(Manner {
        gone: 550,
        ..Manner::default()
    });
    let mut host = with_mail(&mailbox, "", "encrypt = \"off\"");
    host.world.configure(|media| {
        media.tables = media.tables.replace("dba@", "gone@");
    });
    let ran = host.world.json(&["alerts", "test"]).ended(1);
    assert!(ran.failed("TW6022").to_string().contains("550"));
}

#[test]
fn what_cannot_be_is_refused_with_its_place() {
    let mailbox = Mailbox::open(Manner::default());
    let rows = [
        ("user = \"x\"", "exactly one key"),
        ("password_file = \"mail-password\"", "without `user`"),
        ("encrypt = \"ssl\"", "cannot be"),
        (
            "encrypt = \"off\"\nca_file = \"mail-ca.pem\"",
            "without a certificate",
        ),
    ];
    for (lines, says) in rows {
        let host = with_mail(&mailbox, "", lines);
        let fault = host
            .world
            .json(&["config", "check"])
            .ended(2)
            .failed("TW1002");
        assert!(
            fault["message"].as_str().unwrap().contains(says),
            "{lines}: {fault}"
        );
    }
    let changes = [
        ("dba@example.com", "dba", "no mail address"),
        (
            "Twinset <twinset@example.com>",
            "twinset",
            "no mail address",
        ),
        ("localhost", "mail.example.com", "for everybody to read"),
    ];
    for (was, is, says) in changes {
        let mut host = with_mail(
            &mailbox,
            "",
            "encrypt = \"off\"\nuser = \"x\"\npassword_file = \"mail-password\"",
        );
        host.world
            .configure(|media| media.tables = media.tables.replace(was, is));
        let fault = host
            .world
            .json(&["config", "check"])
            .ended(2)
            .failed("TW1002");
        assert!(
            fault["message"].as_str().unwrap().contains(says),
            "{was}: {fault}"
        );
    }
}
