//! An answer on the terminal: as it comes in, with the marks it names in their colours.

use std::{
    collections::HashMap,
    io::{self, IsTerminal as _, Write as _},
};

use som_core::{
    Color, Finish, Result, Usage,
    ground::{Mention, Status},
    task::{Finding, Match, Task},
};
use som_engine::ask::AskOutcome;

use crate::{output::Output, session::Stage};

/// Prints one answer.
pub(super) struct Printer {
    colors: HashMap<u32, Color>,
    /// Print colours, and so whole lines; else every piece at once.
    in_color: bool,
    text: String,
    /// How much of the text was printed, in bytes.
    printed: usize,
    mentions: Vec<Mention>,
    /// Say nothing beside the answer.
    is_quiet: bool,
    /// Print nothing before it is known which answer counts.
    holds: bool,
}

impl Printer {
    /// Of an answer in whose place another one may come, if not `is_final`: then it is printed as it
    /// comes in only where a person sees what becomes of it.
    pub(super) fn new(is_quiet: bool, is_final: bool) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_terminal = io::stdout().is_terminal();
        Self {
            colors: HashMap::new(),
            in_color: !plain && is_terminal,
            text: String::new(),
            printed: 0,
            mentions: Vec::new(),
            is_quiet,
            holds: !is_final && (is_quiet || !is_terminal),
        }
    }

    /// Prints what `stage` brings.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub(super) fn print(&mut self, stage: &Stage) -> Result<()> {
        match stage {
            Stage::Marked(image) => {
                let marks = image.allocation.marks.iter();
                self.colors
                    .extend(marks.map(|mark| (mark.id, mark.mark.color)));
                Ok(())
            }
            Stage::Round(number) if *number > 1 => {
                if !self.holds {
                    self.flush(self.text.len())?;
                    Output::Stdout.write(b"\n")?;
                }
                if !self.is_quiet {
                    eprintln!("som: the answer names marks that are not there; asking once more");
                }
                (self.text, self.printed) = (String::new(), 0);
                self.mentions.clear();
                Ok(())
            }
            Stage::Text(text) => {
                self.text.push_str(text);
                match self.in_color || self.holds {
                    true => Ok(()),
                    false => self.flush(self.text.len()),
                }
            }
            // They come in order, once the lines they stand in are complete.
            Stage::Mention(mention) => {
                self.mentions.push(mention.clone());
                match self.in_color && !self.holds {
                    true => self.flush(mention.span.end),
                    false => Ok(()),
                }
            }
            Stage::Regions(..) | Stage::Round(_) => Ok(()),
        }
    }

    /// Prints what is left of the answer that counts, and ends the line.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub(super) fn finish(&mut self, outcome: Option<&AskOutcome>) -> Result<()> {
        if self.holds {
            return outcome.map_or(Ok(()), |outcome| self.print_whole(outcome));
        }
        if let Some(outcome) = outcome
            && outcome.text == self.text
        {
            self.mentions.clone_from(&outcome.grounded.mentions);
        }
        self.flush(self.text.len())?;
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            Output::Stdout.write(b"\n")?;
        }
        if let Some(outcome) = outcome
            && outcome.text != self.text
            && !outcome.text.is_empty()
        {
            if !self.is_quiet {
                eprintln!("som: of several answers this one counts:");
            }
            self.print_whole(outcome)?;
        }
        Ok(())
    }

    /// Prints an answer of which nothing was printed.
    fn print_whole(&self, outcome: &AskOutcome) -> Result<()> {
        let mentions = &outcome.grounded.mentions;
        let mut text = painted(&outcome.text, mentions, |ids| self.color(ids));
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        Output::Stdout.write(text.as_bytes())
    }

    /// Prints up to `end`.
    fn flush(&mut self, end: usize) -> Result<()> {
        let start = self.printed.min(end);
        let mentions: Vec<Mention> = self
            .mentions
            .iter()
            .filter(|mention| mention.span.start >= start && mention.span.end <= end)
            .cloned()
            .map(|mut mention| {
                mention.span = mention.span.start - start..mention.span.end - start;
                mention
            })
            .collect();
        let text = painted(&self.text[start..end], &mentions, |ids| self.color(ids));
        self.printed = end;
        Output::Stdout.write(text.as_bytes())?;
        // Whoever watches sees it now; a closed pipe is told by the next write.
        let _ = io::stdout().flush();
        Ok(())
    }

    fn color(&self, ids: &[u32]) -> Option<Color> {
        let first = ids.first().filter(|_| self.in_color)?;
        self.colors.get(first).copied()
    }
}

