//! Mark: image → regions → marks → marked image.

use std::time::{Duration, Instant};

use image::RgbImage;
use som_core::{
    AllocateOptions, Error, Result,
    encode::{Encoding, encode},
};
use som_engine::{LayerRequest, MarkRequest, Marking, RegionSource};
use som_proto::{
    mark, params,
    pb::v1::{self as pb, PictureFormat},
    region,
};

use super::{Som, image::Picture, milliseconds, segmentation_to_wire, segmenter};
use crate::call::Work;

impl Som {
    /// The answer to one request.
    ///
    /// # Errors
    /// As [`Engine::mark`](som_engine::Engine::mark); whatever is wrong with the image or with
    /// another part of the request.
    pub(super) async fn marked(
        &self,
        request: pb::MarkRequest,
        work: &Work<'_>,
    ) -> Result<pb::MarkResponse> {
        // What is wrong with the small parts is told before the image is decoded.
        let format = format(request.format)?;
        let layers = layers(request.styles)?;
        let options = self.options(request.page_size, request.max_marks);
        let params = params::from_wire(request.params)?;
        let picture = self.picture(request.image, work).await?;
        let regions = match request.regions {
            Some(list) => {
                let size = picture.size();
                let read = move || region::list_from_wire(list.regions, size);
                RegionSource::Given(self.engine.compute(read).await?)
            }
            None => RegionSource::Segmenter {
                id: segmenter(request.segmenter),
                params,
            },
        };
        let request = MarkRequest {
            image: picture.pixels.clone(),
            regions,
            layers,
            options,
            draw: format != PictureFormat::None,
        };
        let marking = self.engine.mark(request, &work.cancellation).await?;
        let metrics = &work.call.metrics;
        if let Some(segmentation) = &marking.segmentation {
            metrics.stage("segment", segmentation.took);
        }
        metrics.stage("allocate", marking.allocate);
        metrics.stage("draw", marking.draw);
        let encode = move || answer(&picture, marking, format);
        let (answer, took) = self.engine.compute(encode).await?;
        metrics.stage("encode", took);
        Ok(answer)
    }

    /// What mark allocation may do: the settings, unless the request says otherwise.
    fn options(&self, page_size: Option<u32>, max_marks: Option<u32>) -> AllocateOptions {
        let mut options = self.engine.allocate_options();
        if let Some(page_size) = page_size {
            options.page_size = Some(page_size).filter(|&size| size > 0);
        }
        options.max_marks = max_marks;
        options
    }
}

/// The answer, and how long it took to make it. Blocking.
fn answer(
    picture: &Picture,
    marking: Marking,
    format: PictureFormat,
) -> Result<(pb::MarkResponse, Duration)> {
    let Marking {
        segmentation,
        layers,
        marked,
        allocate,
        draw,
    } = marking;
    let _span = tracing::info_span!("encode").entered();
    let started = Instant::now();
    let pages = marked.pages.into_iter();
    let pages = pages
        .map(|page| picture_to_wire(page, format))
        .collect::<Result<_>>()?;
    let allocation = marked.allocation;
    let marks: Vec<_> = allocation.marks.iter().map(mark::to_wire).collect();
    let unmarked = allocation.unmarked.iter().map(mark::unmarked_to_wire);
    let unmarked = unmarked.collect();
    let took = started.elapsed();
    let timings = pb::Timings {
        decode: milliseconds(picture.took),
        segment: segmentation
            .as_ref()
            .map_or(0.0, |segmentation| milliseconds(segmentation.took)),
        allocate: milliseconds(allocate),
        draw: milliseconds(draw),
        encode: milliseconds(took),
    };
    let answer = pb::MarkResponse {
        image: Some(picture.info()),
        segmentation: segmentation.map(segmentation_to_wire),
        styles: layers.into_iter().map(layer_to_wire).collect(),
        marks,
        unmarked,
        pages,
        timings: Some(timings),
    };
    Ok((answer, took))
}

/// A marked image as the request asked for it.
pub(super) fn picture_to_wire(page: RgbImage, format: PictureFormat) -> Result<pb::Picture> {
    let (width, height) = page.dimensions();
    let (format, data) = match format {
        PictureFormat::Unspecified | PictureFormat::Png => {
            (PictureFormat::Png, encode(&page, Encoding::Png)?)
        }
        PictureFormat::Jpeg => (format, encode(&page, Encoding::Jpeg)?),
        PictureFormat::Webp => (format, encode(&page, Encoding::WebP)?),
        PictureFormat::Raw => (format, page.into_raw()),
        PictureFormat::None => (format, Vec::new()),
    };
    Ok(pb::Picture {
        size: Some(pb::Size { width, height }),
        format: format.into(),
        data: data.into(),
    })
}

/// The layers of ink; `None` for those in the settings.
pub(super) fn layers(styles: Vec<pb::StyleLayer>) -> Result<Option<Vec<LayerRequest>>> {
    if styles.is_empty() {
        return Ok(None);
    }
    let layer = |layer: pb::StyleLayer| match params::from_wire(layer.params) {
        Ok(params) => Ok(LayerRequest {
            style: layer.id,
            params,
        }),
        Err(error) => Err(error.at(format!("mark style \"{}\"", layer.id))),
    };
    styles
        .into_iter()
        .map(layer)
        .collect::<Result<_>>()
        .map(Some)
}

pub(super) fn layer_to_wire(layer: LayerRequest) -> pb::StyleLayer {
    pb::StyleLayer {
        id: layer.style,
        params: Some(params::to_wire(&layer.params)),
    }
}

pub(super) fn format(number: i32) -> Result<PictureFormat> {
    PictureFormat::try_from(number).map_err(|_| {
        Error::invalid(format!(
            "format {number} is unknown (1: PNG, 2: JPEG, 3: WebP, 4: raw, 5: none)"
        ))
    })
}
