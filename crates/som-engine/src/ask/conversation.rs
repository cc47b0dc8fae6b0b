//! What was said so far: the texts of a request, with their references to marks and boxes.

use som_core::{
    Mask, Region, Result, Scene, Size,
    prompt::{BoxReference, Interleaved},
    task::Task,
};

use super::{AskImage, AskRequest};

/// The texts of a request, with their references read.
pub(super) struct Conversation {
    /// Questions and answers from earlier.
    pub(super) history: Vec<(Interleaved, String)>,
    /// The texts of the task, in order.
    pub(super) texts: Vec<Interleaved>,
}

impl Conversation {
    /// Reads the texts of `request`.
    ///
    /// # Errors
    /// Invalid, if a reference is malformed or lies outside its image.
    pub(super) fn read(request: &AskRequest) -> Result<Self> {
        let history = request.history.iter().map(|exchange| {
            let question = Interleaved::parse(&exchange.question)?;
            Ok((question, exchange.answer.clone()))
        });
        let texts = request.task.texts().iter();
        let conversation = Self {
            history: history.collect::<Result<_>>()?,
            texts: texts
                .map(|text| Interleaved::parse(text))
                .collect::<Result<_>>()?,
        };
        let sizes: Vec<Size> = request.images.iter().map(AskImage::size).collect();
        conversation
            .interleaved()
            .try_for_each(|text| text.check(&sizes))?;
        Ok(conversation)
    }

    /// Checks that the texts of the task name no mark by a number that is not among `known`.
    /// Numbers of a sentence whose phrases are looked for may be its own.
    ///
    /// # Errors
    /// Invalid, naming the marks that are not there.
    pub(super) fn check_marks(&self, task: &Task, known: &Scene<'_>) -> Result<()> {
        match task {
            Task::Phrases { .. } => Ok(()),
            _ => self
                .texts
                .iter()
                .try_for_each(|text| text.check_marks(known)),
        }
    }

    /// Every text of the user's in the order in which it was said.
    fn interleaved(&self) -> impl Iterator<Item = &Interleaved> {
        let history = self.history.iter().map(|(question, _)| question);
        history.chain(&self.texts)
    }

    /// Every box that was spoken of, in order.
    pub(super) fn boxes(&self) -> impl Iterator<Item = BoxReference> {
        self.interleaved().flat_map(Interleaved::boxes)
    }

    /// Number of the boxes on image number `image`.
    pub(super) fn count_on(&self, image: usize) -> usize {
        self.boxes()
            .filter(|reference| reference.image == image)
            .count()
    }

    /// The boxes on image number `image`, of `size`, as regions.
    pub(super) fn boxes_on(&self, image: usize, size: Size) -> Vec<Region> {
        let here = self.boxes().filter(|reference| reference.image == image);
        here.map(|reference| Region::new(Mask::rect(size, reference.bbox)))
            .collect()
    }
}
