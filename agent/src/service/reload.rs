//! Watches the configuration's files, and keeps the last sound ones.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use twinset_domain::{Fault, Moment};

use super::input::Input;
use crate::config::{Config, Standing};

/// Editors write a file in several steps: quiet for so long, it is whole.
const QUIET: Duration = Duration::from_millis(300);

/// Watches the folder of the file and that of the groups, as long as what it gives is kept. Where
/// that is not possible, a restart takes changes in, and the log says so.
pub(super) fn watch(
    file: &Path,
    config: &Config,
    tell: &Sender<Input>,
) -> Option<RecommendedWatcher> {
    let (seen, told) = channel();
    let tell = tell.clone();
    let notice = move || {
        while told.recv().is_ok() {
            loop {
                match told.recv_timeout(QUIET) {
                    Ok(()) => {}
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
            if tell.send(Input::Files).is_err() {
                return;
            }
        }
    };
    let began = thread::Builder::new()
        .name("files".to_owned())
        .spawn(notice);
    let watched = began.map_err(notify::Error::io).and_then(|_| {
        let mut watcher =
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                // Reading the files is no change of them, and others may lie in the folder.
                let ours = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "toml");
                let changed = |event: notify::Event| {
                    !event.kind.is_access()
                        && (event.paths.is_empty() || event.paths.iter().any(ours))
                };
                if event.is_ok_and(changed) {
                    // A service that ends reads no more.
                    let _ = seen.send(());
                }
            })?;
        let folder = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
        let groups = config.agent.groups_dir.as_path();
        if groups != folder && groups.is_dir() {
            watcher.watch(groups, RecursiveMode::NonRecursive)?;
        }
        Ok(watcher)
    });
    watched
        .inspect_err(|error| {
            tracing::warn!(%error, "changed files are seen at the next start only");
        })
        .ok()
}

/// Keeps a sound configuration for the day when its files are faulty; gives what is to be said of
/// one that is.
pub(super) fn keep(standing: &Standing, now: Moment) -> Option<Fault> {
    if let Err(fault) = standing.keep(now) {
        tracing::warn!(%fault, "a faulty file could not fall back to this configuration");
    }
    standing.told()
}
