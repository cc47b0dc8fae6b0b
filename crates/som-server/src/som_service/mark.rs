//! Mark: image → regions → marks → marked image.

use std::time::{Duration, Instant};

use image::RgbImage;
use som_core::{
    Error, Layer, Result, Timings,
    decode::Tags,
    encode::{Encoding, encode_with},
};
use som_engine::{MarkRequest, Marking};
use som_proto::{
    mark, params,
    pb::v1::{self as pb, PictureFormat},
    segment,
};

use super::{
    Som,
    image::RequestImage,
    segment::{refinement, segmenter},
};
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
        let params = params::from_wire(request.params)?;
        let segmenter = segmenter(request.segmenter, request.granularity, params);
        let refine = refinement(request.refine)?;
        let image = self.request_image(request.image, work).await?;
        let regions = self.regions(request.regions, segmenter, &image).await?;
        let request = MarkRequest {
            regions,
            refine,
            layers,
            options: mark::options_from_wire(request.options),
            draw: format != PictureFormat::None,
            ..MarkRequest::new(image.pixels.clone())
        };
        let marking = self.engine.mark(request, &work.cancellation).await?;
        let metrics = &work.call.metrics;
        metrics.stages(&marking.timings);
        let encode = move || answer(&image, marking, format);
        let (answer, encode) = self.engine.compute(encode).await?;
        metrics.stage("encode", encode);
        Ok(answer)
    }
}

/// The answer, and how long it took to make it. Blocking.
fn answer(
    image: &RequestImage,
    marking: Marking,
    format: PictureFormat,
) -> Result<(pb::MarkResponse, Duration)> {
    let Marking {
        origin,
        refined,
        layers,
        marked,
        tags,
        timings,
        // Until the answer is made.
        held: _held,
    } = marking;
    let _span = tracing::info_span!("encode").entered();
    let started = Instant::now();
    let pages = marked.pages.into_iter();
    let pages = pages
        .map(|page| picture_to_wire(page, &tags, format))
        .collect::<Result<_>>()?;
    let allocation = marked.allocation;
    let marks = allocation.marks.iter().map(mark::to_wire).collect();
    let unmarked = allocation.unmarked.iter().map(mark::unmarked_to_wire);
    let unmarked = unmarked.collect();
    let encode = started.elapsed();
    let timings = Timings {
        decode: image.took,
        encode: Some(encode),
        ..timings
    };
    let answer = pb::MarkResponse {
        image: Some(image.info()),
        segmentation: segment::origin_to_wire(&origin),
        styles: layers.iter().map(mark::layer_to_wire).collect(),
        marks,
        unmarked,
        pages,
        timings: Some(segment::timings_to_wire(&timings)),
        refined: refined.as_ref().map(segment::segmentation_to_wire),
        scale: allocation.scale,
    };
    Ok((answer, encode))
}

/// A marked image as the request asked for it.
pub(super) fn picture_to_wire(
    page: RgbImage,
    tags: &Tags,
    format: PictureFormat,
) -> Result<pb::Picture> {
    let (width, height) = page.dimensions();
    let encode = |encoding| encode_with(&page, encoding, tags);
    let (format, data) = match format {
        PictureFormat::Unspecified | PictureFormat::Png => {
            (PictureFormat::Png, encode(Encoding::Png)?)
        }
        PictureFormat::Jpeg => (format, encode(Encoding::Jpeg)?),
        PictureFormat::Webp => (format, encode(Encoding::WebP)?),
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
pub(super) fn layers(styles: Vec<pb::StyleLayer>) -> Result<Option<Vec<Layer>>> {
    if styles.is_empty() {
        return Ok(None);
    }
    let layers = styles.into_iter().map(mark::layer_from_wire);
    layers.collect::<Result<_>>().map(Some)
}

pub(super) fn format(number: i32) -> Result<PictureFormat> {
    PictureFormat::try_from(number).map_err(|_| {
        Error::invalid(format!(
            "format {number} is unknown (1: PNG, 2: JPEG, 3: WebP, 4: raw, 5: none)"
        ))
    })
}
