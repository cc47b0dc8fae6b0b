//! How long a call and its stages take: see `benches/learned/stages.rs`.

#[path = "../../../benches/learned/stages.rs"]
mod stages;

use som_glip::{GLIP, Glip};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    stages::run::<Glip>(&GLIP)
}
