//! Heals volumes from their twins: what is wrong ([`Survey`]), and one step at a time
//! ([`mend::Mender`]). What is to be done is decided by [`twinset_domain::repair`].

mod mend;
mod read;
mod scan;
mod survey;
mod truth;

pub use mend::{Mended, Mender};
pub use scan::{Depth, Watch, planned_bytes, scan};
pub use survey::Survey;
pub use truth::Truth;
