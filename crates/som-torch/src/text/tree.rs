//! What prompts have in common.
//!
//! A text encoder in which no token sees those after it computes the same for equal beginnings. So
//! prompts are laid out as a tree whose nodes are beginnings, each computed once: 81 templates of
//! 133 class names need a fifth of the work.

use std::collections::HashMap;

use tch::{Device, Tensor};

use super::Prompt;
use crate::TorchResult;

/// Prompts as the tree of their beginnings. Nodes are numbered by rising depth.
#[derive(Debug)]
pub struct PromptTree {
    /// The last token of each beginning, `[nodes]`.
    pub(super) ids: Tensor,
    /// The nodes of each depth.
    pub(super) levels: Vec<Level>,
    paths: Vec<Vec<i64>>,
}

/// The nodes that are equally many tokens long.
#[derive(Debug)]
pub(super) struct Level {
    pub count: i64,
    /// The node of every beginning of each node, itself the last: `[count, depth + 1]`.
    pub ancestors: Tensor,
}

impl PromptTree {
    /// The tree of `prompts`, on `device`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn new(prompts: &[Prompt], device: Device) -> TorchResult<Self> {
        let mut ids = Vec::new();
        let mut levels = Vec::new();
        let mut paths = vec![Vec::new(); prompts.len()];
        let longest = prompts.iter().map(|prompt| prompt.ids.len()).max();
        for depth in 0..longest.unwrap_or_default() {
            let first = ids.len() as i64;
            let mut nodes: HashMap<(Option<i64>, u32), i64> = HashMap::new();
            let mut ancestors: Vec<i64> = Vec::new();
            for (prompt, path) in prompts.iter().zip(&mut paths) {
                let Some(&id) = prompt.ids.get(depth) else {
                    continue;
                };
                let next = first + nodes.len() as i64;
                let node = *nodes.entry((path.last().copied(), id)).or_insert(next);
                path.push(node);
                if node == next {
                    ids.push(i64::from(id));
                    ancestors.extend(&*path);
                }
            }
            let count = nodes.len() as i64;
            levels.push(Level {
                count,
                ancestors: Tensor::f_from_slice(&ancestors)?
                    .f_view([count, depth as i64 + 1])?
                    .f_to_device(device)?,
            });
        }
        Ok(Self {
            ids: Tensor::f_from_slice(&ids)?.f_to_device(device)?,
            levels,
            paths,
        })
    }

    /// For each prompt the nodes of its tokens, in order.
    pub fn paths(&self) -> &[Vec<i64>] {
        &self.paths
    }

    /// The node of each prompt's last token, `[prompts]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn ends(&self) -> TorchResult<Tensor> {
        let ends: Vec<i64> = self
            .paths
            .iter()
            .filter_map(|path| path.last().copied())
            .collect();
        Tensor::f_from_slice(&ends)?.f_to_device(self.ids.device())
    }
}
