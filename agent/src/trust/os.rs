//! Rights as each system has them.

#[cfg(unix)]
pub(super) use unix::{judge, judge_above};
#[cfg(windows)]
pub(super) use windows::{judge, judge_above};

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    use rustix::process::geteuid;

    use crate::trust::{Keep, Unsafe};

    const OTHERS_WRITE: u32 = 0o022;
    const OTHERS_READ: u32 = 0o004;
    /// In a sticky folder only an entry's owner may rename or remove it.
    const STICKY: u32 = 0o1000;

    /// A folder above what is judged, or a link.
    pub(in crate::trust) fn judge_above(path: &Path) -> io::Result<Option<Unsafe>> {
        judge(path, Keep::FromWriting)
    }

    /// One step of the way.
    pub(in crate::trust) fn judge(path: &Path, keep: Keep) -> io::Result<Option<Unsafe>> {
        let facts = path.symlink_metadata()?;
        let (owner, mode) = (facts.uid(), facts.mode() & 0o7777);
        let shown = path.display();
        let found = |why: String, remedy: String| {
            Ok(Some(Unsafe {
                path: path.to_path_buf(),
                state: format!("belongs to uid {owner} with mode {mode:04o}"),
                why,
                remedy,
                take_back: format!("chown root {shown} && chmod go-w {shown}"),
            }))
        };
        if owner != 0 && owner != geteuid().as_raw() {
            let why = format!("belongs to user {owner}, not to root or the agent's user");
            return found(why, format!("chown root {shown}"));
        }
        // The rights of a symbolic link mean nothing; its folder's do.
        if facts.is_symlink() {
            return Ok(None);
        }
        let sticky = facts.is_dir() && mode & STICKY != 0;
        if mode & OTHERS_WRITE != 0 && !sticky {
            let why = format!("may be written by others (mode {mode:04o})");
            return found(why, format!("chmod go-w {shown}"));
        }
        if keep == Keep::FromReading && mode & OTHERS_READ != 0 {
            let why = format!("may be read by others (mode {mode:04o})");
            return found(why, format!("chmod o-rwx {shown}"));
        }
        Ok(None)
    }
}

#[cfg(windows)]
mod windows {
    use std::io;
    use std::path::Path;

    use twinset_win32::security::{self, Stranger};

    use crate::trust::{Keep, Unsafe};

    /// A folder above what is judged, or a link: others may add names, as in the root of a volume,
    /// and replace none.
    pub(in crate::trust) fn judge_above(path: &Path) -> io::Result<Option<Unsafe>> {
        look(path, security::Keep::Replacing)
    }

    /// What is judged itself.
    pub(in crate::trust) fn judge(path: &Path, keep: Keep) -> io::Result<Option<Unsafe>> {
        look(
            path,
            match keep {
                Keep::FromWriting => security::Keep::Writing,
                Keep::FromReading => security::Keep::Reading,
            },
        )
    }

    fn look(path: &Path, keep: security::Keep) -> io::Result<Option<Unsafe>> {
        let Some(stranger) = security::stranger(path, keep)? else {
            return Ok(None);
        };
        // The form for people, without `\\?\`.
        let shown = path.display().to_string();
        let shown = shown.strip_prefix(r"\\?\").unwrap_or(&shown);
        let owned = format!(r#"icacls "{shown}" /setowner *S-1-5-32-544"#);
        let alone =
            format!(r#"icacls "{shown}" /inheritance:r /grant:r *S-1-5-18:F *S-1-5-32-544:F"#);
        let take_back = format!("{owned} && {alone}");
        let (state, why, remedy) = match stranger {
            Stranger::Owner(who) => (
                format!("belongs to {who}"),
                format!("belongs to {who}, not to administrators, SYSTEM or the agent's user"),
                owned,
            ),
            Stranger::Writes(who) => (
                format!("may be changed by {who}"),
                format!("may be changed by others ({who})"),
                alone,
            ),
            Stranger::Reads(who) => (
                format!("may be read by {who}"),
                format!("may be read by others ({who})"),
                alone,
            ),
            Stranger::Everybody => (
                "has no access list".to_owned(),
                "has no access list, so everybody may change it".to_owned(),
                alone,
            ),
            Stranger::Unknown => (
                "has an access list with an entry of unknown kind".to_owned(),
                "has an access list with an entry of unknown kind".to_owned(),
                alone,
            ),
        };
        Ok(Some(Unsafe {
            path: path.to_path_buf(),
            state,
            why,
            remedy,
            take_back,
        }))
    }
}
