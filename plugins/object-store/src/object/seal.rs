//! The seal of a section: the small object that makes data a section. Pure.

use bytes::Bytes;
use serde_json::{Value, json};
use twinset_plugin_api::{DeviceError, Outcome};

use super::names::{self, Attempt};

/// Version of the layout.
const FORMAT: u64 = 1;
/// Most objects of one section.
pub(crate) const PIECES_MAX: usize = 9999;

/// One object of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Its name in the attempt's folder.
    pub(crate) name: String,
    /// Its bytes.
    pub(crate) length: u64,
    /// The tag that the store gave it, without quotes.
    pub(crate) tag: Option<String>,
    /// The checksum that the store keeps of it.
    pub(crate) sum: Option<String>,
}

/// What a section is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seal {
    /// Who wrote it.
    pub(crate) attempt: Attempt,
    /// Its name.
    pub(crate) name: String,
    /// Its objects, in order.
    pub(crate) pieces: Vec<Piece>,
}

impl Seal {
    /// Bytes in the section.
    pub(crate) fn length(&self) -> u64 {
        let lengths = self.pieces.iter().map(|piece| piece.length);
        lengths.fold(0, u64::saturating_add)
    }

    /// As it lies in the store.
    pub(crate) fn to_bytes(&self) -> Bytes {
        let pieces: Vec<Value> = self
            .pieces
            .iter()
            .map(|piece| {
                let mut value = json!({ "name": piece.name, "length": piece.length });
                for (key, text) in [("tag", &piece.tag), ("checksum", &piece.sum)] {
                    if let Some(text) = text {
                        value[key] = json!(text);
                    }
                }
                value
            })
            .collect();
        let value = json!({
            "format": FORMAT,
            "name": self.name,
            "attempt": self.attempt.name(),
            "folder": self.attempt.folder(),
            "length": self.length(),
            "objects": pieces,
        });
        Bytes::from(format!("{value}\n"))
    }

    /// Reads the seal of a section.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(index: u64, bytes: &[u8]) -> Result<Self, DeviceError> {
        let damaged = |what: &str| {
            let text = format!("{}: the seal is damaged: {what}", names::seal(index));
            DeviceError::new(Outcome::PERMANENT, text)
        };
        let value: Value = serde_json::from_slice(bytes).map_err(|_| damaged("not JSON"))?;
        match value["format"].as_u64() {
            Some(FORMAT) => {}
            Some(other) if other > FORMAT => {
                let text = format!(
                    "{}: layout {other} is newer than {FORMAT}; use a later Twinset",
                    names::seal(index)
                );
                return Err(DeviceError::new(Outcome::PERMANENT, text));
            }
            _ => return Err(damaged("no format")),
        }
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let attempt = Attempt::parse(&text("attempt")).ok_or_else(|| damaged("no attempt"))?;
        if attempt.index != index {
            return Err(damaged("it is of another section"));
        }
        let name = text("name");
        names::check_section(index, &name)?;
        let objects = value["objects"]
            .as_array()
            .ok_or_else(|| damaged("no objects"))?;
        if objects.is_empty() || objects.len() > PIECES_MAX {
            return Err(damaged("no objects, or too many"));
        }
        let mut pieces = Vec::with_capacity(objects.len());
        for (number, object) in (1..).zip(objects) {
            let length = object["length"]
                .as_u64()
                .ok_or_else(|| damaged("no length"))?;
            let expected = names::further(&name, number);
            if object["name"].as_str() != Some(&expected) {
                return Err(damaged("objects out of order"));
            }
            let name = expected;
            let noted = |key: &str| object[key].as_str().map(str::to_owned);
            pieces.push(Piece {
                name,
                length,
                tag: noted("tag"),
                sum: noted("checksum"),
            });
        }
        let seal = Self {
            attempt,
            name,
            pieces,
        };
        if value["length"].as_u64() != Some(seal.length()) {
            return Err(damaged("its lengths do not agree"));
        }
        Ok(seal)
    }
}

#[cfg(test)]
mod tests;
