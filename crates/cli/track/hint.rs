//! `--hint FRAME:OBJECT:HINT`: what is said of an object in a frame, as one writes it in a shell.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    str::FromStr,
};

use som_core::{Error, Hints, Mask, ObjectHints, Params, Result};
use som_engine::settings::LimitSettings;
use som_formats::LabelMap;

use crate::{
    flags::hint::{HintArgument, hints},
    input::Input,
};

/// One `--hint` about a video.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ObjectHintArgument {
    /// The frame, from 0.
    frame: u64,
    said: Said,
}

#[derive(Clone, Debug, PartialEq)]
enum Said {
    /// Of an object, from 1.
    Of(u64, HintArgument),
    /// That it is to be forgotten.
    Removed(u64),
    /// Of all objects whose numbers the pixels of a picture hold.
    Map(PathBuf),
}

impl FromStr for ObjectHintArgument {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::invalid(
                "write it as FRAME:OBJECT:HINT, such as 0:1:point:X,Y, 0:1:box:X,Y,WIDTH,HEIGHT, 0:1:mask:MASK.png, 9:1:remove or 0:map:NUMBERS.png",
            )
        };
        let mut parts = text.splitn(3, ':').map(str::trim);
        let mut part = || parts.next().ok_or_else(wrong);
        let (frame, object, hint) = (part()?, part()?, part()?);
        let number = |part: &str| part.parse::<u64>().map_err(|_| wrong());
        let frame = number(frame)?;
        if object == "map" {
            let said = Said::Map(PathBuf::from(hint));
            return Ok(Self { frame, said });
        }
        let said = match (number(object)?, hint) {
            (0, _) => return Err(Error::invalid("objects are counted from 1")),
            (object, "remove") => Said::Removed(object),
            (object, hint) => Said::Of(object, hint.parse()?),
        };
        Ok(Self { frame, said })
    }
}

/// What is said, by frame. All that is said of an object in a frame belongs together. Blocks to read
/// masks.
///
/// # Errors
/// Invalid for an object that is both pointed at and forgotten in one frame; what reading a file
/// reports.
pub(super) fn by_frame(
    arguments: &[ObjectHintArgument],
    limits: &LimitSettings,
) -> Result<BTreeMap<u64, Vec<ObjectHints>>> {
    let mut said: BTreeMap<(u64, u64), (Vec<HintArgument>, bool)> = BTreeMap::new();
    let mut frames: BTreeMap<u64, Vec<ObjectHints>> = BTreeMap::new();
    for ObjectHintArgument { frame, said: told } in arguments {
        match told {
            Said::Of(object, hint) => said
                .entry((*frame, *object))
                .or_default()
                .0
                .push(hint.clone()),
            Said::Removed(object) => said.entry((*frame, *object)).or_default().1 = true,
            Said::Map(file) => {
                let objects = of_map(file, limits).map_err(|error| error.at(file.display()))?;
                frames.entry(*frame).or_default().extend(objects);
            }
        }
    }
    for ((frame, object), (arguments, remove)) in said {
        if remove && !arguments.is_empty() {
            return Err(Error::invalid(format!(
                "--hint: object {object} is both pointed at and removed in frame {frame}"
            )));
        }
        let hints = hints(&arguments, limits)
            .map_err(|error| error.at(format!("--hint {frame}:{object}")))?;
        frames.entry(frame).or_default().push(ObjectHints {
            object,
            hints,
            remove,
        });
    }
    for said in frames.values() {
        // The same rules as for those that come over a boundary.
        let value = ObjectHints::to_value(said)?;
        ObjectHints::from_params(&Params::from_iter([("hints".to_owned(), value)]))?;
    }
    Ok(frames)
}

/// The objects whose numbers the pixels of a picture hold.
fn of_map(file: &Path, limits: &LimitSettings) -> Result<Vec<ObjectHints>> {
    let bytes = Input::file(file).read(limits.image_bytes)?;
    let LabelMap { size, labels } = LabelMap::read(&bytes, limits.image_pixels)?;
    let numbers: BTreeSet<u8> = labels.iter().copied().filter(|&label| label > 0).collect();
    if numbers.is_empty() {
        return Err(Error::invalid("its pixels hold no number of an object"));
    }
    let object = |number: u8| {
        let pixels: Vec<u8> = labels.iter().map(|&it| u8::from(it == number)).collect();
        let mask = Mask::from_dense(size, size.bbox(), &pixels)?;
        Ok(ObjectHints {
            object: number.into(),
            hints: Hints {
                masks: vec![mask.to_rle()],
                ..Hints::default()
            },
            remove: false,
        })
    };
    numbers.into_iter().map(object).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ObjectHintArgument> {
        text.parse()
    }

    #[test]
    fn a_hint_names_frame_and_object() {
        let point = "point:3,4,0".parse().unwrap();
        assert_eq!(
            read("12:7:point:3,4,0").unwrap(),
            ObjectHintArgument {
                frame: 12,
                said: Said::Of(7, point)
            }
        );
        assert_eq!(read("0:1:remove").unwrap().said, Said::Removed(1));
        let mask = "mask:a:b.png".parse().unwrap();
        assert_eq!(read("0:1:mask:a:b.png").unwrap().said, Said::Of(1, mask));
        let map = Said::Map("a:b.png".into());
        assert_eq!(read("3:map:a:b.png").unwrap().said, map);
        for (text, told) in [
            ("point:3,4", "write it as FRAME:OBJECT:HINT"),
            ("0:point:3,4", "write it as FRAME:OBJECT:HINT"),
            ("-1:1:point:3,4", "write it as FRAME:OBJECT:HINT"),
            ("0:0:point:3,4", "objects are counted from 1"),
            ("0:1:circle:3,4", "write it as point:X,Y"),
            ("0:1", "write it as FRAME:OBJECT:HINT"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.message().starts_with(told), "{text}: {error}");
        }
    }

    fn frames(texts: &[&str]) -> Result<BTreeMap<u64, Vec<ObjectHints>>> {
        let arguments: Vec<_> = texts.iter().map(|text| read(text).unwrap()).collect();
        let (settings, _) = som_engine::settings::Ladder::embedded().load().unwrap();
        by_frame(&arguments, &settings.limits)
    }

    #[test]
    fn what_is_said_of_an_object_in_a_frame_belongs_together() {
        let said = frames(&[
            "3:2:point:1,2",
            "0:1:point:9,9",
            "3:2:box:0,0,5,5",
            "3:1:point:4,4",
        ])
        .unwrap();
        assert_eq!(said.keys().copied().collect::<Vec<_>>(), [0, 3]);
        let third: Vec<(u64, usize)> = said[&3]
            .iter()
            .map(|said| (said.object, said.hints.count()))
            .collect();
        assert_eq!(third, [(1, 1), (2, 2)]);
        let error = frames(&["3:2:point:1,2", "3:2:remove"]).unwrap_err();
        assert!(error.message().contains("both pointed at and removed"));
    }
}
