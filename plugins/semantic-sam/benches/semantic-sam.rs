//! How long a call and its stages take: see `benches/learned/stages.rs`.

#[path = "../../../benches/learned/stages.rs"]
mod stages;

use som_semantic_sam::{SEMANTIC_SAM, SemanticSam};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    stages::run::<SemanticSam>(&SEMANTIC_SAM)
}
