//! Boxes, points, polygons and masks in answers, in the dialects of the models that give them.
//!
//! | dialect | written as | in |
//! |---|---|---|
//! | Qwen-VL, Qwen2-VL, UI-TARS | `<box>(x1,y1),(x2,y2)</box>`, `<\|box_start\|>(x1,y1),(x2,y2)<\|box_end\|>` | 0 to 1000 |
//! | UI-TARS 1.5 | `<\|box_start\|>(x,y)<\|box_end\|>` | pixels |
//! | Qwen2.5-VL, Qwen3-VL | JSON `"bbox_2d": [x1, y1, x2, y2]`, `"point_2d": [x, y]` | the model's own |
//! | InternVL, MiniCPM-V | `<box>[[x1, y1, x2, y2]]</box>`, `<box>x1 y1 x2 y2</box>` | 0 to 1000 |
//! | DeepSeek-VL2 | `<\|det\|>[[x1, y1, x2, y2]]<\|/det\|>` | 0 to 999 |
//! | Gemini, GLM | JSON `"box_2d"`, `"point"`, `"mask": [[x, y], …]` | 0 to 1000, order the model's own |
//! | PaliGemma | `<loc0123>` four times: y1, x1, y2, x2 | 0 to 1024 |
//! | Florence-2 | `<loc_123>` four times: x1, y1, x2, y2; more of them the corners of a polygon | 0 to 1000 |
//! | Kosmos-2 | `<patch_index_0044><patch_index_0863>`: first and last cell | a grid of 32 by 32 |
//! | Rex-Omni | `<12><34><56><78>`: x1, y1, x2, y2 | 0 to 999 |
//! | MiniGPT-v2 | `{<12><34><56><78>}`: x1, y1, x2, y2 | 0 to 100 |
//! | Molmo | `<point x="12.5" y="40">cup</point>`, `<points x1="…" y1="…" …>` | 0 to 100 |
//! | Molmo 2 | `<points coords="IMAGE n x y n x y …">` | 0 to 1000 |
//! | COCO | `"segmentation"`: polygons, RLE | pixels |
//! | others | JSON `"bbox"`, or `the box is [x1, y1, x2, y2]` | 0 to 1, pixels, or 0 to 1000 |
//!
//! Where the way of writing leaves unit or order open, [`Places`](crate::scene::Places) settles
//! it. Without that, every way is tried, and where different regions fit, the mention is
//! ambiguous.
//!
//! Sources: the model cards and papers of these models (Qwen2-VL, arXiv 2409.12191; InternVL 1.5,
//! arXiv 2404.16821; PaliGemma, arXiv 2407.07726; Florence-2, arXiv 2311.06242; Kosmos-2, arXiv
//! 2306.14824; MiniGPT-v2, arXiv 2310.09478; DeepSeek-VL2, arXiv 2412.10302; Rex-Omni, arXiv
//! 2510.12798; Molmo, arXiv 2409.17146; Molmo 2, arXiv 2601.10611) and Google's *Image
//! understanding* guide of the Gemini API.

mod axes;
mod fit;
mod json;
mod numbers;
mod prose;
mod shape;
mod tags;

pub(super) use self::{
    json::{of_object, under_key},
    prose::{bare, plain},
    tags::tag,
};
