//! How long a call and its stages take: see `benches/learned/stages.rs`.

#[path = "../../../benches/learned/stages.rs"]
mod stages;

use som_grounding_dino::{GROUNDING_DINO, GroundingDino};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    stages::run::<GroundingDino>(&GROUNDING_DINO)
}
