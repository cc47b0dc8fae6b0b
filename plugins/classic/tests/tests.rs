//! The segmenter from outside: photographs and made-up pictures go in, regions come out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cancellation; // a call that is called off ends
mod hints; //        points, boxes and strokes find what a person meant
mod objects; //      how well regions fit hand-drawn objects: the score of the whole
mod parameters; //   what a call may ask for, and what it may not
mod partition; //    regions cover the image, each in one piece, nested from level to level
mod plugin; //       the segmenter as the host sees it
mod support; //      pictures and calls
