//! A part of an answer → plain text: no tokens of chat templates, no fences, no escapes; HTML as
//! Markdown; characters of all scripts as plain ones.

use std::ops::Range;

use super::{
    Said,
    characters::{Plain, plain},
};

/// Tokens of chat templates that say nothing, as text that reached the content.
const TOKENS: [&str; 33] = [
    "<|im_end|>",
    "<|im_start|>assistant\n",
    "<|im_start|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|begin_of_text|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|start_header_id|>assistant<|end_header_id|>",
    "<|assistant|>",
    "<|user|>",
    "<|end|>",
    "<|return|>",
    "<|eos|>",
    "<end_of_turn>",
    "<turn|>",
    "<start_of_turn>model\n",
    "<|begin_of_solution|>",
    "<|end_of_solution|>",
    "<|START_RESPONSE|>",
    "<|END_RESPONSE|>",
    "<|END_OF_TURN_TOKEN|>",
    "<eos>",
    "<bos>",
    "<pad>",
    "</s>",
    "<s>",
    "[/INST]",
    "<|python_tag|>",
    "<｜end▁of▁sentence｜>",
    "<|observation|>",
    "<|begin_of_box|>\n",
    "[EOS]",
];

/// Other marks of form, and what they are in Markdown.
const MARKUP: [(&str, &str); 37] = [
    ("<br>", "\n"),
    ("<br/>", "\n"),
    ("<br />", "\n"),
    ("<ul>", ""),
    ("</ul>", ""),
    ("<ol>", ""),
    ("</ol>", ""),
    ("<li>", "\n- "),
    ("</li>", ""),
    ("<table>", ""),
    ("</table>", "\n"),
    ("<thead>", ""),
    ("</thead>", ""),
    ("<tbody>", ""),
    ("</tbody>", ""),
    ("<tr>", "\n|"),
    ("</tr>", ""),
    ("<td>", " "),
    ("</td>", " |"),
    ("<th>", " "),
    ("</th>", " |"),
    ("<b>", "**"),
    ("</b>", "**"),
    ("<strong>", "**"),
    ("</strong>", "**"),
    ("<em>", "*"),
    ("</em>", "*"),
    ("<i>", "*"),
    ("</i>", "*"),
    ("<del>", "~~"),
    ("</del>", "~~"),
    ("<code>", "`"),
    ("</code>", "`"),
    ("&nbsp;", " "),
    ("&quot;", "\""),
    ("&ndash;", "–"),
    ("&rarr;", "→"),
];

/// Writes what `part` of `answer` says into `said`.
pub(super) fn write(answer: &str, part: Range<usize>, said: &mut Said) {
    let mut writer = Writer {
        boxed: is_boxed(&answer[part.clone()]),
        answer: &answer[..part.end],
        at: part.start,
        begin: part.start,
        said,
        latex: Vec::new(),
        nested: false,
        markup: answer[part.clone()].contains('<'),
    };
    while writer.at < part.end {
        let (end, replaced) = writer.next();
        let span = writer.at..end;
        match replaced {
            Some(text) => writer.said.replace(&text, span),
            None => writer.said.copy(&answer[span.clone()], span.start),
        }
        writer.at = end;
    }
}

struct Writer<'a> {
    /// Up to the end of the part.
    answer: &'a str,
    at: usize,
    begin: usize,
    said: &'a mut Said,
    /// Open braces: true for those of a LaTeX command that was dropped.
    latex: Vec<bool>,
    /// Within a JSON text that is itself written as a string.
    nested: bool,
    markup: bool,
    /// Everything stands in one box for answers.
    boxed: bool,
}

/// What stands around an answer of GLM-V.
const BOX: [&str; 2] = ["<|begin_of_box|>", "<|end_of_box|>"];

/// True if one box for answers is around all of `part`.
fn is_boxed(part: &str) -> bool {
    let [open, close] = BOX;
    let inside = part
        .trim()
        .strip_prefix(open)
        .and_then(|rest| rest.strip_suffix(close));
    inside.is_some_and(|inside| !inside.contains("_of_box|>"))
}

type Step = (usize, Option<String>);

