//! What a call takes, under the names of the official configurations. `schema.json` says what each
//! means.

use serde::Deserialize;

use crate::network::Task;

/// What is not given is as the network was made for.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct CallParams {
    pub task: Option<Task>,
    pub object_mask_threshold: Option<f32>,
    pub overlap_threshold: Option<f64>,
    pub detections_per_image: Option<usize>,
    pub resize_shortest_edge: Option<u32>,
    pub max_size: Option<u32>,
}
