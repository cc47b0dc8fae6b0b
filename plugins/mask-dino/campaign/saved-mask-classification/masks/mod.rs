//! From a network's logits to masks at the size of the image.

mod enlargement;

pub use self::enlargement::{Enlargement, Filter};
