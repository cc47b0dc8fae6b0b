//! A frame after the image encoder.

use som_core::{Call, Image, Result, Size};
use som_torch::{stages::stage, torch_error};

use crate::{network::Features, predictor::Predictor};

/// A frame of a video.
#[derive(Debug)]
pub(crate) struct Frame {
    /// From 0.
    pub index: usize,
    pub features: Features,
    /// Of the image.
    pub size: Size,
}

impl Frame {
    /// Runs the image encoder.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn encode(
        predictor: &Predictor,
        image: &Image<'_>,
        index: usize,
        call: &Call<'_>,
    ) -> Result<Self> {
        let input = predictor.frame_input(image).map_err(torch_error)?;
        let features = stage("image encoder", || predictor.features(&input, call))?;
        Ok(Self {
            index,
            features,
            size: Size::new(image.width(), image.height()),
        })
    }
}
