//! `--hint`: the visual prompts for an interactive segmenter, as one writes them in a shell.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use image::DynamicImage;
use som_core::{
    BoxHint, Error, ExampleHint, Hints, Mask, Params, PointHint, Result, Rle, Size, decode::decode,
    task::Task,
};
use som_engine::settings::LimitSettings;
use som_formats::LabelMap;

use crate::input::Input;

/// One `--hint`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum HintArgument {
    /// `point:X,Y` or `point:X,Y,LABEL`.
    Point(PointHint),
    /// `box:X,Y,WIDTH,HEIGHT`.
    Box(BoxHint),
    /// `stroke:FILE`, an image of the same size whose bright pixels are the stroke.
    Stroke(PathBuf),
    /// `mask:FILE`, an earlier mask of it, in the same form.
    Mask(PathBuf),
    /// `text:WORDS`, what it is called.
    Text(String),
    /// `example:IMAGE,MASK`, another picture, and a mask of its size, or a map of class numbers, that
    /// says where in it is what is wanted. A comma in a name is written `\,`.
    Example { image: PathBuf, mask: PathBuf },
    /// `task`, what the task looks for.
    Task,
}

impl FromStr for HintArgument {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::invalid(
                "write it as point:X,Y or point:X,Y,0 (background), box:X,Y,WIDTH,HEIGHT, stroke:MASK.png, mask:MASK.png, text:WORDS, example:IMAGE,MASK.png or task",
            )
        };
        if text == "task" {
            return Ok(Self::Task);
        }
        match text.split_once(':').ok_or_else(wrong)? {
            ("point", rest) => match *numbers(rest)? {
                [x, y] => Ok(Self::Point(PointHint { x, y, label: 1 })),
                [x, y, 0.0] => Ok(Self::Point(PointHint { x, y, label: 0 })),
                [x, y, 1.0] => Ok(Self::Point(PointHint { x, y, label: 1 })),
                [_, _, _] => Err(Error::invalid(
                    "a point's label is 1 (wanted) or 0 (background)",
                )),
                _ => Err(Error::invalid(
                    "a point has 2 numbers and perhaps a label: point:X,Y[,0|1]",
                )),
            },
            ("box", rest) => match *numbers(rest)? {
                [x, y, width, height] if width > 0.0 && height > 0.0 => Ok(Self::Box(BoxHint {
                    x,
                    y,
                    width,
                    height,
                })),
                [_, _, _, _] => Err(Error::invalid("a box's width and height are above 0")),
                _ => Err(Error::invalid("a box has 4 numbers: box:X,Y,WIDTH,HEIGHT")),
            },
            ("stroke", "") => Err(Error::invalid("a stroke needs an image: stroke:MASK.png")),
            ("stroke", file) => Ok(Self::Stroke(PathBuf::from(file))),
            ("mask", "") => Err(Error::invalid("a mask needs an image: mask:MASK.png")),
            ("mask", file) => Ok(Self::Mask(PathBuf::from(file))),
            ("text", words) if words.trim().is_empty() => {
                Err(Error::invalid("a text needs words: text:the spoon"))
            }
            ("text", words) => Ok(Self::Text(words.to_owned())),
            ("example", files) => match &parts(files)[..] {
                [image, mask] if !image.is_empty() && !mask.is_empty() => Ok(Self::Example {
                    image: image.into(),
                    mask: mask.into(),
                }),
                _ => Err(Error::invalid(
                    "an example is a picture and its mask: example:IMAGE,MASK.png (a comma in a name is written \\,)",
                )),
            },
            _ => Err(wrong()),
        }
    }
}

/// Hints as a parameter of the call; nothing, if there are none. Blocks to read strokes, masks and
/// examples.
///
/// # Errors
/// As [`hints`].
pub(crate) fn params(arguments: &[HintArgument], limits: &LimitSettings) -> Result<Params> {
    if arguments.is_empty() {
        return Ok(Params::new());
    }
    let hints = serde_json::to_value(hints(arguments, limits)?)
        .map_err(|error| Error::internal("the hints are no JSON").caused_by(error))?;
    Ok(Params::from_iter([("hints".to_owned(), hints)]))
}

