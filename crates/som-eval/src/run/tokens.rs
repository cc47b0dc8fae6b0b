//! How many tokens a prompt takes, as far as that can be told before it is sent.

use som_core::{ImagePolicy, Part, Prompt};

/// Bytes of text to a token, as English has them.
const BYTES_A_TOKEN: f64 = 3.5;
/// Pixels that a model sees to a token: width * height / 750 (Anthropic, *Vision* guide). Patches of 28
/// pixels (Qwen2-VL) and OpenAI's tiles of 512 pixels come to fewer.
const PIXELS_A_TOKEN: f64 = 750.0;
/// The least that an image takes (OpenAI, *Images and vision* guide, low detail).
const LEAST_OF_AN_IMAGE: f64 = 85.0;

/// Tokens of `prompt`, about. What a provider counts otherwise is learned from its answers.
pub(super) fn tokens(prompt: &Prompt, policy: &ImagePolicy) -> f64 {
    let parts = prompt.turns.iter().flat_map(|turn| &turn.parts);
    let parts: f64 = parts
        .map(|part| match part {
            Part::Text(text) => of_text(text.len()),
            Part::Image(image) => {
                let seen = policy.seen(image.size).pixels() as f64;
                (seen / PIXELS_A_TOKEN).max(LEAST_OF_AN_IMAGE)
            }
        })
        .sum();
    let system = prompt.system.as_deref().map_or(0, str::len);
    let schema = prompt.schema.as_ref();
    let schema = schema.map_or(0, |schema| schema.schema.to_string().len());
    parts + of_text(system + schema)
}

fn of_text(bytes: usize) -> f64 {
    bytes as f64 / BYTES_A_TOKEN
}
