//! Is every changed, missing, swapped or cut byte found, named, and healed from a twin?

mod bits;
mod failing;
mod families;
mod files;
pub(crate) mod scarred;
mod seeded;
