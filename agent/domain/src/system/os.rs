//! Which system this program is made for.

use super::System;

#[cfg(unix)]
pub(super) const HERE: &System = &super::LINUX;
#[cfg(windows)]
pub(super) const HERE: &System = &super::WINDOWS;
