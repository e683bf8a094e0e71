//! `twinset plugin`.

use std::path::Path;

use serde::Serialize;
use twinset_domain::{Exit, Fault};

use super::args::PluginVerb;
use super::context::{Context, load_policy};
use crate::device::{DeviceClass, PluginFile};
use crate::report::Output;

#[derive(Serialize)]
struct PluginLine {
    name: String,
    path: String,
    vendor: String,
    product: String,
    version: String,
    class: &'static str,
    blake3: String,
}

/// Loads plugins as the agent would and prints what they say of themselves.
pub(super) fn plugin(config: &Path, verb: PluginVerb, output: &Output) -> Exit {
    match verb {
        PluginVerb::Check { file } => {
            let path = std::path::absolute(&file).unwrap_or(file);
            let loaded = PluginFile::load(&path, &load_policy());
            let line = loaded.map(|plugin| line("-", &plugin));
            if let Ok(line) = &line {
                print(line, output);
            }
            output.finish(line.map(|line| (Exit::Done, line)))
        }
        PluginVerb::List => list(config, output),
    }
}

fn list(config: &Path, output: &Output) -> Exit {
    let context = match Context::open(config, output) {
        Ok(context) => context,
        Err(faults) => return output.finish_faults(&faults),
    };
    let (mut lines, mut faults): (Vec<PluginLine>, Vec<Fault>) = (Vec::new(), Vec::new());
    for name in context.config.plugins.keys() {
        match context.plugin(name) {
            Ok(plugin) => {
                let line = line(name, &plugin);
                print(&line, output);
                lines.push(line);
            }
            Err(fault) => faults.push(fault),
        }
    }
    output.finish_both(Exit::Done, lines, &faults)
}

fn line(name: &str, plugin: &PluginFile) -> PluginLine {
    let description = plugin.description();
    PluginLine {
        name: name.to_owned(),
        path: plugin.path().display().to_string(),
        vendor: description.vendor.clone(),
        product: description.product.clone(),
        version: description.version.clone(),
        class: if description.class == DeviceClass::TAPE {
            "tape"
        } else {
            "disk"
        },
        blake3: plugin.blake3().to_owned(),
    }
}

fn print(line: &PluginLine, output: &Output) {
    output.line(format!(
        "{} {} {} {} ({}), {}, blake3 {}",
        line.name, line.vendor, line.product, line.version, line.class, line.path, line.blake3
    ));
}
