//! The segmenter: options to a network, calls to regions.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::SystemTime,
};

use serde_json::json;
use som_core::{BBox, Call, Error, Image, Mask, Params, Region, Result, Segmenter};
use som_plugin::{
    guest::{Create, Level},
    log,
};
use som_torch::{
    Compute, Precision,
    cache::{ByteCache, ImageDigest},
};

use crate::{
    automatic::generate,
    interactive::{Predicted, predict},
    network::Sam,
    params::{CallParams, Options},
    predictor::{EncodedImage, Predictor},
    search::Found,
};

/// One instance. Instances with the same options share weights and encoded images.
#[derive(Debug)]
pub struct SamSegmenter {
    predictor: Predictor,
    model: Arc<Model>,
}

impl Create for SamSegmenter {
    /// Loads the network that `options` name, unless another instance has it.
    fn create(options: &Call<'_>) -> Result<Self> {
        let options: Options = options.parse()?;
        let Some(weights) = &options.weights else {
            return Err(Error::unavailable(
                "no weights given (set segmenter.sam.weights to a checkpoint, or give --set weights=FILE)",
            ));
        };
        let compute = Compute::open(&options.device, options.precision)?;
        let path = Path::new(weights);
        let model = Model::shared(path, compute, options.cache_mib << 20).map_err(|error| {
            match error.kind() {
                som_core::ErrorKind::Unavailable => {
                    Error::unavailable(format!("{} (set segmenter.sam.weights)", error.message()))
                }
                _ => error,
            }
        })?;
        let predictor = model
            .predictor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Ok(Self { predictor, model })
    }
}

impl SamSegmenter {
    /// What the encoder makes of `image`, remembered from earlier calls if possible.
    fn encode(&self, image: &Image<'_>, call: &Call<'_>) -> Result<EncodedImage> {
        let digest = ImageDigest::of(image);
        if let Some(encoded) = self.model.encoded().get(digest) {
            return Ok(encoded.clone());
        }
        let encoded = self.predictor.encode(image, call)?;
        self.model
            .encoded()
            .insert(digest, encoded.clone(), encoded.bytes());
        Ok(encoded)
    }
}

impl Segmenter for SamSegmenter {
    fn segment(&mut self, image: &Image<'_>, call: &Call<'_>) -> Result<Vec<Region>> {
        let _no_gradients = tch::no_grad_guard();
        let params: CallParams = call.parse()?;
        let regions: Vec<Region> = match call.hints()? {
            Some(hints) => {
                hints.check(som_core::Size::new(image.width(), image.height()))?;
                let encoded = self.encode(image, call)?;
                let predicted = predict(&self.predictor, &encoded, &hints, &params, call)?;
                predicted.into_iter().map(Region::from).collect()
            }
            None => {
                let encode = |image: &Image<'_>| self.encode(image, call);
                let found = generate(&self.predictor, encode, image, &params.automatic, call)?;
                found.into_iter().map(Region::from).collect()
            }
        };
        // With its filters off, the network may well answer with nothing.
        Ok(regions
            .into_iter()
            .filter(|region| !region.mask.is_empty())
            .collect())
    }
}

impl From<Found> for Region {
    fn from(found: Found) -> Self {
        let Found {
            mask,
            predicted_iou,
            stability_score,
            point,
            crop,
        } = found;
        region(mask, predicted_iou, stability_score, &[point], crop)
    }
}

impl From<Predicted> for Region {
    fn from(predicted: Predicted) -> Self {
        let Predicted {
            mask,
            predicted_iou,
            stability_score,
            prompt,
            points,
        } = predicted;
        let whole = mask.size().bbox();
        let mut region = region(mask, predicted_iou, stability_score, &points, whole);
        region.extra.insert("prompt".to_owned(), prompt.into());
        region
    }
}

/// A region with everything the official project reports of a mask, under the same names.
fn region(
    mask: Mask,
    predicted_iou: f32,
    stability_score: f32,
    points: &[[f64; 2]],
    crop: BBox,
) -> Region {
    let mut extra = Params::new();
    // JSON knows no NaN: the stability of an empty mask becomes null.
    extra.insert("predicted_iou".to_owned(), json!(predicted_iou));
    extra.insert("stability_score".to_owned(), json!(stability_score));
    extra.insert("point_coords".to_owned(), json!(points));
    extra.insert(
        "crop_box".to_owned(),
        json!([crop.x, crop.y, crop.width, crop.height]),
    );
    Region {
        score: Some(predicted_iou.clamp(0.0, 1.0)),
        extra,
        ..Region::new(mask)
    }
}

/// A network in memory, and the images that went through its encoder.
#[derive(Debug)]
struct Model {
    source: Source,
    /// libtorch's tensors may move between threads but not be shared, so instances clone this one.
    predictor: Mutex<Predictor>,
    encoded: Mutex<ByteCache<ImageDigest, EncodedImage>>,
}

/// What two instances must agree in to share a model.
#[derive(Clone, Debug, PartialEq)]
struct Source {
    path: PathBuf,
    /// A file that was replaced is another one.
    changed: Option<SystemTime>,
    device: tch::Device,
    precision: Precision,
    cache: u64,
}

static MODELS: Mutex<Vec<Weak<Model>>> = Mutex::new(Vec::new());

impl Model {
    /// The model of this kind that some instance holds, else a new one.
    fn shared(path: &Path, compute: Compute, cache: u64) -> Result<Arc<Self>> {
        let source = Source {
            path: path.canonicalize().unwrap_or_else(|_| path.to_owned()),
            changed: path.metadata().and_then(|file| file.modified()).ok(),
            device: compute.device,
            precision: compute.precision,
            cache,
        };
        // Held while loading, so that instances which start together load once.
        let mut models = MODELS.lock().unwrap_or_else(PoisonError::into_inner);
        models.retain(|model| model.strong_count() > 0);
        if let Some(model) = models
            .iter()
            .filter_map(Weak::upgrade)
            .find(|model| model.source == source)
        {
            return Ok(model);
        }
        let predictor = Predictor::new(Sam::load(path, compute)?, compute.device)?;
        let config = &predictor.sam.config;
        log!(
            Level::Info,
            "sam: loaded {} onto {:?} in {:?}: images of {} pixels, {} blocks, {} heads in the decoder",
            path.display(),
            compute.device,
            compute.precision,
            config.side,
            config.blocks.len(),
            config.decoder.heads
        );
        let model = Arc::new(Self {
            source,
            predictor: Mutex::new(predictor),
            encoded: Mutex::new(ByteCache::new(cache)),
        });
        models.push(Arc::downgrade(&model));
        Ok(model)
    }

    fn encoded(&self) -> std::sync::MutexGuard<'_, ByteCache<ImageDigest, EncodedImage>> {
        self.encoded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
