//! Where the regions of an image come from: a segmenter, the truth, or a file.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::json;
use som_core::{Cancellation, Error, Region, Result, Size};
use som_engine::{Engine, SegmentRequest, SegmenterChoice};

use super::{cache::Cache, golden::Golden, picture::Picture, row::Regions};
use crate::data::Dataset;

/// Reads the regions that people have already.
pub trait ReadRegions: Send + Sync {
    /// The regions that the file or folder `from` has for the image at `image`, which is of `size`.
    /// Blocks.
    ///
    /// # Errors
    /// NotFound, if there are none; whatever is wrong with the file.
    fn read(&self, from: &Path, image: &Path, size: Size) -> Result<Vec<Region>>;
}

/// Everything that regions may come from.
pub(super) struct Sources {
    pub(super) engine: Arc<Engine>,
    pub(super) data: Dataset,
    pub(super) golden: Golden,
    pub(super) given: Arc<dyn ReadRegions>,
    pub(super) cache: Cache,
}

/// The regions of an image.
pub(super) struct Cut {
    pub(super) regions: Arc<Vec<Region>>,
    /// Ids of the truth's segments that they are; empty if they are others.
    pub(super) ids: Vec<u64>,
}

impl Sources {
    /// The image of sample number `at`; of a sequence the first frame.
    ///
    /// # Errors
    /// As [`Picture::read`].
    pub(super) async fn picture(self: &Arc<Self>, at: usize) -> Result<Picture> {
        let sources = Arc::clone(self);
        let read = move || {
            let sample = &sources.data.samples[at];
            Picture::read(&sample.image, sample.size, sources.engine.settings())
        };
        self.engine.compute(read).await
    }

    /// The regions of the image of sample number `at`.
    ///
    /// # Errors
    /// As the source has it.
    pub(super) async fn cut(
        self: &Arc<Self>,
        source: Regions,
        at: usize,
        picture: &Picture,
        stop: &Cancellation,
    ) -> Result<Cut> {
        let size = picture.pixels.size();
        match source {
            Regions::Segmenter(choice) => Ok(Cut {
                regions: self.segmented(choice, picture, stop).await?,
                ids: Vec::new(),
            }),
            Regions::Golden => {
                let sources = Arc::clone(self);
                let cut = move || {
                    let Self { golden, data, .. } = &*sources;
                    golden.regions(data, &data.samples[at], size)
                };
                let golden = self.engine.compute(cut).await?;
                Ok(Cut {
                    regions: Arc::new(golden.regions),
                    ids: golden.ids,
                })
            }
            Regions::Given(from) => {
                let image = self.data.samples[at].image.clone();
                self.given(from, image, size).await
            }
        }
    }

    /// The regions that people have for the image at `image`.
    ///
    /// # Errors
    /// As [`ReadRegions::read`].
    pub(super) async fn given(
        self: &Arc<Self>,
        from: PathBuf,
        image: PathBuf,
        size: Size,
    ) -> Result<Cut> {
        let sources = Arc::clone(self);
        let read = move || sources.given.read(&from, &image, size);
        Ok(Cut {
            regions: Arc::new(self.engine.compute(read).await?),
            ids: Vec::new(),
        })
    }

    /// What a segmenter cuts, or has cut before.
    ///
    /// # Errors
    /// As [`Engine::segment`].
    pub(super) async fn segmented(
        &self,
        choice: SegmenterChoice,
        picture: &Picture,
        stop: &Cancellation,
    ) -> Result<Arc<Vec<Region>>> {
        let key = self.key(&choice, picture).await?;
        let cut = async || {
            let request = SegmentRequest {
                segmenter: choice,
                ..SegmentRequest::new(picture.pixels.clone())
            };
            let segmented = self.engine.segment(request, stop).await?;
            Ok(segmented.regions)
        };
        self.cache.regions(&key, cut).await
    }

    /// All that regions depend on.
    async fn key(&self, choice: &SegmenterChoice, picture: &Picture) -> Result<String> {
        let (settings, registry) = (self.engine.settings(), self.engine.registry());
        let usual = || settings.mark.granularity().filter(|_| choice.id.is_none());
        let sha256 = &picture.sha256;
        if let Some(granularity) = choice.granularity.or_else(usual) {
            let mut there = Vec::new();
            for entry in registry.segmenters() {
                let known = entry.known();
                there.push((
                    entry.id(),
                    known.map(|known| known.descriptor().version.clone()),
                ));
            }
            let tables = &settings.segmenter;
            return Ok(json!([sha256, granularity, choice.params, there, tables]).to_string());
        }
        let id = choice.id.as_deref().unwrap_or(&settings.mark.segmenter);
        let known = registry.segmenter(id)?.reach().await?;
        let params = known.resolve(&choice.params)?;
        let (_, options) = settings.segmenter(id)?;
        let version = &known.descriptor().version;
        Ok(json!([sha256, id, version, options, params]).to_string())
    }

    /// Checks that there is what `source` names.
    ///
    /// # Errors
    /// NotFound, Unavailable or Invalid, as the registry has it; NotFound for a file that is not there.
    pub(super) async fn check(&self, source: &Regions) -> Result<()> {
        match source {
            Regions::Golden => Ok(()),
            Regions::Given(path) if path.exists() => Ok(()),
            Regions::Given(path) => Err(Error::not_found(format!(
                "{}: there is no such file or folder",
                path.display()
            ))),
            Regions::Segmenter(choice) => {
                let settings = self.engine.settings();
                if choice.granularity.is_some() {
                    return Ok(());
                }
                let id = choice.id.as_deref().unwrap_or(&settings.mark.segmenter);
                let known = self.engine.registry().segmenter(id)?.reach().await?;
                known.resolve(&choice.params).map(drop)
            }
        }
    }
}