/// What the arguments say. Blocks to read strokes, masks and examples.
///
/// # Errors
/// As [`Input::read`] and [`decode`] for a stroke or mask, and as [`ExampleHint::read`].
pub(crate) fn hints(arguments: &[HintArgument], limits: &LimitSettings) -> Result<Hints> {
    let mut hints = Hints::default();
    for argument in arguments {
        match argument {
            HintArgument::Point(point) => hints.points.push(*point),
            HintArgument::Box(bbox) => hints.boxes.push(*bbox),
            HintArgument::Stroke(file) => hints.strokes.push(bright(file, limits)?),
            HintArgument::Mask(file) => hints.masks.push(bright(file, limits)?),
            HintArgument::Text(words) => hints.texts.push(words.clone()),
            HintArgument::Example { image, mask } => {
                hints.examples.push(example(image, mask, limits)?);
            }
            HintArgument::Task => {
                let message = "--hint task: there is no task (that is for som ask and som compare)";
                return Err(Error::invalid(message));
            }
        }
    }
    Ok(hints)
}

/// The same hints, with what `task` looks for as texts where they say so.
///
/// # Errors
/// Invalid, if the task looks for nothing that it has words for.
pub(crate) fn of_task(arguments: Vec<HintArgument>, task: &Task) -> Result<Vec<HintArgument>> {
    let mut all = Vec::new();
    for argument in arguments {
        if argument != HintArgument::Task {
            all.push(argument);
            continue;
        }
        let sought = task.sought();
        if sought.is_empty() {
            return Err(Error::invalid(format!(
                "--hint task: the task {} has no words to look for (refer and phrases have some, and describe with --vocabulary)",
                task.name()
            )));
        }
        all.extend(sought.into_iter().map(HintArgument::Text));
    }
    Ok(all)
}

/// A picture, and the numbers that a mask of its size gives its pixels.
fn example(image: &Path, mask: &Path, limits: &LimitSettings) -> Result<ExampleHint> {
    let at = |file: &Path| {
        let name = file.display().to_string();
        move |error: Error| error.at(name)
    };
    let read = |file: &Path| Input::file(file).read(limits.image_bytes).map_err(at(file));
    let (picture, map) = (read(image)?, read(mask)?);
    let map = LabelMap::read(&map, limits.image_pixels).map_err(at(mask))?;
    let example = ExampleHint::new(picture, map.size, &map.labels).map_err(at(mask))?;
    let both = format!("example {},{}", image.display(), mask.display());
    example
        .read(limits.image_pixels)
        .map_err(|error| error.at(both))?;
    Ok(example)
}

/// The bright pixels of an image.
fn bright(file: &Path, limits: &LimitSettings) -> Result<Rle> {
    let mask = || {
        let bytes = Input::file(file).read(limits.image_bytes)?;
        let gray = DynamicImage::from(decode(&bytes, limits.image_pixels)?).into_luma8();
        let size = Size::new(gray.width(), gray.height());
        let bright: Vec<u8> = gray.iter().map(|&gray| u8::from(gray >= 128)).collect();
        Mask::from_dense(size, size.bbox(), &bright)
    };
    let mask = mask().map_err(|error: Error| error.at(file.display()))?;
    Ok(mask.to_rle())
}

/// Names with commas between them; one that belongs to a name stands behind a backslash.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        match (letter, parts.last_mut()) {
            (',', _) => parts.push(String::new()),
            ('\\', Some(part)) if rest.peek() == Some(&',') => part.extend(rest.next()),
            (_, part) => part.into_iter().for_each(|part| part.push(letter)),
        }
    }
    parts
}

