//! Questions that the `st` driver does not know, asked by `sg_logs` at the drive's other node.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::tape::health::Asker;
use crate::tape::program::Program;

/// Longest time that an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// A log page of the drive, as it sends it. The length is named, since the program would ask twice
/// otherwise, and what the first answer clears the second one would not say.
pub(super) fn page(node: &Path, page: u8, asker: &Asker) -> Result<Vec<u8>, String> {
    let program = Program {
        path: &asker.program,
        key: "sg_logs",
        package: "sg3-utils",
    };
    let page = format!("--page={page:#x}");
    let line = ["--raw", "--readonly", "--maxlen=4096", &page].map(OsStr::new);
    let line = [&line[..], &[node.as_os_str()]].concat();
    let answer = program.run(&line, Stdio::null(), (ANSWER_MAX, &asker.host));
    answer.map_err(|error| error.text)
}

/// The node of `sg` for a drive of `st`, by its name in the kernel.
pub(super) fn node(drive: &str) -> Result<PathBuf, String> {
    let folder = format!("/sys/class/scsi_tape/{drive}/device/scsi_generic");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))?;
    let mut names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let found = names.find(|name| name.starts_with("sg"));
    let name = found.ok_or_else(|| format!("{folder} is empty; load the module sg"))?;
    Ok(Path::new("/dev").join(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use twinset_plugin_api::Host;

    use super::page;
    use crate::tape::health::{Asker, Book};

    #[test]
    fn the_program_is_asked_once_and_its_bytes_are_given() {
        let folder = tempfile::tempdir().unwrap();
        let (made, program) = (folder.path().join("made"), folder.path().join("sg_logs"));
        let script = "#!/bin/sh\necho \"$@\" >> \"${0%/*}/told\"\nprintf '.\\000\\377'\n\
            [ \"$5\" = /dev/sg9 ] || { echo 'Illegal request' >&2; exit 5; }\n";
        fs::write(&made, script).unwrap();
        fs::set_permissions(&made, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(&made, &program).unwrap();
        let mut asker = Asker {
            book: Book::default(),
            host: Host::silent(),
            program,
            takes: true,
        };
        assert_eq!(
            page(Path::new("/dev/sg9"), 0x2e, &asker).unwrap(),
            b".\0\xff"
        );
        let told = fs::read_to_string(folder.path().join("told")).unwrap();
        assert_eq!(
            told,
            "--raw --readonly --maxlen=4096 --page=0x2e /dev/sg9\n"
        );
        let refused = page(Path::new("/dev/sg8"), 0x31, &asker).unwrap_err();
        assert!(
            refused.ends_with("/dev/sg8: exit status: 5: Illegal request"),
            "{refused}"
        );
        asker.program = folder.path().join("none");
        let none = page(Path::new("/dev/sg9"), 0x31, &asker).unwrap_err();
        assert!(
            none.ends_with("install sg3-utils, or name it: `sg_logs`"),
            "{none}"
        );
    }
}
