//! The story of a backup: check, reserve, pump, seal, verdict, publish (design 4.3).
//!
//! * [`desk`]: what they all work with;
//! * [`finished`]: what a run that published came to;
//! * [`run`]: what every run shares: locks, the quick check, the intent, the end;
//! * [`guard`]: what a backup should be, so that it can be restored;
//! * [`role`]: who is principal, before a backup and behind it;
//! * [`import`]: existing native files become a set;
//! * [`vdi`]: SQL Server's stream through the virtual device interface;
//! * [`stage`]: SQL Server's files in a stage folder, then into the media set;
//! * `brake`: how fast a backup may take its bytes;
//! * `sink`: a family of the media engine as the end of a virtual device;
//! * [`expire`]: drops what retention lets go; [`subjects`]: sets as retention judges them;
//! * [`remember`]: what the catalog is told of sets;
//! * [`repair`]: heals mirrors from their twins and brings them in step again;
//! * [`owner`]: closes a media set whose host is lost, gives up a mirror;
//! * [`recover`]: sets right what a dead run left;
//! * [`confirm`]: asks SQL Server about sets whose verdict is missing.

pub mod adopt;
mod brake;
pub mod check;
pub mod confirm;
mod content;
pub mod desk;
pub mod expire;
mod facts;
pub mod finished;
pub mod guard;
pub mod health;
pub mod import;
pub mod owner;
mod pump;
pub mod recover;
pub mod remember;
pub mod repair;
pub mod replica;
pub mod role;
pub mod run;
mod sink;
pub mod stage;
pub mod subjects;
pub mod vdi;
