//! Where the outputs of each image go: what `-o`, `--json`, `--prompt` and `--masks` name.

use std::{
    collections::{HashMap, HashSet},
    ffi::OsString,
    path::{Path, PathBuf},
};

use som_core::{Error, Result};

use crate::{input::Input, output::Output};

/// What one of these flags names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// `-`.
    Stdout,
    /// One file.
    File(PathBuf),
    /// A folder: each image's output is named for the image, in the same subfolder.
    Folder(PathBuf),
    /// The image's own folder.
    Beside,
}

impl Destination {
    /// What `argument` names. For a single image that is a file, unless a folder of that name is
    /// there or the name ends with a slash; for several it is a folder.
    ///
    /// # Errors
    /// Invalid, if a file is there under that name and there are several images.
    pub(crate) fn of(argument: &Path, single: bool) -> Result<Self> {
        if argument.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        let slash = argument.as_os_str().as_encoded_bytes().ends_with(b"/");
        if slash || argument.is_dir() {
            return Ok(Self::Folder(argument.to_owned()));
        }
        if single {
            return Ok(Self::File(argument.to_owned()));
        }
        if argument.exists() {
            return Err(Error::invalid(format!(
                "{}: is a file, but several images need a folder",
                argument.display()
            )));
        }
        Ok(Self::Folder(argument.to_owned()))
    }

    /// Where the output of `input` goes; `ending` is what follows its name in a folder, such as
    /// `.marked.png`.
    pub(crate) fn output(&self, input: &Input, ending: &str) -> Output {
        match self {
            Self::Stdout => Output::Stdout,
            Self::File(path) => Output::File(path.clone()),
            Self::Folder(folder) => Output::File(append(folder.join(input.output_stem()), ending)),
            Self::Beside => match (input.path(), input.output_stem().file_name()) {
                (Some(path), Some(stem)) => Output::File(append(path.with_file_name(stem), ending)),
                _ => Output::Stdout,
            },
        }
    }
}

/// Checks that no two `outputs` of all images are one, and that none is an image of the inputs.
///
/// # Errors
/// Invalid, naming the file.
pub(crate) fn check<'a, Outputs>(
    inputs: &[Input],
    outputs: impl Iterator<Item = Outputs>,
) -> Result<()>
where
    Outputs: Iterator<Item = &'a Output>,
{
    let paths = inputs.iter().filter_map(Input::path);
    let sources: HashSet<PathBuf> = paths.filter_map(|path| path.canonicalize().ok()).collect();
    let mut owners = HashMap::new();
    for (input, outputs) in inputs.iter().zip(outputs) {
        let mut to_stdout = 0;
        for output in outputs {
            let Output::File(path) = output else {
                to_stdout += 1;
                continue;
            };
            if path
                .canonicalize()
                .is_ok_and(|path| sources.contains(&path))
            {
                return Err(Error::invalid(format!(
                    "{output}: is an image to read, and would be written over (choose another name)"
                )));
            }
            match owners.insert(path, input) {
                None => {}
                Some(owner) if owner == input => {
                    return Err(Error::invalid(format!(
                        "{output}: cannot hold two outputs (choose different names)"
                    )));
                }
                Some(owner) => {
                    return Err(Error::invalid(format!(
                        "{output}: would be written for both {owner} and {input} (--keep-endings tells them apart)"
                    )));
                }
            }
        }
        if to_stdout > 1 {
            let message = "only one output can go to stdout (give the others a file)";
            return Err(Error::invalid(message));
        }
    }
    Ok(())
}

/// `out/coffee` and `.json` → `out/coffee.json`.
pub(crate) fn append(stem: PathBuf, ending: &str) -> PathBuf {
    let mut name = OsString::from(stem);
    name.push(ending);
    PathBuf::from(name)
}

/// The further pages of an image lie beside the first: `out.png` → `out.2.png`.
pub(crate) fn page(first: &Path, number: usize) -> PathBuf {
    if number == 1 {
        return first.to_owned();
    }
    let mut path = append(first.with_extension(""), &format!(".{number}."));
    path.as_mut_os_string()
        .push(first.extension().unwrap_or_default());
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo() -> Input {
        Input::File {
            path: "photos/a/cup.1.jpg".into(),
            below: "a/cup.1.jpg".into(),
            keeps_ending: false,
        }
    }

    fn file(path: &str) -> Output {
        Output::File(path.into())
    }

    #[test]
    fn a_folder_keeps_names_and_subfolders() {
        let folder = Destination::of(Path::new("out"), false).unwrap();
        assert_eq!(
            folder.output(&photo(), ".marked.png"),
            file("out/a/cup.1.marked.png")
        );
        assert_eq!(
            folder.output(&Input::Stdin, ".json"),
            file("out/stdin.json")
        );
        assert_eq!(
            Destination::of(Path::new("out/"), true).unwrap(),
            Destination::Folder("out/".into())
        );
    }

    #[test]
    fn endings_are_kept_where_that_is_asked_for() {
        let photo = Input::File {
            path: "photos/a/cup.1.jpg".into(),
            below: "a/cup.1.jpg".into(),
            keeps_ending: true,
        };
        let folder = Destination::Folder("out".into());
        assert_eq!(folder.output(&photo, ".json"), file("out/a/cup.1.jpg.json"));
        assert_eq!(
            Destination::Beside.output(&photo, ".marked.png"),
            file("photos/a/cup.1.jpg.marked.png")
        );
    }

    #[test]
    fn a_single_image_goes_to_the_file_named() {
        let destination = Destination::of(Path::new("x.png"), true).unwrap();
        assert_eq!(destination.output(&photo(), ".marked.png"), file("x.png"));
    }

    #[test]
    fn without_a_flag_the_output_lies_beside_the_image() {
        let beside = Destination::Beside;
        assert_eq!(
            beside.output(&photo(), ".marked.png"),
            file("photos/a/cup.1.marked.png")
        );
        assert_eq!(beside.output(&Input::Stdin, ".marked.png"), Output::Stdout);
    }

    #[test]
    fn pages_are_numbered_from_the_second() {
        let first = Path::new("out/cup.marked.png");
        assert_eq!(page(first, 1), first);
        assert_eq!(page(first, 3), Path::new("out/cup.marked.3.png"));
    }
}
