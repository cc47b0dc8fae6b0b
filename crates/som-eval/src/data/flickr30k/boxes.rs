//! The boxes of chains: an object names one or more chains, a chain has one or more objects.

use std::{collections::HashMap, path::Path};

use roxmltree::{Document, Node};
use som_core::Size;

use crate::{
    Error, Rect, Result,
    data::{Kind, files},
};

/// The boxes of one image.
#[derive(Debug)]
pub(super) struct Boxes {
    pub(super) size: Size,
    of_chains: HashMap<String, Vec<Rect>>,
}

impl Boxes {
    /// Reads the XML of one image.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = files::text(Kind::Flickr30k, path)?;
        let document =
            Document::parse(&text).map_err(|error| Error::malformed(path, "XML", error))?;
        let root = document.root_element();
        let wrong = |entry: String, what: &str| {
            Error::malformed(path, entry, format!("{what} is missing or no number"))
        };
        let size = child(root, "size")
            .and_then(|size| Some(Size::new(number(size, "width")?, number(size, "height")?)));
        let mut boxes = Self {
            size: size.ok_or_else(|| wrong("size".to_owned(), "width or height"))?,
            of_chains: HashMap::new(),
        };
        let objects = root.children().filter(|node| node.has_tag_name("object"));
        for (index, object) in objects.enumerate() {
            // Scenes and what has no box are told so instead.
            let Some(bndbox) = child(object, "bndbox") else {
                continue;
            };
            let corners = ["xmin", "ymin", "xmax", "ymax"].map(|name| number(bndbox, name));
            let [Some(left), Some(top), Some(right), Some(bottom)] = corners else {
                return Err(wrong(
                    format!("object {}", index + 1),
                    "a corner of its box",
                ));
            };
            let rect = Rect::between([left, top, right, bottom].map(|side: f64| side - 1.0));
            if !rect.is_sound() {
                let message = "its box has a negative side";
                return Err(Error::malformed(
                    path,
                    format!("object {}", index + 1),
                    message,
                ));
            }
            let names = object.children().filter(|node| node.has_tag_name("name"));
            for chain in names.filter_map(|name| name.text()) {
                let chain = chain.trim().to_owned();
                boxes.of_chains.entry(chain).or_default().push(rect);
            }
        }
        Ok(boxes)
    }

    /// The boxes of a chain; `None` if it has none, or means nothing visual.
    pub(super) fn of(&self, chain: &str) -> Option<&[Rect]> {
        let boxes = self.of_chains.get(chain).filter(|_| chain != "0")?;
        Some(boxes)
    }
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn number<T: std::str::FromStr>(node: Node<'_, '_>, name: &str) -> Option<T> {
    let text = node
        .children()
        .find(|child| child.has_tag_name(name))?
        .text()?;
    text.trim().parse().ok()
}
