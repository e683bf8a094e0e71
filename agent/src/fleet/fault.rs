//! What went wrong with PostgreSQL, in words that help.

use std::error::Error as _;
use std::fmt::Display;
use std::io;

use tokio_postgres::Error;
use twinset_domain::{Fault, code};

/// SQLSTATE of a missing right.
const NO_RIGHT: &str = "42501";
/// SQLSTATEs of transactions that got in each other's way: serialization, deadlock, a row that the
/// other removed meanwhile, one that both made.
const CLASHES: [&str; 4] = ["40001", "40P01", "23503", "23505"];

/// The five letters of the server's answer, if it is one.
fn state(error: &Error) -> Option<&str> {
    error.code().map(tokio_postgres::error::SqlState::code)
}

/// Whether a right is missing.
pub(super) fn is_right(error: &Error) -> bool {
    state(error) == Some(NO_RIGHT)
}

/// Whether the same again may go well.
pub(super) fn is_clash(error: &Error) -> bool {
    state(error).is_some_and(|state| CLASHES.contains(&state))
}

/// What a failed call means.
pub(super) fn of(object: &str, error: &Error) -> Fault {
    match state(error) {
        Some(known) => answered(object, known, error),
        None => unanswered(object, error),
    }
}

/// The server said no.
fn answered(object: &str, state: &str, error: &Error) -> Fault {
    let said = error
        .as_db_error()
        .map_or_else(|| error.to_string(), |said| said.message().to_owned());
    let (class, cause) = (
        state.get(..2).unwrap_or_default(),
        format!("{state}: {said}"),
    );
    let refused = |message: &str, remedy: &str| {
        Fault::new(code::SHARED_REFUSED, object, message)
            .cause(&cause)
            .remedy(remedy)
    };
    match (state, class) {
        (_, "28") => refused(
            "it does not let this agent log in",
            "look at `user` and its password in [shared_catalog], and at pg_hba.conf of the server",
        ),
        ("3D000", _) => refused(
            "it has no such database",
            "create it (CREATE DATABASE), or correct `database` in [shared_catalog]",
        ),
        (NO_RIGHT, _) => refused(
            "a right at its tables is missing",
            "grant what `twinset catalog schema` names at its end",
        ),
        // Starting, stopping, out of connections, told to go away.
        (_, "57" | "08") | ("53300", _) => {
            Fault::new(code::SHARED_AWAY, object, "it does not answer now")
                .cause(cause)
                .remedy("nothing needs to be done: what waits is told when it answers again")
        }
        (_, "53") => Fault::new(
            code::SHARED_WRITE,
            object,
            "it has no room for what it is told",
        )
        .cause(cause)
        .remedy("make room at the PostgreSQL server; what waits is told then"),
        ("42P01" | "42703" | "3F000", _) => Fault::new(
            code::SHARED_SCHEMA,
            object,
            "its tables are not those of Twinset",
        )
        .cause(cause)
        .remedy("compare them with: twinset catalog schema"),
        _ => Fault::new(
            code::SHARED_WRITE,
            object,
            "it did not take in what it was told",
        )
        .cause(cause)
        .remedy("look into the log of the PostgreSQL server; it is tried again by itself"),
    }
}

/// The connection failed.
fn unanswered(object: &str, error: &Error) -> Fault {
    let mut next = error.source();
    while let Some(one) = next {
        let inner = one.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return trust(object, tls);
        }
        if let Some(tls) = one.downcast_ref::<rustls::Error>() {
            return trust(object, tls);
        }
        next = one.source();
    }
    let text = chain(error);
    if text.contains("does not support TLS") {
        return trust(object, &"the server does not offer TLS");
    }
    if text.contains("password") || text.contains("authentication") {
        return Fault::new(
            code::SHARED_REFUSED,
            object,
            "it does not let this agent log in",
        )
        .cause(text)
        .remedy(
            "look at `user` and its password in [shared_catalog], and at pg_hba.conf of the server",
        );
    }
    away(object, &text)
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(one) = next {
        let more = one.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = one.source();
    }
    text
}

fn away(object: &str, cause: &dyn Display) -> Fault {
    Fault::new(code::SHARED_AWAY, object, "it does not answer")
        .cause(cause)
        .remedy("look at the server and the network; what waits is told when it answers again")
}

/// Nothing came in time.
pub(super) fn late(object: &str) -> Fault {
    away(object, &"no answer within `timeout` of [shared_catalog]")
}

/// The network failed.
pub(super) fn io(object: &str, error: &io::Error) -> Fault {
    away(object, error)
}

/// The server is not the one that is meant, or cannot prove it.
pub(super) fn trust(object: &str, cause: &dyn Display) -> Fault {
    Fault::new(
        code::SHARED_TRUST,
        object,
        "its certificate does not prove that it is the one",
    )
    .cause(cause)
    .remedy(
        "give it a certificate for its name; `ca_file` names the authority, `server_name` the \
             name, where they are others",
    )
}

/// Nobody is known who could sign its certificate.
pub(super) fn authorities(object: &str, cause: String) -> Fault {
    Fault::new(
        code::SHARED_TRUST,
        object,
        "the authorities that it is judged by cannot be read",
    )
    .cause(cause)
    .remedy("correct `ca_file` in [shared_catalog], or install the system's authorities")
}