/// Numbers with commas between them: pixels, so neither negative nor infinite.
fn numbers(text: &str) -> Result<Vec<f64>> {
    let number = |part: &str| match part.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        Ok(_) => Err(Error::invalid(format!(
            "{part} is not a position in pixels"
        ))),
        Err(_) => Err(Error::invalid(format!("\"{part}\" is not a number"))),
    };
    text.split(',').map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        text.parse::<HintArgument>().unwrap_err().to_string()
    }

    #[test]
    fn hints_are_read_as_written() {
        let point = |x, y, label| HintArgument::Point(PointHint { x, y, label });
        assert_eq!(
            "point:10,20".parse::<HintArgument>().unwrap(),
            point(10.0, 20.0, 1)
        );
        assert_eq!(
            "point:10.5, 20,0".parse::<HintArgument>().unwrap(),
            point(10.5, 20.0, 0)
        );
        let bbox = BoxHint {
            x: 1.0,
            y: 2.0,
            width: 3.0,
            height: 4.5,
        };
        assert_eq!(
            "box:1,2,3,4.5".parse::<HintArgument>().unwrap(),
            HintArgument::Box(bbox)
        );
        let stroke = HintArgument::Stroke("a:b.png".into());
        assert_eq!("stroke:a:b.png".parse::<HintArgument>().unwrap(), stroke);
        let mask = HintArgument::Mask("c.png".into());
        assert_eq!("mask:c.png".parse::<HintArgument>().unwrap(), mask);
        let text = HintArgument::Text("the spoon: left".to_owned());
        assert_eq!(
            "text:the spoon: left".parse::<HintArgument>().unwrap(),
            text
        );
    }

    #[test]
    fn an_example_is_two_files_whose_names_may_have_commas() {
        let read = |text: &str| text.parse::<HintArgument>();
        for (text, image, mask) in [
            ("example:a.png,b.png", "a.png", "b.png"),
            (r"example:a\,1.png,b\c.png", "a,1.png", r"b\c.png"),
            ("example:c:/a.png,b:c.png", "c:/a.png", "b:c.png"),
        ] {
            let (image, mask) = (image.into(), mask.into());
            assert_eq!(read(text).unwrap(), HintArgument::Example { image, mask });
        }
        for text in ["example:", "example:a.png", "example:a,", "example:a,b,c"] {
            let told = "an example is a picture and its mask";
            assert!(error(text).starts_with(told), "{text}");
        }
    }

    #[test]
    fn a_task_may_say_what_is_looked_for() {
        let text = |words: &str| HintArgument::Text(words.to_owned());
        let given = || vec![text("a table"), "task".parse().unwrap()];
        for (name, words, sought) in [
            ("refer", "the cup; the spoon", &["the cup", "the spoon"][..]),
            ("phrases", "A cup on a table.", &["A cup on a table."]),
        ] {
            let task = Task::named(name, Some(words)).unwrap();
            let sought = sought.iter().map(|words| text(words));
            let expected: Vec<_> = [text("a table")].into_iter().chain(sought).collect();
            assert_eq!(of_task(given(), &task).unwrap(), expected);
        }
        let task = Task::named("ask", Some("what is red?")).unwrap();
        let error = of_task(given(), &task).unwrap_err();
        assert!(error.message().contains("no words to look for"), "{error}");
        assert_eq!(
            of_task(vec![text("a cup")], &task).unwrap(),
            [text("a cup")]
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(error("circle:1,2,3").starts_with("write it as point:"));
        assert!(error("10,20").starts_with("write it as point:"));
        assert_eq!(error("point:a,2"), "\"a\" is not a number");
        assert_eq!(error("point:-1,2"), "-1 is not a position in pixels");
        assert_eq!(error("point:inf,2"), "inf is not a position in pixels");
        assert_eq!(
            error("point:1,2,7"),
            "a point's label is 1 (wanted) or 0 (background)"
        );
        assert_eq!(error("box:1,2,0,5"), "a box's width and height are above 0");
        assert!(error("box:1,2").starts_with("a box has 4 numbers"));
        assert!(error("stroke:").starts_with("a stroke needs an image"));
        assert!(error("text: ").starts_with("a text needs words"));
    }
}
