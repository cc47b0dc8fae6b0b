//! Images worked on by a server.

use std::path::PathBuf;

use clap::Args;
use som_client::{Client, Connection, Token};
use som_core::{
    AllocatedMark, Allocation, Descriptor, Error, Layer, MarkOptions, Params, Result, Schema, Size,
    Unmarked, encode::Encoding,
};
use som_engine::{
    Segmented,
    registry::unknown,
    settings::{Ladder, LimitSettings},
};
use som_proto::{descriptor, mark, params, pb::v1 as pb, region, segment};

use super::{InkOptions, MarkedImage, RegionOptions, SegmentedImage};
use crate::{
    input::Input,
    report::{self, ImageReport},
    set::{Assigned, Taker, Takers},
};

/// Which server does the work.
#[derive(Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerOptions {
    /// Have the work done by a som serve: http://HOST:PORT, https://HOST:PORT or unix:PATH
    #[arg(long, value_name = "ADDR")]
    server: Option<String>,
    /// PEM file with the authorities that sign the server's certificate [default: the system's]
    #[arg(long, value_name = "FILE", requires = "server")]
    server_ca: Option<PathBuf>,
    /// Environment variable that holds the server's bearer token
    #[arg(long, value_name = "NAME", requires = "server")]
    token_env: Option<String>,
}

/// A server, and what it is asked of every image.
pub(crate) struct Remote {
    client: Client,
    limits: LimitSettings,
    segmenter: String,
    params: Params,
    layers: Vec<Layer>,
    marks: MarkOptions,
}

/// Segmenters or mark styles of the server, each with the schema of its parameters.
struct Offers {
    what: &'static str,
    list: Vec<(Descriptor, Schema)>,
}

impl ServerOptions {
    /// True if a server does the work.
    pub(super) fn is_given(&self) -> bool {
        self.server.is_some()
    }

    fn connection(self) -> Result<Connection> {
        let variable = self.token_env.unwrap_or_default();
        Ok(Connection {
            address: self.server.unwrap_or_default(),
            authorities: self.server_ca.unwrap_or_default(),
            token: Token::find(&variable, "")?,
            ..Connection::default()
        })
    }
}

impl Remote {
    /// Asks the server what it offers. Of the local settings only the limits count.
    ///
    /// # Errors
    /// As [`Session::open`](super::Session::open).
    pub(super) async fn open(
        server: ServerOptions,
        ladder: &Ladder,
        regions: RegionOptions,
        ink: InkOptions,
    ) -> Result<Self> {
        let limits = ladder.load()?.0.limits;
        let client = Client::new(&server.connection()?)?;
        let (segmenters, styles) =
            futures_util::try_join!(client.segmenters(), client.mark_styles())?;
        let id = regions.segmenter.clone();
        let id = id.unwrap_or(segmenters.default_segmenter);
        let stack = ink.styles.unwrap_or(styles.default_styles);
        let segmenters = Offers::read("segmenter", segmenters.segmenters)?;
        let styles = Offers::read("mark style", styles.mark_styles)?;

        let takers = Takers {
            segmenter: segmenters.find(&id)?,
            options: None,
            styles: styles.takers().collect(),
        };
        let assigned = Assigned::of(&regions.assignments(), &takers)?;
        let layers = assigned.layers(&stack, &takers)?;
        let mut params = assigned.params;
        params.extend(regions.hints(&limits)?);
        Ok(Self {
            client,
            limits,
            segmenter: id,
            params,
            layers,
            marks: ink.marks,
        })
    }

    /// Has an image cut.
    ///
    /// # Errors
    /// As [`Session::segment`](super::Session::segment).
    pub(super) async fn segment(&self, input: &Input) -> Result<SegmentedImage> {
        let (image, digest) = self.read(input)?;
        let request = pb::SegmentRequest {
            image: Some(image),
            segmenter: self.segmenter.clone(),
            params: Some(params::to_wire(&self.params)),
        };
        let answer = self.client.segment(&request).await?;
        let size = size(answer.image)?;
        let segmentation = answer.segmentation;
        let segmentation = segmentation.ok_or_else(|| Error::invalid("segmentation is not set"));
        let segmented = || {
            Ok(Segmented {
                segmentation: segment::segmentation_from_wire(segmentation?)?,
                regions: region::list_from_wire(answer.regions, size)?,
                timings: segment::timings_from_wire(answer.timings)?,
            })
        };
        let segmented = segmented().map_err(|error| not_ours(&error))?;
        Ok(SegmentedImage {
            report: ImageReport::new(input.to_string(), size, digest),
            timings: segmented.timings,
            segmented,
        })
    }

