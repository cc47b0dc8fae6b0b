//! Which entry of a file that speaks of several images is that of this one.

use crate::FormatError;

/// The index of the image called `wanted` among those that a file names: by the path as it is, by one
/// that ends in the other, by the name of the file, by that without its ending. `None` for a file
/// that speaks of one image under another name.
///
/// # Errors
/// NoImage, if there are several and none or more than one of them is it.
pub(super) fn choose(wanted: &str, names: &[&str]) -> Result<Option<usize>, FormatError> {
    let tests: [fn(&str, &str) -> bool; 4] = [
        |a, b| a == b,
        |a, b| ends_in(a, b) || ends_in(b, a),
        |a, b| file(a) == file(b),
        |a, b| stem(a) == stem(b),
    ];
    for test in tests {
        let found = names.iter().enumerate();
        let mut found = found.filter(|(_, name)| test(wanted, name));
        match (found.next(), found.next()) {
            (None, _) => {}
            (Some((index, _)), None) => return Ok(Some(index)),
            (Some(_), Some(_)) => {
                return Err(FormatError::NoImage {
                    message: format!("has {wanted} more than once"),
                });
            }
        }
    }
    match names {
        [_] => Ok(None),
        [] => Err(FormatError::NoImage {
            message: "speaks of no image".to_owned(),
        }),
        _ => Err(FormatError::NoImage {
            message: format!("has no entry for {wanted} (it has {})", some(names)),
        }),
    }
}

/// A few of many names.
pub(super) fn some(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown = names.get(..SHOWN).unwrap_or(names).join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The name of a file without its folders.
pub(super) fn file(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// That without its ending.
pub(super) fn stem(path: &str) -> &str {
    let file = file(path);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// True if `path` is `end` below some folder.
fn ends_in(path: &str, end: &str) -> bool {
    let end = end.trim_start_matches("./");
    let rest = path.strip_suffix(end);
    rest.is_some_and(|rest| !end.is_empty() && (rest.is_empty() || rest.ends_with(['/', '\\'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_found_by_the_nearest_name() {
        let names = ["train/a.jpg", "val/a.jpg", "b.png", "c.jpg"];
        for (wanted, index) in [
            ("val/a.jpg", 1),
            ("/data/val/a.jpg", 1),
            ("./b.png", 2),
            ("photos/c.png", 3),
        ] {
            assert_eq!(choose(wanted, &names).unwrap(), Some(index), "{wanted}");
        }
        assert_eq!(choose("x.png", &["y.png"]).unwrap(), None);
    }

    #[test]
    fn what_is_not_there_or_twice_is_told() {
        let error = |wanted, names: &[&str]| choose(wanted, names).unwrap_err().to_string();
        let names = ["a/1.png", "b/1.png", "c", "d", "e", "f", "g"];
        assert_eq!(error("z/1.png", &names), "has z/1.png more than once");
        assert_eq!(
            error("x.png", &names),
            "has no entry for x.png (it has a/1.png, b/1.png, c, d, e and 2 more)"
        );
        assert_eq!(error("x.png", &[]), "speaks of no image");
    }
}
