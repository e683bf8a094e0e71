//! Judges written in Python: python-tds over the wire.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::World;

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("clients")
        .join(name)
}

/// Runs a script; `None` when the interpreter or a module it needs is missing.
fn run(modules: &str, name: &str, arguments: &[&str]) -> Option<String> {
    let python = std::env::var("TWINSET_PYTHON").unwrap_or_else(|_| "python3".into());
    let has = Command::new(&python)
        .args(["-c", &format!("import {modules}")])
        .output();
    if !has.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: {python} with the modules {modules} is needed (TWINSET_PYTHON)");
        return None;
    }
    let output = Command::new(&python)
        .arg(script(name))
        .args(arguments)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    Some(said)
}

#[test]
fn python_tds_agrees() {
    let world = World::start("required");
    let running = &world.lab.instances[0];
    let (port, ca) = (
        running.port.to_string(),
        running.ca_file.display().to_string(),
    );
    let arguments = ["yes", port.as_str(), ca.as_str(), "twinset", "Secret-1"];
    let Some(said) = run("pytds, OpenSSL", "pytds_check.py", &arguments) else {
        return;
    };
    assert!(said.lines().count() > 10, "{said}");
}