/// `text` with its mentions in the colours that `color` gives.
fn painted(text: &str, mentions: &[Mention], color: impl Fn(&[u32]) -> Option<Color>) -> String {
    let mut painted = String::new();
    let mut end = 0;
    for mention in mentions {
        // What is denied or taken back does not light up.
        let Some(plate) = color(&mention.marks).filter(|_| mention.is_meant()) else {
            continue;
        };
        let (Color([r, g, b]), Color([ink, ..])) = (plate, plate.ink());
        painted.push_str(&text[end..mention.span.start]);
        painted.push_str(&format!(
            "\x1b[48;2;{r};{g};{b};38;2;{ink};{ink};{ink}m{}\x1b[0m",
            &text[mention.span.clone()]
        ));
        end = mention.span.end;
    }
    painted.push_str(&text[end..]);
    painted
}

/// The findings of a task, a line for each; `name` gives the label of a mark.
pub(crate) fn finding_lines(
    task: &Task,
    outcome: &AskOutcome,
    name: impl Fn(u32) -> String,
) -> Vec<String> {
    let names = |ids: &[u32]| match ids {
        [] => "none".to_owned(),
        ids => ids.iter().map(|&id| name(id)).collect::<Vec<_>>().join(" "),
    };
    let line = |(index, finding): (usize, &Finding)| {
        let marks = names(&finding.marks);
        let mut line = match (task, finding.of) {
            (Task::Describe { .. }, _) => format!("{marks}: {}", finding.text),
            (_, Some(of)) => format!("{}: {marks}", name(of)),
            (_, None) => format!("{}: {marks}", finding.text),
        };
        if finding.status != Status::Resolved {
            line.push_str(&format!(" ({})", finding.status.name().replace('_', " ")));
        }
        if let Some(matched) = finding.matched.filter(|matched| *matched != Match::Exact) {
            line.push_str(&format!(" ({})", matched.name()));
        }
        let consensus = outcome.consensus.as_ref();
        if let Some(share) = consensus.and_then(|consensus| consensus.findings.get(index)) {
            line.push_str(&format!(" {:.0}%", share * 100.0));
        }
        line
    };
    let findings = outcome.grounded.findings.iter().enumerate();
    findings.map(line).collect()
}

/// What is missing of an answer, if anything is.
pub(crate) fn ending(finish: &Finish, text: &str) -> Option<String> {
    match finish {
        Finish::Stop if text.trim().is_empty() => Some("the model gave an empty answer".to_owned()),
        finish => finish.shortfall(),
    }
}

/// The names of marks that an answer stands by, and that no mark has.
pub(crate) fn missing_marks(outcome: &AskOutcome) -> Vec<&str> {
    let mentions = outcome.grounded.mentions.iter();
    let named = mentions.filter(|mention| mention.is_meant() && mention.location.is_none());
    named
        .flat_map(|mention| mention.unresolved.iter().map(String::as_str))
        .collect()
}

/// What else there is to say of an answer.
pub(super) fn notes(outcome: &AskOutcome) -> Vec<String> {
    let mut notes: Vec<String> = ending(&outcome.finish, &outcome.text).into_iter().collect();
    notes.extend(outcome.cut_short.iter().cloned());
    if outcome.grounded.broke_off_in_thought() {
        notes.push(
            "the model thought, but did not answer: the answer broke off in its thoughts"
                .to_owned(),
        );
    }
    let missing = missing_marks(outcome);
    if !missing.is_empty() {
        notes.push(format!(
            "the answer names marks that are not there: {}",
            missing.join(", ")
        ));
    }
    if let Some(consensus) = &outcome.consensus {
        let shares = consensus.regions.iter().take(8).map(|region| {
            let percent = region.share * 100.0;
            format!("mark {}: {percent:.0}%", region.mark)
        });
        let shares: Vec<String> = shares.collect();
        notes.push(match shares.as_slice() {
            [] => "agreement: no answer means a region".to_owned(),
            shares => format!("agreement: {}", shares.join(", ")),
        });
    }
    if let Some(usage) = outcome.usage.filter(|usage| *usage != Usage::default()) {
        let (input, output) = (usage.input_tokens, usage.output_tokens);
        let cost = outcome.cost.map(|cost| format!(", ${cost:.4}"));
        notes.push(format!(
            "{}: {input} + {output} tokens{}",
            outcome.lmm.model,
            cost.unwrap_or_default()
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use som_core::ground::Polarity;

    use super::*;

    #[test]
    fn mentions_are_painted_in_the_colour_of_their_mark() {
        let mention = |span, marks: &[u32]| Mention {
            span,
            status: Status::Resolved,
            polarity: Polarity::Asserted,
            marks: marks.to_vec(),
            unresolved: Vec::new(),
            location: None,
        };
        let mentions = [mention(6..9, &[3]), mention(13..16, &[9])];
        let color = |ids: &[u32]| (ids == [3]).then_some(Color([255, 200, 0]));
        assert_eq!(
            painted("It is [3] or [9].", &mentions, color),
            "It is \x1b[48;2;255;200;0;38;2;0;0;0m[3]\x1b[0m or [9]."
        );
        assert_eq!(painted("plain", &[], color), "plain");
        let denied = Mention {
            polarity: Polarity::Denied,
            ..mention(4..7, &[3])
        };
        assert_eq!(painted("not [3]", &[denied], color), "not [3]");
    }
}
