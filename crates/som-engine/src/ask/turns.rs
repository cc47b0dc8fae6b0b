//! What was said so far, and the prompt it makes.

use som_core::{
    Error, Mask, Notes, Part, Prompt, Region, Result, Role, Size, Turn,
    prompt::{BoxReference, Field, Interleaved, Piece, Renaming, compose},
    task::Task,
};

use super::{AskImage, AskRequest, look::Look};

/// The texts of a request, with their references read.
pub(super) struct Conversation {
    /// Questions and answers from earlier.
    history: Vec<(Interleaved, String)>,
    /// The texts of the task, in order.
    texts: Vec<Interleaved>,
}

/// A prompt, and the task in its words.
pub(super) struct Asked {
    pub(super) prompt: Prompt,
    pub(super) task: Task,
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

    /// Every text of the user's in the order in which it was said.
    fn interleaved(&self) -> impl Iterator<Item = &Interleaved> {
        let history = self.history.iter().map(|(question, _)| question);
        history.chain(&self.texts)
    }

    /// Every box that was spoken of, in order.
    pub(super) fn boxes(&self) -> impl Iterator<Item = BoxReference> {
        self.interleaved().flat_map(Interleaved::boxes)
    }

    /// The boxes on image number `image`, of `size`, as regions.
    pub(super) fn boxes_on(&self, image: usize, size: Size) -> Vec<Region> {
        let here = self.boxes().filter(|reference| reference.image == image);
        here.map(|reference| Region::new(Mask::rect(size, reference.bbox)))
            .collect()
    }

    /// The prompt for what `drawn` shows; the user knows its marks by the names of `known`.
    ///
    /// # Errors
    /// Invalid, if the request speaks of marks that are not there, or its template of what it
    /// does not give.
    pub(super) fn prompt(
        &self,
        request: &AskRequest,
        known: &Look,
        drawn: &Look,
        structured: bool,
    ) -> Result<Asked> {
        let (known, scene) = (known.scene(), drawn.scene());
        let ids = drawn.ids_of(self.boxes());
        let mut boxes = ids.as_slice();
        let mut render = |text: &Interleaved| {
            let (own, rest) = boxes.split_at(text.boxes().count());
            boxes = rest;
            text.render(&Renaming {
                known: &known,
                drawn: &scene,
                boxes: own,
            })
        };
        let mut history = Vec::new();
        for (question, answer) in &self.history {
            let answer = Renaming {
                known: &known,
                drawn: &scene,
                boxes: &[],
            }
            .renamed(answer);
            history.push((render(question)?, answer));
        }
        let texts = self.texts.iter().map(render).collect::<Result<_>>()?;
        let task = request.task.with_texts(texts);
        task.check(&scene)?;

        let template = match &request.template {
            Some(template) => template.clone(),
            None => task.template()?,
        };
        let fields = task.fields(&scene);
        let question = match task.texts() {
            [] => fields.get(Field::Question).unwrap_or_default().to_owned(),
            texts => texts.join("\n"),
        };
        let composed = compose(&template, fields, &scene, request.layout)?;
        let mut said = images(composed.images, drawn)?;
        let mut turns = Vec::new();
        for (question, answer) in history {
            said.push(Part::Text(question));
            turns.push(turn(Role::User, std::mem::take(&mut said)));
            turns.push(turn(Role::Assistant, vec![Part::Text(answer)]));
        }
        said.push(Part::Text(composed.words));
        turns.push(turn(Role::User, said));
        let prompt = Prompt {
            system: composed.system,
            turns,
            schema: task.schema(&scene).filter(|_| structured),
            notes: Notes {
                question,
                regions: drawn.notes(),
            },
            ..Prompt::default()
        };
        Ok(Asked { prompt, task })
    }
}

/// The one further turn after an answer that names marks which are not there.
pub(super) fn repairing(mut prompt: Prompt, answer: &str, repair: String) -> Prompt {
    prompt
        .turns
        .push(turn(Role::Assistant, vec![Part::Text(answer.to_owned())]));
    prompt
        .turns
        .push(turn(Role::User, vec![Part::Text(repair)]));
    prompt
}

fn turn(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, parts }
}

fn images(pieces: Vec<Piece>, drawn: &Look) -> Result<Vec<Part>> {
    let part = |piece| {
        let image = match piece {
            Piece::Text(text) => return Ok(Part::Text(text)),
            Piece::Clean { image } => drawn.clean(image),
            Piece::Marked { image, page } => drawn.page(image, page),
        };
        let image = image.ok_or_else(|| Error::internal("a prompt shows what was not drawn"))?;
        Ok(Part::Image(image))
    };
    pieces.into_iter().map(part).collect()
}
