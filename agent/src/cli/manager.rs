//! The service manager of the system, where it wants to be asked by the program itself.

mod os;

pub(super) use os::run;
