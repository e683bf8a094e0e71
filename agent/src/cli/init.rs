//! `twinset init`: from nothing to the first protected database.

mod answers;
mod ask;
mod os;

use std::path::Path;

use serde::Serialize;
use twinset_domain::grants::{self, Wanted};
use twinset_domain::system::HERE;
use twinset_domain::{Exit, Fault, code};

use super::args::DEFAULT_CONFIG;
use super::args::InitArgs;
use super::grants::{named, needed};
use crate::config::draft::{self, DraftFile};
use crate::config::write::{self, Over, Readers};
use crate::config::{self, Config, SecretRef};
use crate::report::Output;
use answers::Answers;
use ask::Asker;

/// What a program is told.
#[derive(Serialize)]
struct Told {
    dry_run: bool,
    files: Vec<FileTold>,
    /// Files that must be there before the first backup.
    missing: Vec<String>,
    grants: Vec<Script>,
    /// What to type next, in this order.
    next: Vec<String>,
}

#[derive(Serialize)]
struct FileTold {
    path: String,
    /// What was written, or what was added to what is there.
    text: String,
    added_to: bool,
}

#[derive(Serialize)]
struct Script {
    instance: String,
    script: String,
}

/// Runs the verb.
pub(super) fn init(file: &Path, args: InitArgs, output: &Output) -> Exit {
    match told(file, args, output) {
        Ok(told) => {
            print(&told, output);
            output.finish(Ok((Exit::Done, told)))
        }
        Err(faults) => output.finish_faults(&faults),
    }
}

fn told(file: &Path, args: InitArgs, output: &Output) -> Result<Told, Vec<Fault>> {
    let one = |fault: Fault| vec![fault];
    let (add, force, dry_run) = (args.add, args.force, args.dry_run);
    let mut asker = Asker::new(args.ask, output.is_json());
    let answers = Answers::collect(file, args, &mut asker).map_err(one)?;
    asker.done().map_err(one)?;
    let files = if add {
        draft::added(file, &answers.wish)
    } else {
        draft::new(file, &answers.wish)
    };
    let files = files.map_err(one)?;
    if !force {
        in_the_way(&files, add).map_err(one)?;
    }
    let config = config::load_draft(file, &files)?;
    is_served(&config, &answers.wish.group).map_err(one)?;
    if !dry_run {
        write(&config, &files, &answers, force).map_err(one)?;
    }
    let group = config.group(&answers.wish.group).map_err(one)?;
    Ok(Told {
        dry_run,
        missing: missing(&config, &group.partners),
        grants: scripts(&config, &group.partners).map_err(one)?,
        next: next(file, &answers.wish.group, &group.media_set),
        files: files
            .into_iter()
            .map(|file| FileTold {
                path: file.path.display().to_string(),
                text: file.added,
                added_to: file.before.is_some(),
            })
            .collect(),
    })
}

/// Files that would be replaced.
fn in_the_way(files: &[DraftFile], add: bool) -> Result<(), Fault> {
    let mut new = files.iter().filter(|file| file.before.is_none());
    let Some(there) = new.find(|file| file.path.symlink_metadata().is_ok()) else {
        return Ok(());
    };
    let object = there.path.display().to_string();
    let remedy = if add {
        "name another --group; or replace the file with --force"
    } else {
        "add a group to what is there with --add; or replace it with --force"
    };
    Err(Fault::new(code::CONFIRM, object, "the file is there already").remedy(remedy))
}

/// The agent must serve a partner of the group, or nothing would ever be taken.
fn is_served(config: &Config, name: &str) -> Result<(), Fault> {
    let group = config.group(name)?;
    if config.served(group).is_some() {
        return Ok(());
    }
    let message = format!(
        "this agent serves none of its partners: {}",
        group.partners.join(", ")
    );
    Err(
        Fault::new(code::CONFIG_VALUE, format!("group {name}"), message)
            .remedy("add the instance of this host to `[agent] serves` first"),
    )
}

