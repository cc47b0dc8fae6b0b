//! How long a call and its stages take: see `benches/learned/stages.rs`.

#[path = "../../../benches/learned/stages.rs"]
mod stages;

use som_mask_dino::{MASK_DINO, Predictor};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    stages::run::<Predictor>(&MASK_DINO)
}
