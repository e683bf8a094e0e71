//! The terminal, where what is typed is not shown, and where the installation lies.

/// The disk plugin's file.
#[cfg(unix)]
pub(super) const PLUGIN_FILE: &str = "libtwinset_disk.so";
/// The disk plugin's file.
#[cfg(windows)]
pub(super) const PLUGIN_FILE: &str = "twinset_disk.dll";
/// Where packages put it.
#[cfg(unix)]
pub(super) const PLUGIN: &str = "/usr/lib/twinset/plugins/libtwinset_disk.so";
/// Where it belongs.
#[cfg(windows)]
pub(super) const PLUGIN: &str = r"C:\Program Files\Twinset\plugins\twinset_disk.dll";

#[cfg(unix)]
mod unix {
    use std::io;

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    /// The terminal as it was; it is so again when this is dropped.
    #[derive(Debug)]
    pub(in crate::cli::init) struct Silence(Option<Termios>);

    /// Stops the echo of standard input, where that is a terminal.
    pub(in crate::cli::init) fn without_echo() -> Silence {
        let Ok(before) = tcgetattr(io::stdin()) else {
            return Silence(None);
        };
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        let set = tcsetattr(io::stdin(), OptionalActions::Flush, &silent);
        Silence(set.is_ok().then_some(before))
    }

    impl Drop for Silence {
        fn drop(&mut self) {
            if let Some(before) = &self.0 {
                let _ = tcsetattr(io::stdin(), OptionalActions::Flush, before);
            }
        }
    }
}

#[cfg(unix)]
pub(super) use unix::without_echo;

#[cfg(windows)]
pub(super) use twinset_win32::console::without_echo;
