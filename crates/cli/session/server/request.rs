//! What is wanted → the requests of `som.v1`.

use som_core::{Layer, Size, encode::Encoding};
use som_engine::{GivenRegions, Refinement, RegionSource, compare::CompareRow};
use som_proto::{
    ask, mark, params,
    pb::v1::{self as pb, PictureFormat, ask_request::Prompt, compare_row::Prompt as RowPrompt},
    region,
};

use super::super::{ImageToMark, Plan, Question, QuestionImage};
use crate::input::InputImage;

/// image → regions.
pub(super) fn segment(image: &InputImage, plan: &Plan) -> pb::SegmentRequest {
    pb::SegmentRequest {
        image: Some(encoded(image, plan)),
        segmenter: plan.segmenter.id.clone().unwrap_or_default(),
        params: Some(params::to_wire(&plan.segmenter.params)),
        granularity: plan.segmenter.granularity,
        refine: plan.refine.as_ref().map(refinement),
    }
}

/// image → marked image.
pub(super) fn mark(
    image: &ImageToMark,
    plan: &Plan,
    encoding: Option<Encoding>,
) -> pb::MarkRequest {
    let given = image.given.as_ref().map(|(_, given)| given);
    pb::MarkRequest {
        image: Some(encoded(&image.image, plan)),
        segmenter: plan.segmenter.id.clone().unwrap_or_default(),
        params: Some(params::to_wire(&plan.segmenter.params)),
        granularity: plan.segmenter.granularity,
        regions: given.map(region_list),
        styles: layers(&plan.layers),
        options: Some(mark::options_to_wire(&plan.marks)),
        format: format(encoding).into(),
        refine: plan.refine.as_ref().map(refinement),
    }
}

/// images and a question → answer.
pub(super) fn ask(question: &Question, plan: &Plan) -> pb::AskRequest {
    let images = question.images.iter();
    let history = question.history.iter().map(|exchange| pb::Exchange {
        question: exchange.question.clone(),
        answer: exchange.answer.clone(),
    });
    let budget = &question.budget;
    pb::AskRequest {
        images: images.map(|image| ask_image(image, plan)).collect(),
        styles: layers(&plan.layers),
        options: Some(mark::options_to_wire(&plan.marks)),
        task: Some(ask::task_to_wire(&question.task)),
        history: history.collect(),
        lmm: plan.lmm.clone().unwrap_or_default(),
        prompt: question.words.clone().map(Prompt::Words),
        clean: question.layout.clean,
        table: question.layout.table,
        structured: None,
        votes: question.votes,
        budget: Some(pb::Budget {
            max_tokens: budget.max_tokens.unwrap_or_default(),
            max_rounds: budget.max_rounds,
            max_cost: budget.max_cost.unwrap_or_default(),
        }),
        format: format(question.pages).into(),
    }
}

/// The question in every way that the plan has.
pub(super) fn compare(question: &Question, plan: &Plan) -> pb::CompareRequest {
    pb::CompareRequest {
        ask: Some(ask(question, plan)),
        rows: plan.rows.iter().map(row).collect(),
    }
}

/// The sizes of the images of a question, which answers do not repeat.
pub(super) fn sizes(question: &Question) -> Vec<Size> {
    question.images.iter().map(QuestionImage::size).collect()
}

fn row(row: &CompareRow) -> pb::CompareRow {
    let choice = match &row.regions {
        Some(RegionSource::Segmenter(choice)) => Some(choice),
        Some(RegionSource::Given(_)) | None => None,
    };
    let id = choice.and_then(|choice| choice.id.clone());
    pb::CompareRow {
        segmenter: id.unwrap_or_default(),
        params: choice.map(|choice| params::to_wire(&choice.params)),
        granularity: choice.and_then(|choice| choice.granularity),
        styles: layers(row.layers.as_deref().unwrap_or_default()),
        options: Some(mark::options_to_wire(&row.options)),
        lmm: row.lmm.clone().unwrap_or_default(),
        prompt: row
            .template
            .as_ref()
            .map(|template| RowPrompt::Words(template.to_string())),
        clean: row.clean,
        table: row.table,
        votes: row.votes.unwrap_or_default(),
        refine: row.refine.as_ref().map(refinement),
    }
}

fn ask_image(image: &QuestionImage, plan: &Plan) -> pb::AskImage {
    pb::AskImage {
        image: Some(encoded(&image.image, plan)),
        segmenter: plan.segmenter.id.clone().unwrap_or_default(),
        params: Some(params::to_wire(&plan.segmenter.params)),
        granularity: plan.segmenter.granularity,
        regions: image.regions.as_ref().map(region_list),
        refine: image.refine(plan).as_ref().map(refinement),
    }
}

fn refinement(refine: &Refinement) -> pb::Refinement {
    pb::Refinement {
        segmenter: refine.segmenter.clone(),
        params: Some(params::to_wire(&refine.params)),
        hint: refine.hint.map_or("", |hint| hint.name()).to_owned(),
    }
}

fn region_list(given: &GivenRegions) -> pb::RegionList {
    pb::RegionList {
        regions: given.regions.iter().map(region::to_wire).collect(),
        ids: given.ids.clone(),
    }
}

fn encoded(image: &InputImage, plan: &Plan) -> pb::Image {
    let background = plan.images.background;
    let encoded = pb::EncodedImage {
        data: image.bytes.clone(),
        keep: false,
        stretch: plan.images.stretch,
        background: background.map_or_else(String::new, |background| background.to_string()),
    };
    pb::Image {
        content: Some(pb::image::Content::Encoded(encoded)),
    }
}

fn layers(layers: &[Layer]) -> Vec<pb::StyleLayer> {
    layers.iter().map(mark::layer_to_wire).collect()
}

fn format(encoding: Option<Encoding>) -> PictureFormat {
    match encoding {
        Some(Encoding::Png) => PictureFormat::Png,
        Some(Encoding::Jpeg) => PictureFormat::Jpeg,
        Some(Encoding::WebP) => PictureFormat::Webp,
        None => PictureFormat::None,
    }
}
