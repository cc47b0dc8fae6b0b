//! From what the network finds to regions: boxes, each with the phrase that it is like.
//!
//! Official file `groundingdino/util/inference.py`, `predict`, and `util/utils.py`,
//! `get_phrases_from_posmap`; the same as `post_process_grounded_object_detection` of Hugging Face, but
//! for the full stops that it leaves in phrases.

use std::ops::Range;

use serde_json::json;
use som_core::{Region, Result, Size};
use som_torch::{TorchResult, text::WordPieceTokenizer, torch_error};
use tch::{Kind, Tensor};

use crate::{
    network::{Predictions, Tokens},
    params::CallParams,
};

/// The last token that the official project compares with: its texts have 256 places.
const LAST: usize = 255;

/// The boxes that are likely enough, in the order of the network's queries.
///
/// # Errors
/// Exhausted, if memory runs out.
pub(crate) fn regions(
    found: &Predictions,
    text: &Tokens,
    tokenizer: &WordPieceTokenizer,
    params: &CallParams,
    size: Size,
) -> Result<Vec<Region>> {
    let (likeness, boxes) = read(found).map_err(torch_error)?;
    let objects = likeness
        .chunks_exact(text.ids.len())
        .zip(boxes.chunks_exact(4));
    let mut regions = Vec::new();
    for (likeness, corners) in objects {
        let score = likeness.iter().copied().fold(0.0, f32::max);
        if score > params.box_threshold {
            let corners = [corners[0], corners[1], corners[2], corners[3]];
            let phrase = Phrase::of(likeness, params.text_threshold, text, tokenizer);
            regions.push(region(corners, score, &phrase, size));
        }
    }
    Ok(regions)
}

/// How likely each object is each token, one object after the other, and its box: centre x and y, width
/// and height, in 0..1.
fn read(found: &Predictions) -> TorchResult<(Vec<f32>, Vec<f32>)> {
    let read = |tensor: &Tensor| -> TorchResult<Vec<f32>> {
        let flat = tensor.f_to_kind(Kind::Float)?.f_flatten(0, -1)?;
        Vec::try_from(flat.f_to_device(tch::Device::Cpu)?)
    };
    Ok((read(&found.logits.f_sigmoid()?)?, read(&found.boxes)?))
}

/// What of a text an object is.
#[derive(Clone, Debug, PartialEq)]
struct Phrase {
    /// As Hugging Face's form has it.
    words: String,
    /// Where that stands in the text, in bytes: neighbouring tokens together.
    places: Vec<Range<usize>>,
}

impl Phrase {
    /// The tokens to which an object's likeness exceeds `threshold`, but for the first.
    fn of(likeness: &[f32], threshold: f32, text: &Tokens, tokenizer: &WordPieceTokenizer) -> Self {
        let chosen = likeness.iter().enumerate().take(LAST).skip(1);
        let chosen = chosen.filter(|(_, likeness)| **likeness > threshold);
        let mut ids = Vec::new();
        let mut places: Vec<Range<usize>> = Vec::new();
        let mut before = None;
        for (token, _) in chosen {
            let (Some(&id), Some(place)) = (text.ids.get(token), text.places.get(token)) else {
                continue;
            };
            ids.push(id);
            match places.last_mut() {
                Some(last) if before == Some(token - 1) => last.end = place.end,
                _ => places.push(place.clone()),
            }
            before = Some(token);
        }
        Self {
            words: tokenizer.decode(&ids),
            places,
        }
    }

    /// As the official project has it.
    fn label(&self) -> Option<String> {
        let label = self.words.replace('.', "");
        (!label.is_empty()).then_some(label)
    }
}

