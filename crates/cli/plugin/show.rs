//! `som plugin show ID`: what a segmenter, mark style or tracker takes, for people.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;
use som_core::{Descriptor, Params, Result};
use som_engine::{
    registry::{Provenance, Registry, SegmenterEntry, StyleEntry, TrackerEntry, unknown},
    settings::{Ladder, Settings},
};

use crate::{embedded, output::Output};

/// Show what a segmenter, mark style or tracker is and takes: each parameter with its range and default
#[derive(Args)]
pub(super) struct Options {
    /// Its id (see som plugin list)
    #[arg(value_name = "ID")]
    id: String,
}

/// A segmenter, mark style or tracker, and what the settings say of it.
struct Shown<'a> {
    kind: &'static str,
    descriptor: Descriptor,
    provenance: &'a Provenance,
    /// What its calls get if nothing else is said.
    params: Params,
    /// What its instances get.
    options: Params,
}

/// Prints what there is to know of it.
pub(super) async fn run(options: &Options, ladder: &Ladder) -> Result<ExitCode> {
    let (settings, _) = ladder.load()?;
    let registry = Registry::open(embedded::PLUGINS, &settings)?;
    let shown = find(&options.id, &registry, &settings).await?;
    let pages: Vec<String> = shown.iter().map(page).collect();
    Output::Stdout.write(pages.join("\n").as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// All that have this id: a segmenter and a tracker may share it.
async fn find<'a>(id: &str, registry: &'a Registry, settings: &Settings) -> Result<Vec<Shown<'a>>> {
    let mut found = Vec::new();
    if let Some(entry) = registry.segmenters().find(|entry| entry.id() == id) {
        let known = entry.reach().await?;
        found.push(Shown {
            kind: "segmenter",
            descriptor: known.descriptor().clone(),
            provenance: entry.provenance(),
            params: known.usual(settings)?,
            options: known.configured(settings)?.1,
        });
    }
    if let Some(entry) = registry.styles().find(|entry| entry.descriptor().id == id) {
        found.push(Shown {
            kind: "mark style",
            descriptor: entry.descriptor().clone(),
            provenance: entry.provenance(),
            params: entry.usual(settings)?,
            options: Params::new(),
        });
    }
    if let Some(entry) = registry
        .trackers()
        .find(|entry| entry.descriptor().id == id)
    {
        found.push(Shown {
            kind: "tracker",
            descriptor: entry.descriptor().clone(),
            provenance: entry.provenance(),
            params: entry.usual(settings)?,
            options: entry.configured(settings)?,
        });
    }
    if found.is_empty() {
        let segmenters = registry.segmenters().map(SegmenterEntry::id);
        let styles = registry.styles().map(StyleEntry::descriptor);
        let trackers = registry.trackers().map(TrackerEntry::descriptor);
        let others = styles
            .chain(trackers)
            .map(|descriptor| descriptor.id.as_str());
        return Err(unknown("plugin", id, segmenters.chain(others)));
    }
    Ok(found)
}

fn page(shown: &Shown<'_>) -> String {
    let Shown {
        kind,
        descriptor,
        provenance,
        params,
        options,
    } = shown;
    let Descriptor {
        id, version, about, ..
    } = descriptor;
    let mut text = format!("{id} {version}, a {kind} ({provenance})\n{about}\n");
    let (set, table) = match *kind {
        "segmenter" | "tracker" => (String::new(), format!("{kind}.{id}.params")),
        _ => (format!("{id}."), format!("style.{id}")),
    };
    let heading = format!("Parameters (--set {set}KEY=VALUE, or [{table}] in the settings)");
    text.push_str(&section(&heading, &descriptor.params, params));
    if *kind != "mark style" {
        let heading = format!("Options (--set KEY=VALUE, or [{kind}.{id}] in the settings)");
        text.push_str(&section(&heading, &descriptor.options, options));
    }
    text
}

