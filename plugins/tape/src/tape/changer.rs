//! A library: an arm that brings cartridges into a drive by itself. `plan` decides, `arm` moves.

mod arm;
mod inventory;
mod library;
mod mtx;
mod plan;
mod source;
mod stacks;

use std::path::PathBuf;

pub(crate) use arm::mtx as program;
pub(crate) use library::Changer;
pub(crate) use plan::Rules;
pub(crate) use stacks::make;

/// Bytes of a name that comes from a library, at most: barcodes have up to 32.
pub(crate) const NAME_MAX: usize = 64;

/// The arm of a device, by its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Robot {
    /// Who moves the arm.
    pub(crate) by: By,
    /// The drive's number in the library; nothing where there is but one.
    pub(crate) element: Option<u32>,
    /// What of the library this device may use.
    pub(crate) rules: Rules,
}

/// Who moves an arm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// The program `mtx`, at the node of a changer.
    Mtx {
        /// Where the program is.
        program: PathBuf,
        /// The changer's node.
        node: PathBuf,
    },
    /// Nobody: a folder of virtual tapes.
    Stacks(PathBuf),
}
