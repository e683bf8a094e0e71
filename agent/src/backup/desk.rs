//! What every story in this room works with.

use std::sync::atomic::AtomicBool;

use twinset_domain::Shape;
use twinset_domain::append::MinMirrors;

use crate::catalog::Catalog;
use crate::media::encoding::{Keys, Recipe};
use crate::media::volume::Place;
use crate::report::Progress;
use crate::state::StateDir;

/// The media set of a run, as the configuration describes it.
#[derive(Clone)]
pub struct Target {
    /// Key of the media set, with the database where each has its own.
    pub key: String,
    /// Its shape.
    pub shape: Shape,
    /// Its devices, mirror by mirror.
    pub places: Vec<Place>,
    /// How many mirrors must hold a backup, by kind.
    pub min_mirrors: MinMirrors,
    /// How its sets are stored.
    pub recipe: Recipe,
    /// What reads them again.
    pub keys: Keys,
}

/// What a run works with.
pub struct Desk<'a> {
    /// Identity and locks.
    pub state: &'a StateDir,
    /// Intents and ends.
    pub catalog: &'a mut Catalog,
    /// Told how far it is.
    pub progress: &'a dyn Progress,
    /// Set when the operator wants it to stop.
    pub stop: &'a AtomicBool,
}
