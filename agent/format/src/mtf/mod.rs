//! The Microsoft Tape Format as far as this product needs it: blocks and streams by the
//! specification 1.00a, and SQL Server's own use of it as seen in files of 2005 to 2022.
//!
//! * [`fields`]: numbers, times and strings in a block;
//! * [`block`]: the blocks we write, and block and stream headers of anybody;
//! * [`facts`]: what a backup set says of itself;
//! * [`reader`]: finds those facts while the stream passes by.

pub mod block;
pub mod facts;
pub mod fields;
pub mod reader;

pub use facts::{Container, MediaFacts, SetFacts};
pub use reader::{StreamFacts, StreamReader};
