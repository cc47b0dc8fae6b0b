//! `grid.toml`: what is run over which samples.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::{Map, Value};
use som_core::{Error, Result};

use super::{Row, Selection};

/// What a grid file says. Paths in it are from its folder.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grid {
    /// Which data set, and the folder that holds it, as `refcoco:data/refcoco`.
    pub data: Option<String>,
    /// The part of it.
    pub split: Option<String>,
    /// Where its images are.
    pub images: Option<PathBuf>,
    /// Samples at most.
    pub limit: Option<usize>,
    /// What the choice of samples begins with.
    pub seed: u64,
    /// True if every kind of sample gets its share.
    pub stratified: bool,
    /// Samples at a time.
    pub jobs: Option<u16>,
    /// US dollars that are never passed.
    pub max_cost: Option<f64>,
    /// What every row says unless it says otherwise.
    every: Map<String, Value>,
    row: Vec<Map<String, Value>>,
    grid: Option<Axes>,
}

/// Choices of which every combination is a row.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Axes {
    /// Ids, or tables with what a row says of its regions.
    segmenter: Vec<Value>,
    styles: Vec<Value>,
    lmm: Vec<Value>,
    template: Vec<Value>,
    votes: Vec<Value>,
}

impl Grid {
    /// Reads a grid file. Blocks.
    ///
    /// # Errors
    /// NotFound or Unavailable, if it cannot be read; as [`parse`](Self::parse).
    pub fn read(path: &Path) -> Result<Self> {
        let at = |error: Error| error.at(path.display());
        let text = fs::read_to_string(path).map_err(|error| {
            at(match error.kind() {
                std::io::ErrorKind::NotFound => Error::not_found("there is no such file"),
                _ => Error::unavailable("cannot be read").caused_by(error),
            })
        })?;
        let mut grid = Self::parse(&text).map_err(at)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        grid.images = grid.images.map(|images| folder.join(images));
        grid.data = grid.data.map(|data| match data.split_once(':') {
            Some((kind, place)) => format!("{kind}:{}", folder.join(place).display()),
            None => data,
        });
        Ok(grid)
    }

    /// What the text of a grid file says.
    ///
    /// # Errors
    /// Invalid, naming line and key.
    pub fn parse(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| Error::invalid(error.to_string().trim().to_owned()))
    }

    /// The samples that it chooses.
    pub fn selection(&self) -> Selection {
        Selection {
            limit: self.limit,
            seed: self.seed,
            stratified: self.stratified,
        }
    }

    /// Its rows, those of its combinations last; paths in them are from `folder`.
    ///
    /// # Errors
    /// Invalid or NotFound, naming the row and what is wrong in it.
    pub fn rows(&self, folder: &Path) -> Result<Vec<Row>> {
        let combined = self.grid.iter().flat_map(Axes::combined);
        let rows = self.row.iter().cloned().chain(combined);
        let rows = rows.zip(1..).map(|(own, number)| {
            let mut all = self.every.clone();
            all.extend(own);
            let row = Row::deserialize(Value::Object(all));
            row.map(|row| row.below(folder))
                .map_err(|error| Error::invalid(format!("row {number}: {error}")))
        });
        rows.collect()
    }
}

/// Checks that every one of `rows` makes sense, and that no two have one name.
///
/// # Errors
/// Invalid or NotFound, naming the row and what is wrong in it.
pub(super) fn check(rows: &[Row]) -> Result<()> {
    if rows.is_empty() {
        return Err(Error::invalid(
            "there is no row (write [[row]] or [grid] into the grid, or give --row)",
        ));
    }
    let mut names = HashSet::new();
    for row in rows {
        let title = row.title();
        row.check()
            .map_err(|error| error.at(format!("row \"{title}\"")))?;
        if !names.insert(slug(&title)) {
            return Err(Error::invalid(format!(
                "row \"{title}\": there are two of this name (give them a name each)"
            )));
        }
    }
    Ok(())
}

