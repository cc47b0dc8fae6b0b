//! What was said and drawn so far → the turns of a prompt.

use som_core::{
    Error, Notes, Part, Prompt, Result, Role, Turn,
    prompt::{Field, Interleaved, Piece, Renaming, compose},
    task::Task,
};

use super::{AskRequest, conversation::Conversation, look::Look};

/// A prompt, and the task in its words.
pub(super) struct Asked {
    pub(super) prompt: Prompt,
    pub(super) task: Task,
}

impl Asked {
    /// The prompt for what `drawn` shows; the user knows its marks by the names of `known`.
    ///
    /// # Errors
    /// Invalid, if the request speaks of marks that are not there, or its template of what it
    /// does not give; Exhausted, if the template's words would be more than `max_bytes`.
    pub(super) fn new(
        conversation: &Conversation,
        request: &AskRequest,
        known: &Look,
        drawn: &Look,
        structured: bool,
        max_bytes: usize,
    ) -> Result<Self> {
        let (known, scene) = (known.scene(), drawn.scene());
        let ids = drawn.ids_of(conversation.boxes());
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
        for (question, answer) in &conversation.history {
            let answer = Renaming {
                known: &known,
                drawn: &scene,
                boxes: &[],
            }
            .renamed(answer);
            history.push((render(question)?, answer));
        }
        let texts = conversation
            .texts
            .iter()
            .map(render)
            .collect::<Result<_>>()?;
        let task = request.task.with_texts(texts);
        task.check(&scene)?;

        let template = match &request.template {
            Some(template) => template.clone(),
            None => task.template()?,
        };
        let schema = task.schema(&scene).filter(|_| structured);
        let fields = task.fields(&scene, schema.is_some());
        let question = match task.texts() {
            [] => fields.get(Field::Question).unwrap_or_default().to_owned(),
            texts => texts.join("\n"),
        };
        let composed = compose(&template, fields, &scene, request.layout, max_bytes)?;
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
            schema,
            notes: Notes {
                question,
                regions: drawn.notes(),
            },
            ..Prompt::default()
        };
        Ok(Self { prompt, task })
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
