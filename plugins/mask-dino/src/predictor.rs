//! Images through the network.

use som_core::{Call, Image, Result, Size};
use som_torch::{
    Compute, Encoded, Source, TorchResult,
    classes::{Class, DataSet},
    input::Normalization,
    numbers,
    resize::{self, shortest_edge},
    threads, torch_error,
};
use tch::{Device, Kind, Tensor};

use crate::network::{Answer, Network, mask_logits};

/// How much memory the network was seen to take, of what its activations fill: the allocator keeps
/// some of what was freed, and products are made of rearranged weights.
const OVERHEAD: u64 = 2;

/// A network, where it runs, and what its classes are called. Clones share the weights.
#[derive(Clone, Debug)]
pub struct Predictor {
    pub(crate) network: Network,
    /// What its classes are called; none, where nobody knows.
    pub(crate) classes: Vec<Class>,
    compute: Compute,
}

/// The size at which the network sees an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InputSize {
    /// The shorter side gets so many pixels,
    pub(crate) shortest_edge: u32,
    /// but the longer one no more than these.
    pub(crate) max_size: u32,
}

/// What the network said about an image. Clones share the numbers.
#[derive(Debug)]
pub struct Prediction {
    /// Query by query, class by class.
    class_logits: Vec<f32>,
    /// Centre x and y, width and height, in 0..1 of the padded image.
    pub(crate) boxes: Vec<[f32; 4]>,
    /// `[queries, channels]`
    mask_embeddings: Tensor,
    /// `[rows, columns, channels]`
    mask_features: Tensor,
    /// Of the image.
    pub(crate) size: Size,
    /// As the network saw it,
    pub(crate) inside: Size,
    /// at the top left of this.
    pub(crate) padded: Size,
}

impl Clone for Prediction {
    fn clone(&self) -> Self {
        Self {
            class_logits: self.class_logits.clone(),
            boxes: self.boxes.clone(),
            mask_embeddings: self.mask_embeddings.shallow_clone(),
            mask_features: self.mask_features.shallow_clone(),
            ..*self
        }
    }
}

impl Encoded for Prediction {
    fn bytes(&self) -> u64 {
        let numbers = self.mask_embeddings.numel() + self.mask_features.numel();
        4 * (numbers + 4 * self.boxes.len() + self.class_logits.len()) as u64
    }
}

impl Prediction {
    /// The logits of each query, class by class.
    pub(crate) fn class_logits(&self) -> impl Iterator<Item = &[f32]> {
        let columns = self.class_logits.len() / self.boxes.len().max(1);
        self.class_logits.chunks_exact(columns.max(1))
    }

    /// The logits of queries' masks, `[queries, rows, columns]`, and the size of each.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn masks(&self, queries: &[usize]) -> TorchResult<Tensor> {
        let queries: Vec<i64> = queries.iter().map(|&query| query as i64).collect();
        let queries = Tensor::f_from_slice(&queries)?.f_to_device(self.mask_embeddings.device())?;
        let embeddings = self.mask_embeddings.f_index_select(0, &queries)?;
        mask_logits(&embeddings, &self.mask_features)
    }

    /// Rows and columns of the masks' logits.
    pub(crate) fn low(&self) -> Size {
        let extent = |axis: usize| self.mask_features.size()[axis].unsigned_abs() as u32;
        Size::new(extent(1), extent(0))
    }
}

impl Predictor {
    /// The network of these files.
    ///
    /// # Errors
    /// Invalid, if they hold another network, with every tensor that does not fit; Exhausted, if
    /// memory runs out.
    pub(crate) fn open(source: &Source) -> Result<Self> {
        let network = Network::load(source)?;
        let classes = network.config.output.vocabulary.map(DataSet::classes);
        Ok(Self {
            classes: classes.unwrap_or_default(),
            network,
            compute: source.compute,
        })
    }

    /// The size at which the network sees images, where a call does not say otherwise.
    pub(crate) fn input_size(&self) -> InputSize {
        let input = self.network.config.input;
        InputSize {
            shortest_edge: input.shortest_edge,
            max_size: input.max_size,
        }
    }

    /// Runs the network.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn run(
        &self,
        image: &Image<'_>,
        input_size: InputSize,
        call: &Call<'_>,
    ) -> Result<Prediction> {
        let input = self.network.config.input;
        let size = Size::new(image.width(), image.height());
        let inside = shortest_edge(size, input_size.shortest_edge, input_size.max_size);
        let up = |extent: u32| extent.next_multiple_of(input.divisibility.max(1));
        let padded = Size::new(up(inside.width), up(inside.height));
        let activations = self
            .network
            .activations(padded.height.into(), padded.width.into());
        let needed = OVERHEAD * size_of::<f32>() as u64 * activations;
        self.compute.require(needed, "the network's activations")?;
        threads::use_all();
        let normalization = Normalization {
            mean: input.mean,
            deviation: input.deviation,
        };
        let resized = resize::bilinear(image, inside);
        let tensor = normalization.apply(&resized, padded, self.compute.device);
        let answer = self.network.forward(&tensor.map_err(torch_error)?, call)?;
        numbers::require(&answer.mask_features, "pixel decoder")?;
        numbers::require(&answer.class_logits, "decoder")?;
        numbers::require(&answer.mask_embeddings, "decoder")?;
        let Answer {
            class_logits,
            boxes,
            mask_embeddings,
            mask_features,
        } = answer;
        let read = || {
            let class_logits = cpu_numbers(&class_logits)?;
            let boxes = cpu_numbers(&boxes)?;
            Ok(Prediction {
                class_logits,
                boxes: boxes.as_chunks().0.to_vec(),
                mask_embeddings,
                mask_features,
                size,
                inside,
                padded,
            })
        };
        read().map_err(torch_error)
    }
}

/// A tensor's numbers.
pub(crate) fn cpu_numbers(tensor: &Tensor) -> TorchResult<Vec<f32>> {
    let flat = tensor
        .f_to_device(Device::Cpu)?
        .f_to_kind(Kind::Float)?
        .f_flatten(0, -1)?;
    Vec::try_from(&flat)
}
