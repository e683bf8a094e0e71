//! What a pass will read, and what of it leaves stores that may charge for it.

use serde::Serialize;
use twinset_domain::Slot;
use twinset_plugin_api::Capabilities;

use super::super::args::VerifyArgs;
use crate::media::verify;
use crate::report::{Output, bytes};
use crate::restore::open::OpenSet;

const GIB: f64 = (1_u64 << 30) as f64;

/// Data bytes by where they come from. Headers, manifests and records come on top: some kilobytes
/// for each set.
#[derive(Debug, Serialize)]
pub(super) struct Estimate {
    dry_run: bool,
    /// Data that lies where reading costs nothing.
    read: u64,
    /// Data that would leave object stores.
    egress: u64,
    /// Data whose stores are asked for checksums instead, where they keep some.
    by_checksum: u64,
    /// What the operator says that a GiB costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    egress_price: Option<String>,
    /// What leaves the stores, at that price.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<String>,
}

impl Estimate {
    pub(super) fn of(opened: &OpenSet, args: &VerifyArgs, price: Option<&str>) -> Self {
        let metered = |slot: Slot| {
            let volume = opened.matrix.volume(slot);
            volume.is_some_and(|volume| {
                volume.description.capabilities & Capabilities::METERED_READ != 0
            })
        };
        let (sets, only) = (&opened.sets, args.position);
        let stored = verify::planned(sets, only, metered);
        let (egress, by_checksum) = if args.quick { (0, stored) } else { (stored, 0) };
        Self {
            dry_run: args.dry_run,
            read: verify::planned(sets, only, |slot| !metered(slot)),
            egress,
            by_checksum,
            egress_price: price.map(str::to_owned),
            cost: price
                .filter(|_| egress > 0)
                .and_then(|price| cost(egress, price)),
        }
    }

    pub(super) const fn total(&self) -> u64 {
        self.read + self.egress + self.by_checksum
    }

    pub(super) fn tell(&self, key: &str, output: &Output) {
        if self.egress > 0 {
            let cost = match (&self.cost, &self.egress_price) {
                (Some(cost), Some(price)) => format!(", about {cost} at {price} for a GiB"),
                _ => String::new(),
            };
            let egress = bytes(self.egress);
            output.line(format!("{key}: {egress} will leave object stores{cost}"));
        }
        if self.dry_run {
            output.line(format!(
                "{key}: {} would be read where it lies, {} out of object stores, {} told by stored \
                 checksums; nothing was read",
                bytes(self.read),
                bytes(self.egress),
                bytes(self.by_checksum)
            ));
        }
    }
}

/// `0.09 USD` for each GiB.
fn cost(egress: u64, price: &str) -> Option<String> {
    let (number, unit) = price.split_once(' ')?;
    let number: f64 = number.parse().ok()?;
    #[allow(clippy::cast_precision_loss)] // an estimate
    let cost = egress as f64 / GIB * number;
    Some(format!("{cost:.2} {unit}"))
}
