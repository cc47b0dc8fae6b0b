//! `--row` of `som eval run`: as that of `som compare`, with what a run can do besides.

use serde::Deserialize as _;
use serde_json::{Map, Value};
use som_core::{Error, Result};
use som_eval::run::{Row, Style};

use crate::flags::RowArgument;

/// Keys of a row that `som compare` does not have; those of the second list are text.
const SWITCHES: [&str; 3] = ["oracle", "specialist", "max_tokens"];
const TEXTS: [&str; 2] = ["name", "regions"];

/// The row that was written.
///
/// # Errors
/// Invalid, naming the key whose value is none.
pub(super) fn row(argument: &RowArgument) -> Result<Row> {
    let at = |error: Error| error.at(format!("--row {}", argument.text()));
    let (mut own, mut params) = (Map::new(), Map::new());
    for assignment in argument.params() {
        let text = assignment.value.as_str();
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        let key = assignment.key.as_str();
        match key {
            _ if TEXTS.contains(&key) => own.insert(key.to_owned(), text.into()),
            _ if SWITCHES.contains(&key) => own.insert(key.to_owned(), value),
            _ => params.insert(key.to_owned(), value),
        };
    }
    let row = Row::deserialize(Value::Object(own));
    let row = row.map_err(|error| at(Error::invalid(error.to_string())))?;
    let styles = argument.styles();
    Ok(Row {
        segmenter: argument.segmenter().map(str::to_owned),
        granularity: argument.granularity()?,
        params: params.into_iter().collect(),
        styles: styles.map(|styles| {
            let styles = styles.into_iter().map(str::to_owned);
            styles.map(Style::Plain).collect()
        }),
        marks: argument.marks()?,
        lmm: argument.lmm().map(str::to_owned),
        template: argument.template_name().map(str::to_owned),
        clean: argument.clean()?.unwrap_or_default(),
        table: argument.table()?.unwrap_or_default(),
        votes: argument.votes()?.unwrap_or_default(),
        ..row
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_read_key_by_key() {
        let text =
            "name=7,segmenter=sam,level=2,styles=mask+number,lmm=x,votes=3,oracle=true,page_size=9";
        let row = row(&text.parse().unwrap()).unwrap();
        assert_eq!((row.name.as_str(), row.votes, row.oracle), ("7", 3, true));
        assert_eq!(row.params["level"], json!(2));
        assert_eq!(row.params.len(), 1);
        assert_eq!(row.styles.unwrap().len(), 2);
        assert_eq!(row.marks.page_size, Some(9));
        let error = super::row(&"votes=many".parse().unwrap()).unwrap_err();
        assert!(error.message().starts_with("--row votes=many: "), "{error}");
    }
}
