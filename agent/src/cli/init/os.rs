//! The terminal: what is typed is not shown.

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

/// What is typed is shown: nothing else is known of this system's terminal.
#[cfg(not(unix))]
pub(super) fn without_echo() {}