/// The region of a box, whose numbers are in 0..1 of an image of this size.
fn region(numbers: [f32; 4], score: f32, phrase: &Phrase, size: Size) -> Region {
    let [x, y, width, height] = numbers.map(f64::from);
    let [wide, high] = [size.width, size.height].map(f64::from);
    let corners = [
        (x - width / 2.0) * wide,
        (y - height / 2.0) * high,
        (x + width / 2.0) * wide,
        (y + height / 2.0) * high,
    ];
    let places: Vec<[usize; 2]> = phrase.places.iter().map(|it| [it.start, it.end]).collect();
    let mut region = Region::of_box(size, corners);
    region.score = Some(score);
    region.label = phrase.label();
    let words = ("phrase".to_owned(), json!(phrase.words));
    region
        .extra
        .extend([words, ("phrase_bytes".to_owned(), json!(places))]);
    region
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use som_core::{BBox, Call, Params};

    use super::*;
    use crate::golden::Golden;

    #[test]
    fn a_box_is_told_in_pixels_of_the_image() {
        let found = region([0.5, 0.5, 0.5, 1.2], 0.5, &phrase(&[]), Size::new(8, 6));
        assert_eq!(found.bbox(), BBox::new(2, 0, 4, 6));
        assert!(found.is_box());
        let corners: Vec<f64> = serde_json::from_value(found.extra["box"].clone()).unwrap();
        let expected = [2.0, -0.6, 6.0, 6.6];
        assert!(
            corners
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-6),
            "{corners:?}"
        );
        let outside = region([2.0, 0.5, 0.1, 0.1], 0.5, &phrase(&[]), Size::new(8, 6));
        assert!(outside.mask.is_empty());
    }

    /// A run of the reference for each pair of thresholds.
    #[test]
    fn boxes_scores_and_phrases_are_those_of_the_reference() {
        let _guard = tch::no_grad_guard();
        let golden = Golden::open("tiny");
        let nothing = Params::new();
        let call = Call::uncancellable(&nothing);
        let network = &golden.grounding_dino.network;
        let text = network.text.tokens(golden.text()).unwrap();
        let image = golden.encode();
        let predictions = network.detect(&image, &text, &call).unwrap();
        for run in golden.json["results"].as_array().unwrap() {
            let params: CallParams = serde_json::from_value(run.clone()).unwrap();
            let tokenizer = &network.text.tokenizer;
            let found = regions(&predictions, &text, tokenizer, &params, image.size).unwrap();
            let expected = run["detections"].as_array().unwrap();
            assert_eq!(found.len(), expected.len());
            for (region, expected) in found.iter().zip(expected) {
                let near = |found: f64, expected: &Value, tolerance: f64| {
                    let expected = expected.as_f64().unwrap();
                    assert!(
                        (found - expected).abs() <= tolerance,
                        "{found}, not {expected}"
                    );
                };
                near(region.score.unwrap().into(), &expected["score"], 1e-4);
                for side in 0..4 {
                    let corner = region.extra["box"][side].as_f64().unwrap();
                    near(corner, &expected["box_xyxy"][side], 0.05);
                }
                assert_eq!(region.extra["phrase"], expected["phrase_hf"]);
                let label = region.label.as_deref();
                assert_eq!(label, expected["phrase_official"].as_str());
                assert_eq!(region.extra["shape"], "box");
            }
        }
    }

    /// What an object is whose likeness to the tokens of a text is this.
    fn phrase(likeness: &[f32]) -> Phrase {
        let vocabulary = "[UNK]\n[CLS]\n[SEP]\n.\na\ncup\nspoon\n##s\n";
        let tokenizer = WordPieceTokenizer::of(vocabulary).unwrap();
        let pieces = tokenizer.encode("a cup. spoons.").unwrap();
        let text = Tokens::new(pieces, &[1, 2, 3]);
        Phrase::of(likeness, 0.25, &text, &tokenizer)
    }

    #[test]
    fn a_phrase_is_of_the_tokens_that_are_likely_enough() {
        // [CLS] a cup . spoon ##s . [SEP]
        let found = phrase(&[0.9, 0.3, 0.8, 0.2, 0.25, 0.1, 0.4, 0.0]);
        assert_eq!(found.words, "a cup.");
        assert_eq!(found.places, [0..5, 13..14]);
        assert_eq!(found.label().as_deref(), Some("a cup"));
        assert_eq!(phrase(&[0.9, 0.0, 0.0, 0.0, 0.7, 0.7]).words, "spoons");
        assert_eq!(phrase(&[0.9]).label(), None);
    }
}