    /// Has an image marked.
    ///
    /// # Errors
    /// As [`Session::mark`](super::Session::mark).
    pub(super) async fn mark(&self, input: &Input, encoding: Encoding) -> Result<MarkedImage> {
        let (image, digest) = self.read(input)?;
        let format = match encoding {
            Encoding::Png => pb::PictureFormat::Png,
            Encoding::Jpeg => pb::PictureFormat::Jpeg,
            Encoding::WebP => pb::PictureFormat::Webp,
        };
        let request = pb::MarkRequest {
            image: Some(image),
            segmenter: self.segmenter.clone(),
            params: Some(params::to_wire(&self.params)),
            styles: self.layers.iter().map(mark::layer_to_wire).collect(),
            options: Some(mark::options_to_wire(&self.marks)),
            format: format.into(),
            ..pb::MarkRequest::default()
        };
        let answer = self.client.mark(&request).await?;
        let size = size(answer.image)?;
        let styles = answer.styles.into_iter();
        let pages = answer.pages.into_iter();
        Ok(MarkedImage {
            report: ImageReport::new(input.to_string(), size, digest),
            origin: segment::origin_from_wire(answer.segmentation)
                .map_err(|error| not_ours(&error))?,
            styles: styles.map(|layer| layer.id).collect(),
            allocation: allocation(answer.marks, answer.unmarked, size)
                .map_err(|error| not_ours(&error))?,
            pages: pages.map(|page| page.data.into()).collect(),
            timings: segment::timings_from_wire(answer.timings)
                .map_err(|error| not_ours(&error))?,
        })
    }

    /// The image as it is sent, and the digest of its bytes.
    fn read(&self, input: &Input) -> Result<(pb::Image, String)> {
        let bytes = input.read(self.limits.image_bytes)?;
        let digest = report::digest(&bytes);
        let encoded = pb::EncodedImage {
            data: bytes.into(),
            keep: false,
        };
        let content = Some(pb::image::Content::Encoded(encoded));
        Ok((pb::Image { content }, digest))
    }
}

impl Offers {
    fn read(what: &'static str, wire: Vec<pb::Descriptor>) -> Result<Self> {
        let offer = |wire| {
            let descriptor = descriptor::from_wire(wire)?;
            let schema = Schema::compile(&descriptor.params)?;
            Ok((descriptor, schema))
        };
        let list = wire.into_iter().map(offer).collect::<Result<_>>();
        Ok(Self {
            what,
            list: list.map_err(|error| not_ours(&error))?,
        })
    }

    fn takers(&self) -> impl Iterator<Item = Taker<'_>> {
        self.list.iter().map(|(descriptor, params)| Taker {
            id: &descriptor.id,
            params,
            who: format!("{} \"{}\"", self.what, descriptor.id),
        })
    }

    fn find(&self, id: &str) -> Result<Taker<'_>> {
        let known = self.takers().map(|taker| taker.id);
        self.takers()
            .find(|taker| taker.id == id)
            .ok_or_else(|| unknown(self.what, id, known))
    }
}

fn size(image: Option<pb::ImageInfo>) -> Result<Size> {
    image
        .and_then(|image| image.size)
        .map(region::size_from_wire)
        .ok_or_else(|| not_ours(&Error::invalid("image is not set")))
}

fn allocation(marks: Vec<pb::Mark>, unmarked: Vec<pb::Unmarked>, size: Size) -> Result<Allocation> {
    let marks = marks.into_iter().map(|wire| mark::from_wire(wire, size));
    let marks: Vec<AllocatedMark> = marks.collect::<Result<_>>()?;
    let unmarked = unmarked
        .into_iter()
        .map(|wire| mark::unmarked_from_wire(wire, size));
    let unmarked: Vec<Unmarked> = unmarked.collect::<Result<_>>()?;
    Ok(Allocation {
        pages: marks.iter().map(|mark| mark.page).max().unwrap_or(0),
        marks,
        unmarked,
    })
}

/// What a server of som does not answer.
fn not_ours(error: &Error) -> Error {
    Error::internal(format!("the server's answer makes no sense: {error}"))
}