impl Writer<'_> {
    /// Where the next piece ends, and what stands in its place; `None` if it stays as it is.
    fn next(&mut self) -> Step {
        let rest = &self.answer[self.at..];
        let Some(c) = rest.chars().next() else {
            return (self.answer.len(), None);
        };
        let end = self.at + c.len_utf8();
        let special = match c {
            '<' | '[' if let Some(length) = token(rest) => Some((self.at + length, String::new())),
            '<' if self.boxed
                && let Some(tag) = BOX.iter().find(|tag| rest.starts_with(**tag)) =>
            {
                Some((self.at + tag.len(), String::new()))
            }
            '<' | '&' if self.markup || c == '&' => self.markup_at(rest),
            '`' => self.fence(rest),
            '\\' => self.backslash(rest),
            '{' => {
                if !self.latex.is_empty() {
                    self.latex.push(false);
                }
                None
            }
            '}' if self.latex.pop() == Some(true) => Some((end, String::new())),
            '"' => self.quote(rest),
            '\r' => {
                let text = if rest.starts_with("\r\n") { "" } else { "\n" };
                Some((end, text.to_owned()))
            }
            _ => None,
        };
        if let Some((end, text)) = special {
            return (end, Some(text));
        }
        let before = self.answer[self.begin..self.at].chars().next_back();
        match plain(c, before, rest[c.len_utf8()..].chars().next()) {
            Plain::Same => (end, None),
            Plain::Gone => (end, Some(String::new())),
            Plain::As(text) => (end, Some(text.to_owned())),
            Plain::Char(plain) => (end, Some(plain.to_string())),
            Plain::Number(number, open, close) => (end, Some(format!("{open}{number}{close}"))),
        }
    }

    fn markup_at(&self, rest: &str) -> Option<(usize, String)> {
        let (mark, text) = MARKUP.iter().find(|(mark, _)| {
            let head = rest.get(..mark.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(mark))
        })?;
        Some((self.at + mark.len(), (*text).to_owned()))
    }

    /// A fence of code, with the name of its language: ` ```json `.
    fn fence(&self, rest: &str) -> Option<(usize, String)> {
        let inside = rest.strip_prefix("```")?;
        let name = inside
            .bytes()
            .take_while(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
            .count();
        let named = inside[name..].starts_with(['\n', '\r', ' ', '{', '[']) || name == inside.len();
        let length = if named { name } else { 0 };
        Some((self.at + 3 + length, String::new()))
    }

    /// Escapes of Markdown, LaTeX and of JSON within a string.
    fn backslash(&mut self, rest: &str) -> Option<(usize, String)> {
        const COMMANDS: [&str; 7] = [
            "\\text{",
            "\\textbf{",
            "\\textit{",
            "\\mathrm{",
            "\\mathbf{",
            "\\mathit{",
            "\\operatorname{",
        ];
        let next = rest[1..].chars().next()?;
        if self.nested {
            let text = match next {
                '"' => "\"",
                '\\' => "\\",
                'n' => "\n",
                't' => " ",
                '/' => "/",
                _ => return None,
            };
            return Some((self.at + 2, text.to_owned()));
        }
        if let Some(command) = COMMANDS.iter().find(|command| rest.starts_with(**command)) {
            self.latex.push(true);
            return Some((self.at + command.len(), String::new()));
        }
        match next {
            '[' | ']' | '*' | '_' | '#' | '(' | ')' | '~' | '|' | '<' | '>' | '-' => {
                Some((self.at + 2, next.to_string()))
            }
            ',' | ';' | ' ' | '!' => Some((self.at + 2, " ".to_owned())),
            _ => None,
        }
    }

    /// The quotation mark around JSON that is written as a string: `"{\"marks\": [3]}"`.
    fn quote(&mut self, rest: &str) -> Option<(usize, String)> {
        if self.nested {
            self.nested = false;
            return Some((self.at + 1, String::new()));
        }
        let inside = rest[1..].strip_prefix(['{', '['])?;
        let inside = inside.trim_start_matches(['{', '[', ' ']);
        let inside = inside.strip_prefix("\\n").unwrap_or(inside).trim_start();
        self.nested = inside.starts_with("\\\"");
        self.nested.then(|| (self.at + 1, String::new()))
    }
}

/// The length of the token of a chat template that `rest` begins with.
fn token(rest: &str) -> Option<usize> {
    let token = TOKENS.iter().find(|token| rest.starts_with(**token))?;
    Some(token.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_form_become_plain() {
        let plain = |answer: &str| {
            let mut said = Said::default();
            write(answer, 0..answer.len(), &mut said);
            said.text
        };
        for (answer, expected) in [
            ("[3]<|im_end|>", "[3]"),
            ("<|begin_of_box|>1: a<|end_of_box|>", "1: a"),
            ("```json\n{\"mark\": 3}\n```", "\n{\"mark\": 3}\n"),
            ("`3`", "`3`"),
            ("\\[3\\]", "[3]"),
            ("\\boxed{\\text{Mark } 3}", "\\boxed{Mark  3}"),
            ("\\boxed{3}", "\\boxed{3}"),
            (
                "{\"a\": \"{\\\"marks\\\": [3]}\"}",
                "{\"a\": {\"marks\": [3]}}",
            ),
            ("<ul><li>[3]</li></ul>", "\n- [3]"),
            ("标记３，５。", "标记3, 5. "),
            ("٣ و ٥", "3 و 5"),
            ("3\u{fe0f}\u{20e3} cup", "3 cup"),
            ("a\r\nb\rc", "a\nb\nc"),
            ("[3\u{2011}5] [3\u{2212}5]", "[3-5] [3-5]"),
            ("isn\u{2019}t \u{201c}it\u{201d}", "isn't \"it\""),
        ] {
            assert_eq!(plain(answer), expected, "{answer}");
        }
    }
}
