//! `twinset key`, and the key that the configuration names.

mod os;

use std::path::Path;

use serde::Serialize;
use twinset_domain::{Exit, Fault, code};
use twinset_format::sign::{PublicKey, Signer};

use super::args::KeyVerb;
use crate::config::{self, Config};
use crate::report::Output;

/// Longest public key file that is read, in bytes.
const MAX_FILE: u64 = 4096;

/// A public key as people and programs want it.
#[derive(Serialize)]
struct KeyShown {
    /// 64 hexadecimal digits: what `--public-key` takes and what documents bear.
    public_key: PublicKey,
    /// The same for other tools.
    pem: String,
    /// The file of the private half.
    file: String,
}

/// Runs one of the verbs.
pub(super) fn key(file: &Path, verb: KeyVerb, output: &Output) -> Exit {
    let outcome = match verb {
        KeyVerb::Make { out } => make(&out).map_err(|fault| vec![fault]),
        KeyVerb::Show => shown(file),
    };
    match outcome {
        Ok(shown) => {
            output.line(format!("public key  {}", shown.public_key));
            output.line(format!("private key {}", shown.file));
            output.line(shown.pem.trim_end());
            output.finish(Ok((Exit::Done, shown)))
        }
        Err(faults) => output.finish_faults(&faults),
    }
}

/// Makes a key; its file is new, and its owner's alone.
fn make(path: &Path) -> Result<KeyShown, Fault> {
    let file = path.display().to_string();
    let (signer, text) = Signer::generate()
        .map_err(|problem| Fault::new(code::SECRET, &file, "no key was made").source(&problem))?;
    os::write_private(path, text.as_bytes()).map_err(|error| {
        Fault::new(code::FILE, &file, "the key cannot be written")
            .cause(error)
            .remedy("name a new file in a folder that you may write; a key is never replaced")
    })?;
    Ok(shown_as(&signer, file))
}

fn shown(file: &Path) -> Result<KeyShown, Vec<Fault>> {
    let config = config::load(file)?;
    let found = signer(&config).and_then(|signer| {
        signer.ok_or_else(|| {
            let message = "the configuration names no signing key";
            Fault::new(code::SECRET, file.display().to_string(), message).remedy(
                "make one with `twinset key make --out FILE`, and name it in [agent] signing_key_file",
            )
        })
    });
    let signer = found.map_err(|fault| vec![fault])?;
    Ok(shown_as(&signer, place(&config)))
}

fn shown_as(signer: &Signer, file: String) -> KeyShown {
    KeyShown {
        public_key: signer.public(),
        pem: signer.public().to_pem(),
        file,
    }
}

fn place(config: &Config) -> String {
    match &config.agent.signing_key {
        Some(config::SecretRef::File(path)) => path.display().to_string(),
        _ => String::new(),
    }
}

/// The key that the configuration names, if it names one.
///
/// # Errors
/// [`code::SECRET`], [`code::CONFIG_UNSAFE`].
pub(super) fn signer(config: &Config) -> Result<Option<Signer>, Fault> {
    let Some(secret) = &config.agent.signing_key else {
        return Ok(None);
    };
    let text = secret.resolve_as("signing key")?;
    let signer = Signer::from_text(text.expose()).map_err(|problem| {
        let message = "the file holds no signing key";
        Fault::new(code::SECRET, place(config), message)
            .source(&problem)
            .remedy("make a key with `twinset key make --out FILE`, or with openssl; see docs/signing.md")
    })?;
    Ok(Some(signer))
}

/// A public key by its digits, or by the file that holds it.
///
/// # Errors
/// [`code::SECRET`].
pub(super) fn public_key(text: &str) -> Result<PublicKey, Fault> {
    if let Ok(key) = text.parse() {
        return Ok(key);
    }
    let read = || -> std::io::Result<String> {
        use std::io::Read;
        let mut found = String::new();
        let file = std::fs::File::open(text)?;
        file.take(MAX_FILE).read_to_string(&mut found)?;
        Ok(found)
    };
    let remedy = "give 64 hexadecimal digits, or a file with them or with a PEM public key";
    let found = read().map_err(|error| {
        Fault::new(code::SECRET, text, "it is neither a public key nor a file")
            .cause(error)
            .remedy(remedy)
    })?;
    PublicKey::from_text(&found).map_err(|problem| {
        Fault::new(code::SECRET, text, "the file holds no public key")
            .source(&problem)
            .remedy(remedy)
    })
}
