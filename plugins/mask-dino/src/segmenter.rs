//! The segmenter: what a call asks of the network.

use som_core::{Call, Error, Image, Region, Result};
use som_torch::{Instance, Learned, Source};

use crate::{
    network::{Output, Task},
    params::CallParams,
    predictor::{InputSize, Prediction, Predictor},
    regions::regions,
};

/// One instance. Instances with the same options share weights and what was said about images.
pub type MaskDinoSegmenter = Instance<Predictor>;

impl Learned for Predictor {
    const ID: &'static str = "mask-dino";
    type Encoded = Prediction;
    type Setting = InputSize;

    fn load(source: &Source) -> Result<Self> {
        Self::open(source)
    }

    fn summary(&self) -> String {
        let config = &self.network.config;
        format!(
            "a {} backbone, {} levels, {} queries, {} classes",
            config.backbone.name(),
            config.pixel_decoder.count(),
            config.query_count(),
            config.classes,
        )
    }

    fn encode(&self, image: &Image<'_>, setting: InputSize, call: &Call<'_>) -> Result<Prediction> {
        self.run(image, setting, call)
    }

    fn segment(
        instance: &Instance<Self>,
        image: &Image<'_>,
        call: &Call<'_>,
    ) -> Result<Vec<Region>> {
        let params: CallParams = call.parse()?;
        if call.hints()?.is_some() {
            return Err(Error::unsupported(
                "hints: mask-dino finds everything of its classes, and takes no hints",
            ));
        }
        let predictor = instance.network();
        let config = &predictor.network.config;
        let given = &config.output;
        let output = Output {
            task: params.task.unwrap_or(given.task),
            object_mask_threshold: params
                .object_mask_threshold
                .unwrap_or(given.object_mask_threshold),
            overlap_threshold: params.overlap_threshold.unwrap_or(given.overlap_threshold),
            detections_per_image: params
                .detections_per_image
                .unwrap_or(given.detections_per_image),
            ..given.clone()
        };
        if config.has_no_object && output.task != Task::Semantic {
            return Err(Error::unsupported(
                "these weights were trained for semantic segmentation alone (set task to semantic)",
            ));
        }
        let usual = predictor.input_size();
        let setting = InputSize {
            shortest_edge: params.resize_shortest_edge.unwrap_or(usual.shortest_edge),
            max_size: params.max_size.unwrap_or(usual.max_size),
        };
        let prediction = instance.encode(image, setting, call)?;
        call.check()?;
        regions(predictor, &prediction, &output, call)
    }
}
