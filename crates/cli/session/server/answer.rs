//! The answers of `som.v1` → what a session gives. Blocking: masks are decoded.

use std::{sync::Arc, time::Duration};

use som_core::{
    Allocation, Error, ImagePolicy, Origin, ProviderInfo, Result, Segmentation, Size, Timings,
    decode::ImageNote,
    ground::Mention,
    task::{Consensus, Grounded},
};
use som_engine::{Segmented, ask::AskOutcome};
use som_proto::{
    ask, image as wire_image, mark,
    pb::v1::{self as pb, ask_response::Stage as WireStage, compare_response::Outcome},
    region, segment, status,
};

use super::super::{ComparedRow, MarkedImage, SegmentedImage, Stage};

/// The regions of an image.
///
/// # Errors
/// As every function here: Internal for what no server of som answers.
pub(super) fn segmented(answer: pb::SegmentResponse) -> Result<SegmentedImage> {
    ours(|| {
        let (size, notes) = file(answer.image)?;
        Ok(SegmentedImage {
            size,
            notes,
            segmented: Segmented {
                segmentation: cut(answer.segmentation)?,
                refined: refined(answer.refined)?,
                regions: region::list_from_wire(answer.regions, size)?,
                timings: segment::timings_from_wire(answer.timings)?,
            },
        })
    })
}

/// An image with its marks.
pub(super) fn marked(answer: pb::MarkResponse) -> Result<MarkedImage> {
    ours(|| {
        let (size, notes) = file(answer.image)?;
        let marked = image(
            size,
            segment::origin_from_wire(answer.segmentation)?,
            answer.styles,
            (answer.marks, answer.unmarked),
            (answer.pages, answer.scale),
            segment::timings_from_wire(answer.timings)?,
        )?;
        Ok(MarkedImage {
            notes,
            refined: refined(answer.refined)?,
            ..marked
        })
    })
}

/// A stage of an answer about images of these `sizes`; `None` for one that nobody waits for.
pub(super) fn stage(stage: WireStage, sizes: &[Size]) -> Result<Option<Stage>> {
    ours(|| {
        Ok(Some(match stage {
            WireStage::Regions(cut_image) => {
                let size = size_of(cut_image.image, sizes)?;
                Stage::Regions(
                    cut_image.image as usize,
                    Segmented {
                        segmentation: cut(cut_image.segmentation)?,
                        refined: refined(cut_image.refined)?,
                        regions: region::list_from_wire(cut_image.regions, size)?,
                        timings: Timings::default(),
                    },
                )
            }
            WireStage::Marked(marked) => Stage::Marked(ask_marked(marked, sizes)?),
            WireStage::Round(round) => Stage::Round(round.number),
            WireStage::Text(text) => Stage::Text(text),
            WireStage::Mention(mention) => Stage::Mention(ask::mention_from_wire(mention)?),
            WireStage::Usage(_) | WireStage::Answer(_) => return Ok(None),
        }))
    })
}

/// What has come in of an answer: whoever prints it relies on where its mentions stand.
#[derive(Default)]
pub(super) struct Heard {
    text: String,
    /// Where the last mention ends.
    end: usize,
}

impl Heard {
    /// Takes in the next stage.
    pub(super) fn hear(&mut self, stage: &Stage) -> Result<()> {
        match stage {
            Stage::Round(_) => *self = Self::default(),
            Stage::Text(text) => self.text.push_str(text),
            Stage::Mention(mention) => {
                self.mention(mention).map_err(|error| not_ours(&error))?;
            }
            Stage::Regions(..) | Stage::Marked(_) => {}
        }
        Ok(())
    }

    /// A mention is a span of the text, behind the one before.
    fn mention(&mut self, mention: &Mention) -> Result<()> {
        let span = &mention.span;
        if span.start < self.end || self.text.get(span.clone()).is_none() {
            return Err(Error::invalid(format!(
                "a mention at {span:?} is no further part of the text"
            )));
        }
        self.end = span.end;
        Ok(())
    }
}

/// What it all comes to.
pub(super) fn outcome(answer: pb::Answer) -> Result<AskOutcome> {
    ours(|| read_outcome(answer))
}

/// A row of a comparison of so many rows, about images of these `sizes`.
pub(super) fn row(answer: pb::CompareResponse, sizes: &[Size], rows: usize) -> Result<ComparedRow> {
    ours(|| {
        let index = answer.row as usize;
        if index >= rows {
            return Err(Error::invalid(format!("there is no row {index}")));
        }
        let images = answer.marked.into_iter();
        let images = images.map(|marked| ask_marked(marked, sizes));
        let outcome = match answer.outcome {
            Some(Outcome::Answer(answer)) => Ok(read_outcome(answer)?),
            Some(Outcome::Failure(failure)) => Err(Arc::new(status::failure_from_wire(&failure))),
            None => return Err(Error::invalid("neither answer nor failure is set")),
        };
        Ok(ComparedRow {
            index,
            segmenter: answer.segmenter,
            images: images.collect::<Result<_>>()?,
            outcome,
            took: Duration::try_from_secs_f64(answer.took / 1e3)
                .map_err(|_| Error::invalid(format!("took is {}", answer.took)))?,
        })
    })
}

/// What is read of an answer, if a server of som can have sent it.
fn ours<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    read().map_err(|error| not_ours(&error))
}

/// What a server of som does not answer.
pub(super) fn not_ours(error: &Error) -> Error {
    Error::internal(format!("the server's answer makes no sense: {error}"))
}

fn ask_marked(marked: pb::AskMarked, sizes: &[Size]) -> Result<MarkedImage> {
    image(
        size_of(marked.image, sizes)?,
        Origin::Given,
        marked.styles,
        (marked.marks, marked.unmarked),
        (marked.pages, marked.scale),
        Timings::default(),
    )
}

