//! Words and images in order.

use super::{
    fields::{Field, Fields},
    names::{example_on, explained, names_on},
    table::table,
    template::Template,
};
use crate::{Result, Scene};

/// What goes into a prompt beside its words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Each image also without marks, before the marked one.
    pub clean: bool,
    /// The table of regions.
    pub table: bool,
}

/// A prompt's first turn, before its images are encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    /// What stands above the conversation.
    pub system: Option<String>,
    /// The images and what is said of each, in order.
    pub images: Vec<Piece>,
    /// The words of the template, to stand behind the images.
    pub words: String,
}

/// An image, or what is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A heading.
    Text(String),
    /// Image number `image` (from 0) without marks.
    Clean {
        /// Index in [`Scene::images`].
        image: usize,
    },
    /// A marked image.
    Marked {
        /// Index in [`Scene::images`].
        image: usize,
        /// Its page, from 1.
        page: u32,
    },
}

/// The images of `scene`, then the words of `template`, filled with a task's `fields` and with
/// what is known of the scene.
///
/// # Errors
/// As [`Template::fill`].
pub fn compose(
    template: &Template,
    fields: Fields,
    scene: &Scene<'_>,
    layout: Layout,
    max_bytes: usize,
) -> Result<Composed> {
    let mut fields = fields
        .with(Field::Marks, explained(scene))
        .with(Field::Example, example_on(scene));
    if layout.table {
        fields = fields.with(Field::Table, table(scene));
    }
    let (system, mut words) = template.fill(&fields, max_bytes)?;
    if layout.table && !template.has(Field::Table) {
        words = format!("{}\n{words}", table(scene));
    }
    let mut pieces = Vec::new();
    let several = scene.images.len() > 1;
    for (index, image) in scene.images.iter().enumerate() {
        let named = if several {
            format!("Image {}", index + 1)
        } else {
            "The image".to_owned()
        };
        if layout.clean {
            pieces.push(Piece::Text(format!("{named} without labels:")));
            pieces.push(Piece::Clean { image: index });
        }
        for page in 1..=image.pages.max(1) {
            let labels = if layout.clean { " with labels" } else { "" };
            match image.pages {
                0 | 1 if !several && !layout.clean => {}
                0 | 1 => pieces.push(Piece::Text(format!("{named}{labels}:"))),
                pages => {
                    let on_page = scene.on_image(index).filter(|mark| mark.page == page);
                    let carried = match names_on(on_page.filter(|mark| !mark.text.is_empty())) {
                        names if names.is_empty() => String::new(),
                        names => format!(", which carries the labels {names}"),
                    };
                    let copy = format!("{named}{labels}, copy {page} of {pages}{carried}:");
                    pieces.push(Piece::Text(copy));
                }
            }
            pieces.push(Piece::Marked { image: index, page });
        }
    }
    Ok(Composed {
        system,
        images: pieces,
        words,
    })
}
