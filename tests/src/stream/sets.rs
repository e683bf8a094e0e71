//! Several families together: do they make one media set?

use super::check::{StreamFacts, StreamFault};

/// Checks that the streams, one per device in any order, are all the families of one media
/// set and hold the same backup sets. Containers say nothing and are passed over.
///
/// # Errors
/// 3231 if their number of families is smaller than the number of devices, 3258 for another
/// media set, 3227 for a family given twice, 3132 if families are missing. `offset` of the
/// fault is the index of the device.
pub fn check_families(devices: &[StreamFacts]) -> Result<(), StreamFault> {
    let known: Vec<_> = devices
        .iter()
        .enumerate()
        .filter(|(_, d)| !d.is_opaque)
        .collect();
    let Some(&(_, first)) = known.first() else {
        return Ok(());
    };
    let given = devices.len();
    for (index, &(device, facts)) in known.iter().enumerate() {
        let families = usize::from(facts.families);
        let fault = |number, what: String| {
            Err(StreamFault {
                number,
                offset: device as u64,
                what,
            })
        };
        if families < given {
            let what = format!("the media has {families} families, {given} devices are named");
            return fault(3231, what);
        }
        let same_sets = facts.sets.len() == first.sets.len()
            && facts
                .sets
                .iter()
                .zip(&first.sets)
                .all(|(a, b)| a.set_guid == b.set_guid);
        if facts.media_set_guid != first.media_set_guid || !same_sets {
            let set = facts.media_set_guid;
            return fault(
                3258,
                format!("media set {set} instead of {}", first.media_set_guid),
            );
        }
        let earlier = known[..index]
            .iter()
            .find(|(_, f)| f.family == facts.family);
        if let Some((other, _)) = earlier {
            let what = format!(
                "family {} was already read from device {other}",
                facts.family
            );
            return fault(3227, what);
        }
    }
    let families = usize::from(first.families);
    if families > given && known.len() == given {
        let what = format!("the media set has {families} families, only {given} are provided");
        return Err(StreamFault {
            number: 3132,
            offset: given as u64,
            what,
        });
    }
    Ok(())
}
