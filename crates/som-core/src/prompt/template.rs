//! The words of a prompt, with named fields.

use std::fmt;

use super::{
    fields::{Field, Fields},
    wordings::WORDINGS,
};
use crate::{Error, ErrorKind, Result};

/// The words of a prompt: an optional part for the system, and one for the user.
///
/// As text it is what a file holds: fields in braces (`{question}`; `{{` and `}}` are braces),
/// and, if there is a system part, a line `---` behind it.
///
/// ```
/// use som_core::prompt::{Field, Fields, Template};
///
/// let template = Template::parse("Be brief.\n---\n{question}")?;
/// let fields = Fields::default().with(Field::Question, "Where is the cup?");
/// let (system, user) = template.fill(&fields, 1000)?;
/// assert_eq!(system.as_deref(), Some("Be brief."));
/// assert_eq!(user, "Where is the cup?");
/// # Ok::<(), som_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    system: Option<Vec<Run>>,
    user: Vec<Run>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Run {
    Text(String),
    Field(Field),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Invalid, if it has an unknown field (the known ones are listed), a brace that is not
    /// closed, or no words for the user.
    pub fn parse(text: &str) -> Result<Self> {
        // Some editors begin a file with a byte-order mark.
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        let (system, user) = match text.split_once("\n---\n") {
            Some((system, user)) => (Some(runs(system.trim())?), user),
            None => (None, text.as_str()),
        };
        let user = runs(user.trim())?;
        if user.is_empty() {
            return Err(Error::invalid("the template is empty"));
        }
        Ok(Self { system, user })
    }

    /// The built-in template called `name`: see [`WORDINGS`].
    ///
    /// # Errors
    /// NotFound, listing the names there are.
    pub fn named(name: &str) -> Result<Self> {
        match WORDINGS.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::parse(text),
            None => {
                let known = WORDINGS.iter().map(|(known, _)| *known);
                Err(Error::unknown(ErrorKind::NotFound, "template", name, known))
            }
        }
    }

    /// True if `field` occurs.
    pub fn has(&self, field: Field) -> bool {
        let runs = self.system.iter().flatten().chain(&self.user);
        runs.into_iter().any(|run| *run == Run::Field(field))
    }

    /// The words for the system, if there are some, and those for the user.
    ///
    /// # Errors
    /// Invalid, if a field has no text; only [`Field::Table`] and [`Field::Form`] may do without.
    /// Exhausted, if the words would be more than `max_bytes`: that is known before they are written.
    pub fn fill(&self, fields: &Fields, max_bytes: usize) -> Result<(Option<String>, String)> {
        let runs = self.system.iter().flatten().chain(&self.user);
        let lengths = runs.map(|run| match run {
            Run::Text(words) => words.len(),
            Run::Field(field) => fields.get(*field).map_or(0, str::len),
        });
        let bytes = lengths.fold(0, usize::saturating_add);
        if bytes > max_bytes {
            return Err(Error::exhausted(format!(
                "template: filled, it has {bytes} bytes, but at most {max_bytes} are allowed \
                 (raise limits.prompt_bytes)"
            )));
        }
        let system = self.system.as_deref().map(|runs| filled(runs, fields));
        let system = system.transpose()?.filter(|text| !text.is_empty());
        Ok((system, filled(&self.user, fields)?))
    }
}

impl fmt::Display for Template {
    /// The text that [`parse`](Template::parse) reads as the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(system) = &self.system {
            system.iter().try_for_each(|run| run.fmt(f))?;
            f.write_str("\n---\n")?;
        }
        self.user.iter().try_for_each(|run| run.fmt(f))
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(words) => f.write_str(&words.replace('{', "{{").replace('}', "}}")),
            Self::Field(field) => write!(f, "{{{}}}", field.name()),
        }
    }
}

fn runs(text: &str) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    let mut words = String::new();
    let mut rest = text;
    while let Some(brace) = rest.find(['{', '}']) {
        words.push_str(&rest[..brace]);
        let (here, after) = rest[brace..].split_at(1);
        if let Some(after) = after.strip_prefix(here) {
            words.push_str(here);
            rest = after;
            continue;
        }
        let name = after
            .split_once('}')
            .filter(|(name, _)| here == "{" && !name.contains(['{', '\n']));
        let Some((name, after)) = name else {
            return Err(Error::invalid(format!(
                "template: a single {here:?} (write a field as {{question}}, and a brace twice: {here}{here})"
            )));
        };
        let field = Field::named(name.trim()).map_err(|error| {
            let hint = "a brace that stands for itself is written twice: {{ or }}";
            Error::new(error.kind(), format!("{} ({hint})", error.message())).at("template")
        })?;
        if !words.is_empty() {
            runs.push(Run::Text(std::mem::take(&mut words)));
        }
        runs.push(Run::Field(field));
        rest = after;
    }
    words.push_str(rest);
    if !words.is_empty() {
        runs.push(Run::Text(words));
    }
    Ok(runs)
}

fn filled(runs: &[Run], fields: &Fields) -> Result<String> {
    let mut text = String::new();
    for run in runs {
        match run {
            Run::Text(words) => text.push_str(words),
            Run::Field(field) => match fields.get(*field) {
                Some(words) => text.push_str(words),
                None if matches!(field, Field::Table | Field::Form) => {}
                None => {
                    return Err(Error::invalid(format!(
                        "template: nothing was given for the field {{{}}}",
                        field.name()
                    )));
                }
            },
        }
    }
    // Where a field was left empty, no gap stays behind.
    while text.contains("\n\n\n") {
        text = text.replace("\n\n\n", "\n\n");
    }
    Ok(text.trim().to_owned())
}
