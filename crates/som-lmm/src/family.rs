//! What is known of models by their names: `families.toml`.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;
use som_core::{Error, ErrorKind, ImagePolicy, Params, ProviderInfo, Result};

use crate::settings::LmmSettings;

/// Models that see images in the same way.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// Its name in the settings.
    pub name: String,
    /// Where that is written.
    pub source: String,
    /// When, as year and month.
    pub date: String,
    models: Vec<String>,
    /// What its models put their thoughts between, where that reaches the text.
    #[serde(default)]
    pub thinks: Option<String>,
    /// What a call of a tool begins with, where that reaches the text, or is called in the API.
    #[serde(default)]
    pub calls: Option<String>,
    /// What the API calls the most tokens of an answer.
    #[serde(default)]
    pub token_limit: Option<String>,
    #[serde(default = "yes")]
    vision: bool,
    #[serde(default)]
    images: Params,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    family: Vec<Family>,
}

const fn yes() -> bool {
    true
}

/// As read; the text of an error, which a test rules out.
static FAMILIES: LazyLock<Result<Vec<Family>, String>> = LazyLock::new(|| {
    toml::from_str::<File>(include_str!("families.toml"))
        .map(|file| file.family)
        .map_err(|error| error.to_string())
});

impl Family {
    /// Every family there is.
    ///
    /// # Errors
    /// Internal, if the list is malformed.
    pub fn all() -> Result<&'static [Family]> {
        FAMILIES
            .as_deref()
            .map_err(|error| Error::internal(format!("families.toml: {error}")))
    }

    /// The family of the model called `model`, if it is known.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub fn of_model(model: &str) -> Result<Option<&'static Family>> {
        let model = model.rsplit('/').next().unwrap_or(model).to_lowercase();
        // The length of the longest beginning that fits.
        let fit = |family: &&Family| {
            let fits = family
                .models
                .iter()
                .filter(|start| model.starts_with(*start));
            fits.map(String::len).max()
        };
        Ok(Self::all()?
            .iter()
            .filter(|family| fit(family).is_some())
            .max_by_key(fit))
    }

    /// The family that the settings name, else that of the model.
    ///
    /// # Errors
    /// Invalid for an unknown name; as [`all`](Self::all).
    pub(crate) fn of(lmm: &LmmSettings) -> Result<Option<&'static Family>> {
        match lmm.family.as_str() {
            "" => Self::of_model(&lmm.model),
            name => Ok(Some(Self::called(name)?)),
        }
    }

    fn called(name: &str) -> Result<&'static Family> {
        let all = Self::all()?;
        all.iter()
            .find(|family| family.name == name)
            .ok_or_else(|| {
                let known = all.iter().map(|family| family.name.as_str());
                Error::unknown(ErrorKind::Invalid, "family", name, known)
            })
    }
}

/// What is known of the model of `[lmm.NAME]`: by its name, and by the table. `structured` is
/// whether its provider answers by a JSON schema, as far as the table does not say.
pub(crate) fn info(name: &str, lmm: &LmmSettings, structured: bool) -> Result<ProviderInfo> {
    if lmm.model.is_empty() {
        return Err(Error::invalid("model is not set"));
    }
    let family = Family::of(lmm)?;
    let known = family.map(|family| family.images.clone());
    Ok(ProviderInfo {
        name: name.to_owned(),
        provider: lmm.provider.name().to_owned(),
        model: lmm.model.clone(),
        vision: lmm
            .vision
            .unwrap_or(family.is_none_or(|family| family.vision)),
        structured: lmm.structured.unwrap_or(structured),
        images: policy(known.unwrap_or_default(), &lmm.images)?,
        context_tokens: lmm.context_tokens,
        prices: lmm.prices,
    })
}