/// What a schema says of each value; `set` are those that the settings say.
fn section(heading: &str, schema: &Value, set: &Params) -> String {
    let properties = schema["properties"].as_object();
    let properties: Vec<_> = properties.into_iter().flatten().collect();
    if properties.is_empty() {
        return String::new();
    }
    let required = schema["required"].as_array();
    let required: Vec<&Value> = required.into_iter().flatten().collect();
    let mut text = format!("\n{heading}:\n");
    for (name, property) in properties {
        let mut facts = vec![kind(property)];
        let default = &property["default"];
        match set.get(name) {
            Some(value) if value != default => facts.push(format!("set to {value}")),
            _ if !default.is_null() => facts.push(format!("default {default}")),
            _ if required.iter().any(|key| *key == name) => facts.push("required".to_owned()),
            _ => {}
        }
        facts.retain(|fact| !fact.is_empty());
        text.push_str(&format!("  {name}: {}\n", facts.join("; ")));
        if let Some(description) = property["description"].as_str() {
            text.push_str(&wrapped(description));
        }
    }
    text
}

/// What values may be: kind and range.
fn kind(property: &Value) -> String {
    if let Some(values) = property["enum"].as_array() {
        let values: Vec<String> = values.iter().map(Value::to_string).collect();
        return values.join(" or ");
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(forms) = property[key].as_array() {
            let forms: Vec<String> = forms.iter().map(kind).collect();
            return forms.join(" or ");
        }
    }
    let kinds: Vec<&str> = match &property["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let word = |kind: &&str| match *kind {
        "integer" => "whole number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "string" => "text".to_owned(),
        "null" => "null".to_owned(),
        "array" => match &property["items"] {
            Value::Object(_) => format!("list: each {}", kind_of_items(property)),
            _ => "list".to_owned(),
        },
        "object" => "table".to_owned(),
        other => other.to_owned(),
    };
    let words: Vec<String> = kinds.iter().map(word).collect();
    let bound = |key: &str, words: &str| {
        let bound = &property[key];
        (!bound.is_null()).then(|| format!("{words} {bound}"))
    };
    let range = [
        bound("minimum", "from"),
        bound("exclusiveMinimum", "above"),
        bound("maximum", "to"),
        bound("exclusiveMaximum", "below"),
    ];
    let range: Vec<String> = range.into_iter().flatten().collect();
    [vec![words.join(" or ")], range]
        .concat()
        .join(" ")
        .trim()
        .to_owned()
}

fn kind_of_items(property: &Value) -> String {
    match kind(&property["items"]) {
        unsaid if unsaid.is_empty() => "anything".to_owned(),
        said => said,
    }
}

/// A text in lines that are not too long, below what it is about.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 90;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let is_full = lines.last().is_some_and(|line| {
            !line.is_empty() && line.chars().count() + word.chars().count() >= WIDTH
        });
        if is_full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.iter().map(|line| format!("      {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_reads_like_a_sentence() {
        for (property, words) in [
            (
                json!({"type": "integer", "minimum": 1, "maximum": 6}),
                "whole number from 1 to 6",
            ),
            (
                json!({"type": "number", "exclusiveMinimum": 0}),
                "number above 0",
            ),
            (json!({"enum": ["a", "b"]}), "\"a\" or \"b\""),
            (json!({"type": ["string", "null"]}), "text or null"),
            (
                json!({"type": "array", "items": {"type": "integer", "minimum": 0}}),
                "list: each whole number from 0",
            ),
            (
                json!({"anyOf": [{"type": "boolean"}, {"type": "array"}]}),
                "true or false or list",
            ),
            (json!({}), ""),
        ] {
            assert_eq!(kind(&property), words, "{property}");
        }
    }

    #[test]
    fn what_the_settings_say_goes_before_the_default() {
        let schema = json!({"properties": {
            "level": {"type": "integer", "default": 3, "description": "How fine."},
            "size": {"type": "number", "default": 1},
        }});
        let set = Params::from_iter([("level".to_owned(), 5.into())]);
        let expected = "\nX:\n  level: whole number; set to 5\n      How fine.\n  \
                        size: number; default 1\n";
        assert_eq!(section("X", &schema, &set), expected);
        assert_eq!(section("X", &json!({}), &set), "");
    }
}
