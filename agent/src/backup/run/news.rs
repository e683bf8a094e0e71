//! A catalog that is older than the media: it was set back, perhaps with the machine.

use twinset_domain::append::{AppendPlan, Expected};
use twinset_domain::{Fault, code};

use super::OpenRun;
use crate::backup::desk::Desk;
use crate::backup::remember;
use crate::media::inventory;
use crate::media::matrix::Matrix;

/// Reads what the catalog lacks; gives whether there was any.
///
/// # Errors
/// [`code::CATALOG`].
pub(super) fn read(
    desk: &mut Desk<'_>,
    key: &str,
    matrix: &Matrix,
    (plan, expected): (&AppendPlan, &Expected),
) -> Result<bool, Fault> {
    let is_news = plan.is_news(expected);
    if is_news {
        remember::read(desk, (key, plan.media_set), &inventory::read(matrix))?;
    }
    Ok(is_news)
}

impl OpenRun {
    /// For a run that was decided upon by what the catalog held. Where it held less than the media
    /// that decision may be wrong: the run ends here, and the next one decides by everything.
    ///
    /// # Errors
    /// [`code::CATALOG_SET_BACK`].
    pub(in crate::backup) fn if_decided_by_all(self) -> Result<Self, Fault> {
        if !self.is_news {
            return Ok(self);
        }
        let message = "the media hold backup sets that the catalog did not know; they were read";
        let object = format!("media set {}", self.key);
        self.matrix.close();
        Err(Fault::new(code::CATALOG_SET_BACK, object, message)
            .cause("the machine, or its state_dir, was set back to an earlier time")
            .remedy("find out who did that; the next run decides by what lies on the media"))
    }
}
