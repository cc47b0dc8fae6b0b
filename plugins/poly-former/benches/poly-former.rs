//! How long a call and its stages take: see `benches/learned/stages.rs`.

#[path = "../../../benches/learned/stages.rs"]
mod stages;

use som_poly_former::{POLY_FORMER, PolyFormer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    stages::run::<PolyFormer>(&POLY_FORMER)
}
