use std::fs;
use std::os::unix::fs::PermissionsExt;

use twinset_domain::code;

use super::super::VdiLibrary;
use super::library_path;

const ALL: &[&str] = &[
    "_ZN22ClientVirtualDeviceSet6CreateEPcP8VDConfig",
    "_ZN22ClientVirtualDeviceSet16GetConfigurationElP8VDConfig",
    "_ZN22ClientVirtualDeviceSet10OpenDeviceEPcPP19ClientVirtualDevice",
    "_ZN22ClientVirtualDeviceSet5CloseEv",
    "_ZN22ClientVirtualDeviceSet11SignalAbortEv",
    "_ZN19ClientVirtualDevice10GetCommandElPP11VDC_Command",
    "_ZN19ClientVirtualDevice15CompleteCommandEP11VDC_Commandiml",
];

#[test]
fn a_library_with_every_symbol_loads() {
    assert_eq!(
        VdiLibrary::load(&library_path()).unwrap().path(),
        library_path()
    );
}

#[test]
fn a_missing_symbol_is_named_before_any_job() {
    let folder = tempfile::tempdir().unwrap();
    for (n, symbol) in ALL.iter().enumerate() {
        let partial = folder.path().join(format!("partial{n}.so"));
        sqlvdi::without_symbol(&library_path(), &partial, symbol).unwrap();
        let fault = VdiLibrary::load(&partial).unwrap_err();
        assert_eq!(fault.code, code::VDI_LIBRARY);
        assert!(fault.message.contains(symbol), "{fault}");
    }
}

#[test]
fn a_base_constructor_does_where_the_complete_one_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let partial = folder.path().join("base.so");
    let symbol = "_ZN22ClientVirtualDeviceSetC1Ev";
    sqlvdi::without_symbol(&library_path(), &partial, symbol).unwrap();
    VdiLibrary::load(&partial).unwrap();
}

#[test]
fn a_missing_library_is_named_with_the_remedy() {
    let fault = VdiLibrary::load("/opt/mssql/lib/no-such.so".as_ref()).unwrap_err();
    assert_eq!(fault.code, code::VDI_LIBRARY);
    assert!(fault.object.contains("no-such.so") && fault.remedy.contains("vdi_library"));
}

#[test]
fn the_loaders_own_words_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.so");
    fs::write(
        &text,
        "no library at all, only text, long enough to be read as a header",
    )
    .unwrap();
    let fault = VdiLibrary::load(&text).unwrap_err();
    assert!(
        fault
            .causes
            .iter()
            .any(|cause| cause.contains("invalid ELF header")),
        "{fault}"
    );
    assert!(fault.remedy.contains("LD_LIBRARY_PATH"));
}

#[test]
fn a_library_that_others_may_write_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = folder.path().join("open.so");
    fs::copy(library_path(), &open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o666)).unwrap();
    let fault = VdiLibrary::load(&open).unwrap_err();
    assert!(
        fault.message.contains("may change") && fault.remedy.contains("go-w"),
        "{fault}"
    );

    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    VdiLibrary::load(&open).unwrap_err();
}

#[test]
fn a_relative_path_is_refused() {
    VdiLibrary::load("libsqlvdi.so".as_ref()).unwrap_err();
}
