//! Where queries come from: the best proposals of the memory, or weights.

use som_torch::{
    Scope, TorchResult,
    attention::Levels,
    decoder::{
        Queries, QueryDecoder,
        boxes::{BoxRule, inverse_sigmoid, of_masks},
        proposals::{ProposalHead, Proposals, best},
    },
    nn::Weight,
};
use tch::Tensor;

use super::{
    config::{Config, Selection},
    heads::Heads,
    mask_logits,
};

/// Chooses queries.
#[derive(Clone, Debug)]
pub(super) enum QuerySelection {
    Proposals {
        head: ProposalHead,
        count: i64,
        boxes: Option<BoxRule>,
        /// `[queries, channels]`, where content is learned.
        content: Option<Weight>,
    },
    /// Content `[queries, channels]`, and the logits of boxes `[queries, 4]`.
    Learned { content: Weight, boxes: Weight },
}

/// The best proposals.
#[derive(Debug)]
pub(super) struct Chosen {
    /// `[queries, channels]`
    pub content: Tensor,
    /// `[queries]`: which cells of the memory they are.
    #[allow(dead_code, reason = "for the tests")]
    pub cells: Tensor,
    /// The logits of their boxes, `[queries, 4]`.
    pub boxes: Tensor,
}

impl QuerySelection {
    pub(super) fn load(scope: &Scope<'_>, config: &Config) -> Self {
        let channels = config.queries.channels;
        let content = |count| scope.weight("query_feat.weight", &[count, channels]);
        match config.selection {
            Selection::Proposals {
                count,
                boxes,
                learned_content,
            } => Self::Proposals {
                head: ProposalHead::load(scope, channels),
                count,
                boxes,
                content: learned_content.then(|| content(count)),
            },
            Selection::Learned { count } => Self::Learned {
                content: content(count),
                boxes: scope.weight("query_embed.weight", &[count, 4]),
            },
        }
    }

    /// The queries for a memory `[cells, channels]` and the map `[rows, columns, channels]` that masks
    /// are read from.
    pub(super) fn choose(
        &self,
        decoder: &QueryDecoder,
        heads: &Heads,
        memory: &Tensor,
        levels: &Levels,
        mask_features: &Tensor,
    ) -> TorchResult<Queries> {
        let (head, count, rule, learned) = match self {
            Self::Learned { content, boxes } => {
                return Ok(Queries {
                    content: content.shallow_clone(),
                    boxes: boxes.f_sigmoid()?,
                });
            }
            Self::Proposals {
                head,
                count,
                boxes,
                content,
            } => (head, *count, *boxes, content),
        };
        let chosen = Chosen::of(head, count, decoder, heads, memory, levels)?;
        let boxes = match rule {
            None => chosen.boxes.f_sigmoid()?,
            Some(rule) => {
                let embeddings = heads.masks(&decoder.normed(&chosen.content)?)?;
                let boxes = of_masks(&mask_logits(&embeddings, mask_features)?, rule)?;
                // What the official project keeps are logits, which cannot be at the ends.
                inverse_sigmoid(&boxes)?.f_sigmoid()?
            }
        };
        let content = match learned {
            // A small image may have fewer cells than there are queries.
            Some(content) => content.f_narrow(0, 0, chosen.content.size()[0])?,
            None => chosen.content,
        };
        Ok(Queries { content, boxes })
    }
}

impl Chosen {
    /// The best proposals: all cells are told apart by class, and of the best ones the boxes are made.
    pub(super) fn of(
        head: &ProposalHead,
        count: i64,
        decoder: &QueryDecoder,
        heads: &Heads,
        memory: &Tensor,
        levels: &Levels,
    ) -> TorchResult<Self> {
        let proposals = Proposals::new(levels, memory.device())?;
        let content = head.forward(memory, &proposals)?;
        let cells = best(&heads.classes(&content)?, count)?;
        let content = content.f_index_select(0, &cells)?;
        let boxes = decoder
            .box_logits(&content)?
            .f_add_(&proposals.boxes.f_index_select(0, &cells)?)?;
        Ok(Self {
            content,
            cells,
            boxes,
        })
    }
}
