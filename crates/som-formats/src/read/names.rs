//! The names of classes, in a file beside one that has numbers alone.

use yaml_rust2::{Yaml, YamlLoader};

use super::which;
use crate::FormatError;

/// The names of classes by number: of Ultralytics' `data.yaml`, the list or the numbered entries
/// under `names`; of any other file a name a line, as LabelImg (`classes.txt`) and Darknet
/// (`obj.names`) have them.
///
/// # Errors
/// Structure or Syntax for a file without names.
pub fn class_names(file: &str, bytes: &[u8]) -> Result<Vec<String>, FormatError> {
    let wrong = |what: &str| FormatError::Structure(what.to_owned());
    let text = std::str::from_utf8(bytes).map_err(|_| wrong("is no text in UTF-8"))?;
    let text = text.trim_start_matches('\u{feff}');
    let ending = which::file(file).rsplit_once('.').map(|(_, ending)| ending);
    if !matches!(ending, Some("yaml" | "yml")) {
        return Ok(text.lines().map(|line| line.trim().to_owned()).collect());
    }
    let documents = YamlLoader::load_from_str(text).map_err(|error| FormatError::Syntax {
        line: error.marker().line(),
        column: error.marker().col() + 1,
        message: error.info().to_owned(),
    })?;
    let names = documents.first().map(|document| &document["names"]);
    let name = |value: &Yaml| match value {
        Yaml::String(name) => Ok(name.clone()),
        Yaml::Integer(number) => Ok(number.to_string()),
        Yaml::Boolean(value) => Ok(value.to_string()),
        _ => Err(wrong("names: a class has no name")),
    };
    match names {
        Some(Yaml::Array(names)) => names.iter().map(name).collect(),
        Some(Yaml::Hash(numbered)) => {
            /// More classes than any dataset has.
            const MAX_CLASSES: usize = 1 << 16;
            let mut names = Vec::new();
            for (number, value) in numbered {
                let number = number
                    .as_i64()
                    .and_then(|number| usize::try_from(number).ok());
                let number = number.filter(|&number| number < MAX_CLASSES);
                let number = number.ok_or_else(|| wrong("names: a key is no number of a class"))?;
                if names.len() <= number {
                    names.resize(number + 1, String::new());
                }
                names[number] = name(value)?;
            }
            Ok(names)
        }
        _ => Err(wrong(
            "has no names of classes (a list under the key names)",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_lines_lists_and_by_number() {
        let names = |file: &str, text: &str| class_names(file, text.as_bytes());
        assert_eq!(
            names("a/classes.txt", "cup\r\n spoon \n").unwrap(),
            ["cup", "spoon"]
        );
        for text in [
            "path: x\nnames: ['cup', \"spoon\"] # two\n",
            "nc: 2\nnames:\n- cup\n- spoon\n",
            "names:\n  1: spoon\n  0: cup\n",
        ] {
            assert_eq!(
                names("data.yaml", text).unwrap(),
                ["cup", "spoon"],
                "{text}"
            );
        }
        let error = names("data.yaml", "nc: 2\n").unwrap_err().to_string();
        assert!(error.starts_with("has no names of classes"), "{error}");
        assert!(names("data.yaml", "names: {-1: x}").is_err());
        assert!(names("data.yaml", "names: [\n").is_err());
    }
}
