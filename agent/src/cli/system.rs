//! Verbs that one system alone has.

mod os;

pub(super) use os::run;