fn write(
    config: &Config,
    files: &[DraftFile],
    answers: &Answers,
    force: bool,
) -> Result<(), Fault> {
    let failed = |path: &Path, error: std::io::Error| {
        Fault::new(
            code::FILE,
            path.display().to_string(),
            "the file cannot be written",
        )
        .cause(error)
        .remedy(format!(
            "run it as {}; --dry-run prints the files",
            HERE.writer
        ))
    };
    let put = |path: &Path, text: &str, over, readers| {
        let folder = path.parent().unwrap_or(Path::new("/"));
        write::make_folder(folder)
            .and_then(|()| write::put(path, text, over, readers))
            .map_err(|error| failed(path, error))
    };
    let over = if force { Over::File } else { Over::Nothing };
    if let (Some(secret), Some(path)) = (&answers.secret, answers.secret_file(config)) {
        put(&path, secret.expose(), over, Readers::Agent)?;
    }
    for file in files {
        let over = match &file.before {
            None => over,
            Some(before) => {
                let now = std::fs::read_to_string(&file.path);
                if now.ok().as_ref() != Some(before) {
                    let object = file.path.display().to_string();
                    let fault = Fault::new(code::FILE, object, "somebody is changing this file");
                    return Err(fault.remedy("run it again when that is done"));
                }
                Over::File
            }
        };
        put(&file.path, &file.text, over, Readers::Group)?;
    }
    Ok(())
}

/// Password files of these instances that are not there yet.
fn missing(config: &Config, instances: &[String]) -> Vec<String> {
    let mut missing = Vec::new();
    for name in instances {
        let Ok(instance) = config.instance(name) else {
            continue;
        };
        if let Some(SecretRef::File(path)) = instance.auth.password()
            && !path.exists()
        {
            let path = path.display().to_string();
            if !missing.contains(&path) {
                missing.push(path);
            }
        }
    }
    missing
}

fn scripts(config: &Config, instances: &[String]) -> Result<Vec<Script>, Fault> {
    let script = |name: &String| {
        let instance = config.instance(name)?;
        let (features, databases) = (needed(config, name), named(config, name));
        let wanted = Wanted {
            login: instance.auth.login(),
            features: &features,
            release: None,
            databases: &databases,
        };
        Ok(Script {
            instance: name.clone(),
            script: grants::script(&wanted, &grants::grants(&wanted)),
        })
    };
    instances.iter().map(script).collect()
}

fn next(file: &Path, group: &str, media_set: &str) -> Vec<String> {
    let config = if file == Path::new(DEFAULT_CONFIG) {
        String::new()
    } else {
        format!(" --config {}", shell(&file.display().to_string()))
    };
    [
        format!("media format {media_set} --if-needed"),
        format!("doctor {group}"),
        format!("backup {group}"),
    ]
    .map(|verb| format!("twinset{config} {verb}"))
    .to_vec()
}

/// A word as a shell takes it.
fn shell(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+".contains(letter);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

fn print(told: &Told, output: &Output) {
    for file in &told.files {
        if told.dry_run {
            let what = if file.added_to { "added to" } else { "file" };
            output.line(format!("# {what} {}\n{}", file.path, file.text));
        } else {
            let what = if file.added_to { "added to" } else { "wrote" };
            output.line(format!("{what} {}", file.path));
        }
    }
    for path in &told.missing {
        output.warn(format!(
            "the password is not there yet: {}",
            HERE.secret("password", path)
        ));
    }
    for one in &told.grants {
        output.line(format!(
            "\nrights on {}, for an administrator to run:\n\n{}",
            one.instance,
            one.script.trim_end()
        ));
    }
    output.line("\nnext:");
    for line in &told.next {
        output.line(format!("  {line}"));
    }
    output.line(format!("then the service: {}", HERE.first_start));
}