/// The rules of a family with what is different from them.
fn policy(family: Params, different: &Params) -> Result<ImagePolicy> {
    // A family's view is whole: what it does not limit is not limited.
    let is_known = !family.is_empty();
    let mut images = Value::Object(family);
    if is_known {
        let unlimited = serde_json::to_value(som_core::View::UNLIMITED)
            .map_err(|error| Error::internal(error.to_string()))?;
        let view = std::mem::replace(&mut images["view"], unlimited);
        if let Value::Object(view) = view {
            merge(&mut images["view"], &Value::Object(view));
        }
    }
    merge(&mut images, &Value::Object(different.clone()));
    serde_json::from_value(images).map_err(|error| Error::invalid(format!("images: {error}")))
}

/// Puts `over` on top of `base`, key by key. Text from an environment variable becomes what it
/// reads as.
fn merge(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (base, Value::String(text)) => {
            let number = text.parse::<u64>().ok().map(Value::from);
            *base = number.unwrap_or_else(|| over.clone());
        }
        (base, over) => *base = over.clone(),
    }
}

#[cfg(test)]
mod tests {
    use som_core::{
        BoxOrder, Coordinates, Scene, SceneMark, Size,
        ground::{ground, thoughts},
    };

    use super::*;

    fn lmm(model: &str) -> LmmSettings {
        LmmSettings {
            model: model.into(),
            ..LmmSettings::default()
        }
    }

    #[test]
    fn every_family_is_valid_and_has_a_source() {
        for family in Family::all().unwrap() {
            policy(family.images.clone(), &Params::new())
                .unwrap_or_else(|error| panic!("{}: {error}", family.name));
            assert!(family.source.len() > 10, "{}", family.name);
            let (year, month) = family.date.split_once('-').unwrap();
            assert!(
                (2023..2100).contains(&year.parse().unwrap()),
                "{}",
                family.name
            );
            assert!(
                (1..=12).contains(&month.parse().unwrap()),
                "{}",
                family.name
            );
            assert!(!family.models.is_empty(), "{}", family.name);
        }
    }

    #[test]
    fn the_reader_knows_how_each_family_thinks_and_calls_tools() {
        let mark = SceneMark {
            id: 3,
            text: "3",
            image: 0,
            page: 1,
            region: None,
        };
        let scene = Scene {
            images: Vec::new(),
            marks: vec![mark],
        };
        for family in Family::all().unwrap() {
            if let Some(thinks) = &family.thinks {
                let answer = format!("{thinks} maybe [3]\nAction: wait()");
                assert!(!thoughts(&answer).is_empty(), "{}", family.name);
                assert!(ground(&answer, &scene).is_empty(), "{}", family.name);
            }
            // What has no sign in it is the API's own word, and is read from its parts.
            let calls = family.calls.as_deref().unwrap_or("");
            if calls.contains(['<', '[', ':']) {
                let call = match calls {
                    "<arg_key>" => "marks</arg_key><arg_value>[3]</arg_value>",
                    "<|channel|>commentary" => "<|message|>{\"marks\": [3]}<|call|>",
                    _ => "{\"name\": \"select\", \"arguments\": {\"marks\": [3]}}",
                };
                let found = ground(&format!("{calls}{call}"), &scene);
                assert_eq!(found.len(), 1, "{}", family.name);
                assert_eq!(found[0].marks, [3], "{}", family.name);
            }
        }
    }

