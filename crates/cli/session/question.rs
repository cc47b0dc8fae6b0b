//! A question about images, whoever answers it.

use som_core::{Result, Size, decode::DecodeOptions, encode::Encoding, prompt::Layout, task::Task};
use som_engine::{
    GivenRegions, Refinement,
    ask::{Budget, Exchange},
    settings::LimitSettings,
};

use super::Plan;
use crate::{
    flags::QuestionFlags,
    input::{Decoded, Input, InputImage},
    report,
};

/// What is asked, but for what the [`Plan`] says.
pub(crate) struct Question {
    /// Image 1, image 2 and so on.
    pub(crate) images: Vec<QuestionImage>,
    pub(crate) task: Task,
    /// Questions and answers so far.
    pub(crate) history: Vec<Exchange>,
    /// The words of the prompt as [`Template::parse`](som_core::prompt::Template::parse) reads
    /// them; `None` for those of the task.
    pub(crate) words: Option<String>,
    /// What goes beside the words.
    pub(crate) layout: Layout,
    /// How often to ask, each time with other labels and colours.
    pub(crate) votes: u32,
    pub(crate) budget: Budget,
    /// How the marked images come back; `None` if nobody wants them.
    pub(crate) pages: Option<Encoding>,
}

impl Question {
    /// What `flags` ask about `images` for `text`; the marked images come back as `pages`.
    ///
    /// # Errors
    /// Invalid, if flags do not go together, or the template is wrong; NotFound, if there is none
    /// of that name, or its file is not there.
    pub(crate) fn new(
        flags: &QuestionFlags,
        text: Option<&str>,
        images: Vec<QuestionImage>,
        pages: Option<Encoding>,
    ) -> Result<Self> {
        Ok(Self {
            images,
            task: flags.task(text)?,
            history: Vec::new(),
            words: flags.words()?,
            layout: flags.layout(),
            votes: flags.votes,
            budget: flags.budget(),
            pages,
        })
    }
}

/// One image of a question.
pub(crate) struct QuestionImage {
    pub(crate) image: InputImage,
    /// Its pixels: of them the marks are told, and in them regions are lit up.
    pub(crate) decoded: Decoded,
    /// Its regions, if they are given or were found for an earlier question.
    pub(crate) regions: Option<GivenRegions>,
    /// They were found for an earlier question, and so refined, if they are to be.
    pub(crate) is_found: bool,
}

impl QuestionImage {
    /// Reads and decodes an image. Blocks.
    ///
    /// # Errors
    /// As [`InputImage::read`] and [`InputImage::decode`].
    pub(super) fn read(
        input: &Input,
        limits: &LimitSettings,
        options: &DecodeOptions,
    ) -> Result<Self> {
        let image = InputImage::read(input, limits)?;
        Ok(Self {
            decoded: image.decode(options)?,
            image,
            regions: None,
            is_found: false,
        })
    }

    /// How its regions are refined where `plan` says how.
    pub(super) fn refine(&self, plan: &Plan) -> Option<Refinement> {
        plan.refine.clone().filter(|_| !self.is_found)
    }

    /// What is odd about its file, as lines for the person who waits.
    pub(super) fn odd(&self) -> Vec<String> {
        report::odd(&self.image, &self.decoded.notes)
    }

    /// Its size in pixels.
    pub(crate) fn size(&self) -> Size {
        self.decoded.pixels.size()
    }
}