fn image(
    size: Size,
    origin: Origin,
    styles: Vec<pb::StyleLayer>,
    (marks, unmarked): (Vec<pb::Mark>, Vec<pb::Unmarked>),
    (pages, scale): (Vec<pb::Picture>, u32),
    timings: Timings,
) -> Result<MarkedImage> {
    let layers = styles.into_iter().map(mark::layer_from_wire);
    let marks = marks.into_iter().map(|mark| mark::from_wire(mark, size));
    let marks = marks.collect::<Result<Vec<_>>>()?;
    let unmarked = unmarked.into_iter();
    let unmarked = unmarked.map(|unmarked| mark::unmarked_from_wire(unmarked, size));
    let pages = pages.into_iter();
    Ok(MarkedImage {
        size,
        notes: Vec::new(),
        origin,
        refined: None,
        layers: layers.collect::<Result<_>>()?,
        allocation: Allocation {
            // A server of before has no other.
            scale: scale.max(1),
            pages: marks.iter().map(|mark| mark.page).max().unwrap_or(0),
            unmarked: unmarked.collect::<Result<_>>()?,
            marks,
        },
        pages: pages.map(|page| page.data.into()).collect(),
        timings,
    })
}

fn read_outcome(answer: pb::Answer) -> Result<AskOutcome> {
    let finish = ask::finish_from_wire(answer.finish(), answer.reason)?;
    let shares = answer.findings.iter().map(|finding| finding.agreement);
    let shares: Vec<f64> = shares.flatten().collect();
    let agreement = answer.agreement.iter().map(ask::agreement_from_wire);
    let consensus = answer.best.map(|best| Consensus {
        best: best as usize,
        regions: agreement.collect(),
        findings: shares,
    });
    let mentions = answer.mentions.into_iter().map(ask::mention_from_wire);
    let mentions = mentions.collect::<Result<Vec<_>>>()?;
    let mut heard = Heard {
        text: answer.text,
        end: 0,
    };
    mentions
        .iter()
        .try_for_each(|mention| heard.mention(mention))?;
    let findings = answer.findings.into_iter().map(ask::finding_from_wire);
    let thoughts = answer.thoughts.into_iter().map(ask::thought_from_wire);
    let thoughts = thoughts.collect::<Result<Vec<_>>>()?;
    if let Some(thought) =
        (thoughts.iter()).find(|thought| heard.text.get(thought.span.clone()).is_none())
    {
        let span = &thought.span;
        return Err(Error::invalid(format!(
            "a thought at {span:?} is no part of the text"
        )));
    }
    Ok(AskOutcome {
        lmm: info(answer.lmm.unwrap_or_default()),
        text: heard.text,
        finish,
        grounded: Grounded {
            mentions,
            findings: findings.collect::<Result<_>>()?,
            thoughts,
        },
        consensus,
        cut_short: Some(answer.cut_short).filter(|why| !why.is_empty()),
        rounds: answer.rounds,
        usage: answer.usage.map(ask::usage_from_wire),
        cost: answer.cost,
        timings: segment::ask_timings_from_wire(answer.timings)?,
    })
}

/// Who answered. More than that is not told with an answer, and nobody here asks.
fn info(lmm: pb::Lmm) -> ProviderInfo {
    ProviderInfo {
        name: lmm.name,
        provider: lmm.provider,
        model: lmm.model,
        vision: true,
        structured: false,
        images: ImagePolicy::default(),
        context_tokens: None,
        prices: None,
    }
}

fn cut(wire: Option<pb::Segmentation>) -> Result<Segmentation> {
    let wire = wire.ok_or_else(|| Error::invalid("segmentation is not set"))?;
    segment::segmentation_from_wire(wire)
}

/// Who refined regions.
fn refined(wire: Option<pb::Segmentation>) -> Result<Option<Segmentation>> {
    wire.map(segment::segmentation_from_wire).transpose()
}

/// The size of an image, and what was odd about its file.
fn file(info: Option<pb::ImageInfo>) -> Result<(Size, Vec<ImageNote>)> {
    let missing = || Error::invalid("image is not set");
    let info = info.ok_or_else(missing)?;
    let size = info.size.ok_or_else(missing)?;
    let notes = info.notes.into_iter().map(wire_image::note_from_wire);
    Ok((region::size_from_wire(size), notes.collect::<Result<_>>()?))
}

/// The size of an image of the question.
fn size_of(image: u32, sizes: &[Size]) -> Result<Size> {
    let size = sizes.get(image as usize).copied();
    size.ok_or_else(|| Error::invalid(format!("there is no image {image}")))
}

#[cfg(test)]
mod tests {
    use som_core::ground::{Polarity, Status};

    use super::*;

    #[test]
    fn mentions_are_parts_of_the_text_in_order() {
        let mention = |span| {
            Stage::Mention(Mention {
                span,
                status: Status::Resolved,
                polarity: Polarity::Asserted,
                marks: vec![1],
                unresolved: Vec::new(),
                location: None,
            })
        };
        let mut heard = Heard::default();
        heard.hear(&Stage::Text("é [1] [2]".into())).unwrap();
        heard.hear(&mention(3..6)).unwrap();
        // Behind the text, in a character, before the last one, the wrong way round.
        #[allow(clippy::reversed_empty_ranges)]
        for wrong in [7..11, 1..3, 3..6, 9..7] {
            let error = heard.hear(&mention(wrong)).unwrap_err();
            assert!(error.message().contains("no further part"), "{error}");
        }
        heard.hear(&mention(7..10)).unwrap();
        heard.hear(&Stage::Round(2)).unwrap();
        assert!(heard.hear(&mention(3..6)).is_err());
    }
}
