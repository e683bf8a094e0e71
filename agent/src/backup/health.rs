//! What devices say of themselves at the end of a run, raised as alerts.

use twinset_domain::alert::Raised;
use twinset_domain::health;

use super::desk::Desk;
use crate::clock;
use crate::media::matrix::Matrix;

/// Asks every volume, all at once, and raises what an operator must know; gives it in sentences. Called
/// when all is said about the run: whatever fails here is a line in the log and nothing else.
pub fn told(desk: &mut Desk<'_>, matrix: &Matrix) -> Vec<String> {
    let asked = matrix.volumes().map(|volume| {
        let answer = volume.lane().submit(|handle| handle.status());
        (volume.place(), answer)
    });
    let answers: Vec<_> = asked.collect();
    let mut notes = Vec::new();
    for (place, answer) in answers {
        let status = match answer.wait().and_then(|answer| answer) {
            Ok(status) => status,
            Err(fault) => {
                tracing::info!(%fault, "{place} did not say how it is");
                continue;
            }
        };
        for alert in health::alerts(&place, &status.alerts) {
            let (object, message, remedy) = (&alert.object, &alert.message, &alert.remedy);
            match desk.catalog.raise(&alert, clock::now()) {
                Ok(Raised::New) => tracing::warn!("alert: {} {object}: {message}", alert.code),
                Ok(Raised::Again) => {}
                Err(fault) => tracing::warn!(%fault, "{object}: {message}: not written down"),
            }
            notes.push(format!("{object}: {message}; {remedy}"));
        }
    }
    notes
}
