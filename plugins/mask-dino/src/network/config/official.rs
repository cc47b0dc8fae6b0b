//! The released networks: what no tensor of theirs tells.

use serde::Deserialize;
use som_core::{Error, Result};

use super::{Initialize, Task};

/// A released network.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Official {
    /// The official file that it was trained with.
    #[allow(dead_code, reason = "for readers, and for the tests")]
    pub config: String,
    is: Signs,
    /// For networks that choose queries.
    pub initialize_box_type: Option<Initialize>,
    pub num_queries: i64,
    pub task: Task,
    /// The data set whose classes it knows.
    pub vocabulary: String,
    pub object_mask_threshold: f32,
    pub resize_shortest_edge: u32,
    pub max_size: u32,
}

/// How a network is told from the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signs {
    pub backbone: String,
    pub num_classes: i64,
    pub levels: i64,
    pub channels: i64,
    /// Where tensors do not tell: the name of the file has one of these in it.
    #[serde(default)]
    pub files: Vec<String>,
}

impl Official {
    /// The released network with these signs, from the file `weights`, if any.
    ///
    /// # Errors
    /// Internal, if the table is damaged.
    pub(crate) fn find(signs: &Signs, weights: &str) -> Result<Option<Self>> {
        let mut networks = table()?;
        networks.retain(|network| {
            let Signs { files, .. } = &network.is;
            let tensors = Signs {
                files: Vec::new(),
                ..network.is.clone()
            };
            let is_named = files.is_empty() || files.iter().any(|part| weights.contains(part));
            tensors == *signs && is_named
        });
        // A name is asked for where tensors are those of another, too.
        Ok(networks
            .into_iter()
            .max_by_key(|network| network.is.files.len()))
    }
}

fn table() -> Result<Vec<Official>> {
    #[derive(Deserialize)]
    struct Table {
        network: Vec<Official>,
    }
    let table: Table = toml::from_str(include_str!("official.toml"))
        .map_err(|error| Error::internal(format!("official.toml: {error}")))?;
    Ok(table.network)
}