/// A name for the folder of a row: letters, digits, `.` and `_` stay.
pub(super) fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' => slug.push(c),
            _ if slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    let slug = slug.trim_matches(['-', '.']);
    match slug {
        "" => "row".to_owned(),
        slug => slug.to_owned(),
    }
}

impl Axes {
    /// Every combination, the last axis changing fastest.
    fn combined(&self) -> Vec<Map<String, Value>> {
        let axes = [
            ("segmenter", &self.segmenter),
            ("styles", &self.styles),
            ("lmm", &self.lmm),
            ("template", &self.template),
            ("votes", &self.votes),
        ];
        let mut rows = vec![Map::new()];
        for (key, choices) in axes.into_iter().filter(|(_, choices)| !choices.is_empty()) {
            let each = |row: Map<String, Value>| {
                choices.iter().map(move |choice| {
                    let mut row = row.clone();
                    match choice {
                        Value::Object(table) if key == "segmenter" => row.extend(table.clone()),
                        value => drop(row.insert(key.to_owned(), value.clone())),
                    }
                    row
                })
            };
            rows = rows.into_iter().flat_map(each).collect();
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_every_combination_and_every_row() {
        let grid = Grid::parse(
            r#"
            data = "refcoco:data"
            limit = 10
            [every]
            lmm = "gpt4o"
            [[row]]
            name = "usual"
            [grid]
            segmenter = ["classic", { segmenter = "sam", params = { level = 2 } }, { regions = "golden" }]
            styles = [["number"], ["mask", { style = "number", params = { opacity = 0.5 } }]]
            votes = [1, 3]
            "#,
        )
        .unwrap();
        let rows = grid.rows(Path::new("")).unwrap();
        check(&rows).unwrap();
        let titles: Vec<String> = rows.iter().map(Row::title).collect();
        assert_eq!(titles.len(), 1 + 3 * 2 * 2);
        assert_eq!(titles[0], "usual");
        assert_eq!(titles[1], "classic, number, gpt4o");
        assert_eq!(titles[6], "sam level=2, number, gpt4o, 3 votes");
        assert_eq!(titles[12], "golden, mask+number, gpt4o, 3 votes");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, why) in [
            ("limits = 3", "limits"),
            (
                "[[row]]\nsegmentor = \"sam\"",
                "row 1: unknown field `segmentor`",
            ),
            ("[[row]]\nvotes = 65", "votes is 65"),
            ("[[row]]\ntemplate = \"refr\"", "did you mean \"refer\""),
            (
                "[[row]]\nregions = \"golden\"\nsegmenter = \"sam\"",
                "leave out all but one",
            ),
            (
                "[[row]]\nspecialist = true\nlmm = \"gpt4o\"",
                "lmm: a specialist asks no model",
            ),
            ("[[row]]\n[[row]]", "there are two of this name"),
            ("", "there is no row"),
        ] {
            let rows = Grid::parse(text).and_then(|grid| grid.rows(Path::new("")));
            let error = rows.and_then(|rows| check(&rows)).unwrap_err();
            assert!(error.message().contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn paths_are_from_the_folder_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("grid.toml");
        let text = "data = \"lines:mine.jsonl\"\n[[row]]\nregions = \"cut\"\n";
        fs::write(&file, text).unwrap();
        let grid = Grid::read(&file).unwrap();
        let place = folder.path().join("mine.jsonl");
        assert_eq!(grid.data, Some(format!("lines:{}", place.display())));
        let rows = grid.rows(folder.path()).unwrap();
        let cut = folder.path().join("cut");
        assert_eq!(rows[0].regions.as_deref(), cut.to_str());
    }

    #[test]
    fn folders_are_named_after_rows() {
        assert_eq!(
            slug("sam level=2, mask+number, gpt-4o"),
            "sam-level-2-mask-number-gpt-4o"
        );
        assert_eq!(slug("../.."), "row");
    }
}