    #[test]
    fn a_model_belongs_to_the_family_that_fits_best() {
        for (model, family) in [
            ("gpt-4o-2024-08-06", "openai-tiles"),
            ("gpt-4.1", "openai-tiles"),
            ("gpt-4.1-mini", "openai-patches"),
            ("gpt-4-0613", "text"),
            ("claude-sonnet-4-5", "anthropic"),
            ("anthropic/claude-opus-4", "anthropic"),
            ("gemini-2.5-flash", "gemini"),
            ("gemini-3-pro", "gemini-budget"),
            ("Qwen/Qwen2-VL-7B-Instruct", "qwen2-vl"),
            ("Qwen/Qwen2.5-VL-7B-Instruct", "qwen2.5-vl"),
            ("gemma3:4b", "gemma-3"),
            ("qwen/qwen3.8-max", "qwen3-vl"),
            ("z-ai/glm-5v-turbo", "glm-v"),
            ("z-ai/glm-5.3-flash", "glm-flash"),
            ("zai-org/GLM-4.5V", "glm-v"),
            ("OpenGVLab/InternVL3_5-8B", "internvl"),
            ("openbmb/MiniCPM-V-4_5", "minicpm-v"),
            ("allenai/Molmo2-8B", "molmo-2"),
            ("allenai/Molmo-7B-D-0924", "molmo"),
            ("gpt-4-1106-vision-preview", "openai-tiles"),
            ("ByteDance-Seed/UI-TARS-1.5-7B", "ui-tars-1.5"),
        ] {
            let found = Family::of_model(model).unwrap().unwrap();
            assert_eq!(found.name, family, "{model}");
        }
        assert!(Family::of_model("my-own").unwrap().is_none());
    }

    #[test]
    fn what_is_known_can_be_overridden() {
        let plain = info("x", &lmm("gpt-4o"), true).unwrap();
        assert!(plain.vision);
        let seen = |info: &ProviderInfo| info.images.seen(Size::new(2048, 4096));
        assert_eq!(seen(&plain), Size::new(768, 1536));
        assert_eq!(plain.images.detail.as_deref(), Some("high"));

        let mut own = lmm("gpt-4o");
        own.vision = Some(false);
        own.images = serde_json::from_value(
            serde_json::json!({"view": {"short_side": "384"}, "detail": "low"}),
        )
        .unwrap();
        let own = info("x", &own, true).unwrap();
        assert!(!own.vision);
        assert_eq!(seen(&own), Size::new(384, 768));
        assert_eq!(own.images.detail.as_deref(), Some("low"));

        assert!(!info("x", &lmm("gpt-3.5-turbo"), true).unwrap().vision);
        // Of an unknown model the narrower of common limits is assumed.
        let unknown = info("x", &lmm("my-own"), true).unwrap();
        assert_eq!(unknown.images, ImagePolicy::default());

        let counted = |model| info("x", &lmm(model), true).unwrap().images.coordinates;
        assert_eq!(counted("Qwen/Qwen3-VL-8B"), Some(Coordinates::Thousandths));
        assert_eq!(counted("qwen2.5vl:7b"), Some(Coordinates::Pixels));
        assert_eq!(counted("gpt-4o"), None);
        let order = |model| info("x", &lmm(model), true).unwrap().images.box_order;
        assert_eq!(order("gemini-3-pro"), Some(BoxOrder::Yxyx));
        assert_eq!(order("z-ai/glm-5v-turbo"), Some(BoxOrder::Xyxy));
        let mut own = lmm("z-ai/glm-5v-turbo");
        own.images = serde_json::from_value(serde_json::json!({"box_order": "yxyx"})).unwrap();
        assert_eq!(
            info("x", &own, true).unwrap().images.box_order,
            Some(BoxOrder::Yxyx)
        );

        let mut forced = lmm("my-own");
        forced.family = "gemma-3".into();
        let forced = info("x", &forced, true).unwrap();
        assert_eq!(seen(&forced), Size::new(896, 896));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let mut wrong = lmm("gpt-4o");
        wrong.images = serde_json::from_value(serde_json::json!({"view": {"size": 4}})).unwrap();
        let error = info("x", &wrong, true).unwrap_err();
        assert!(error.message().contains("short_side"), "{error}");
        let mut wrong = lmm("gpt-4o");
        wrong.family = "openai-tile".into();
        let error = info("x", &wrong, true).unwrap_err();
        assert!(error.message().contains("openai-tiles"), "{error}");
        assert!(info("x", &lmm(""), true).is_err());
    }
}
