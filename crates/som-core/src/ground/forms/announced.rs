//! A word that announces names, and where they may follow: "mark 3", "the answer is 3", "标记3".

use super::starts_with_digit;
use crate::ground::{
    names::skip,
    words::{self, Role},
};

/// Signs and abbreviations that may stand between a keyword and its names, besides words.
const FILLERS: [&str; 6] = ["is:", "are:", "no. ", "nr. ", "n. ", "s "];

/// If a keyword starts at `at`: the word, and where names may follow.
pub(super) fn keyword_end(text: &str, at: usize) -> Option<(&str, usize)> {
    /// More words between a keyword and its names are something else.
    const MOST: usize = 5;
    let end = words::at(text, at, Role::Announces)
        .or_else(|| glued_end(text, at))
        .or_else(|| thing_end(text, at))?;
    let word = &text[at..end];
    let unspaced = word.ends_with(words::is_unspaced);
    let gap = |c: char| matches!(c, ' ' | ':' | '=' | '*' | '`' | '"' | '\'' | '_');
    if let Some(rest) = text[end..].strip_prefix("(s)") {
        let after = text.len() - rest.len();
        return Some((word, skip(text, after, gap)));
    }
    let abbreviated = matches!(
        word.to_lowercase().as_str(),
        "no" | "nr" | "nro" | "núm" | "num" | "n"
    );
    if abbreviated {
        let rest = text[end..].trim_start_matches(['°', 'º', '.', ':']);
        let marked = rest.len() < text.len() - end;
        let next = rest.trim_start_matches([' ', '*']);
        // "No. 3" and "Nr 3" name; "no 3" does not.
        let names = next.starts_with(|c: char| c.is_ascii_digit());
        let spaced = word.len() > 1 && !word.eq_ignore_ascii_case("no");
        return (names && (marked || spaced)).then(|| (word, text.len() - next.len()));
    }
    let mut next = end;
    // "Answer – 3", "Answer -> 3"
    if words::at(word, 0, Role::Answers) == Some(word.len()) {
        let dashed = |c: char| matches!(c, ' ' | '–' | '—' | '-' | '>' | '→');
        let behind = skip(text, end, dashed);
        if text[end..behind].contains(['–', '—', '>', '→']) || text[end..behind].contains(" - ")
        {
            next = behind;
        }
    }
    for _ in 0..MOST {
        next = skip(text, next, gap);
        let rest = &text[next..];
        if next > end || unspaced {
            if let Some(filler) = FILLERS.iter().find(|filler| rest.starts_with(**filler)) {
                next += filler.len();
                continue;
            }
            let fillers = [Role::Is, Role::Announces, Role::Fills];
            let fillers = fillers.map(|role| words::at(text, next, role));
            let filler = fillers.into_iter().flatten().filter(|&end| {
                let after = text[end..].chars().next();
                let glued = text[..end].ends_with(words::is_unspaced);
                // מסומן ב-8
                let hyphen = !text[..end].ends_with(|c: char| c.is_ascii())
                    && text[end..].starts_with('-')
                    && starts_with_digit(text, end + 1);
                glued
                    || hyphen
                    || after.is_some_and(|c| matches!(c, ' ' | ':' | '*' | '(' | '#' | '.' | '№'))
            });
            if let Some(filler) = filler.max() {
                let dot = text[filler..].strip_prefix(". ").map_or(0, |_| 2);
                next = filler + dot;
                continue;
            }
        }
        break;
    }
    next = skip(text, next, gap);
    if next > end && text[next..].starts_with('-') && !text[..next].is_ascii() {
        next += usize::from(starts_with_digit(text, next + 1) && !text[..next].ends_with(' '));
    }
    if let Some(shown) = described(text, next, word) {
        next = shown;
    }
    if next > end {
        return Some((word, next));
    }
    // Mark-3, mark3, 标记3
    let digit = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    let rest = &text[end..];
    if let Some(after) = rest.strip_prefix('-').filter(|after| digit(after)) {
        return Some((word, text.len() - after.len()));
    }
    let glued = |c: char| c == '#' || c.is_ascii_uppercase();
    // "标记三"
    let spelled = || words::number_at(text, end).is_some();
    (digit(rest) || unspaced && (rest.starts_with(glued) || spelled())).then_some((word, end))
}

/// "Tagged with a small 4": where the number begins behind an article and what it looks like.
fn described(text: &str, at: usize, word: &str) -> Option<usize> {
    if words::at(word, 0, Role::Bears) != Some(word.len()) {
        return None;
    }
    let article = words::at(text, at, Role::Article)?;
    // "Marked with the letter H"
    let noun = skip(text, article, |c| c == ' ');
    if let Some(letter) = words::at(text, noun, Role::Announces)
        && text[letter..].starts_with(' ')
    {
        return Some(skip(text, letter, |c| matches!(c, ' ' | '"' | '*')));
    }
    let look = skip(text, article, |c| c == ' ');
    let end = skip(text, look, |c| c.is_ascii_lowercase());
    let number = skip(text, end, |c| matches!(c, ' ' | '"' | '*'));
    (number > article && starts_with_digit(text, number)).then_some(number)
}

/// The end of "button" in "button 8".
fn thing_end(text: &str, at: usize) -> Option<usize> {
    let end = words::at(text, at, Role::Thing)?;
    let next = text[end..].strip_prefix(' ')?;
    next.starts_with(|c: char| c.is_ascii_digit())
        .then_some(end)
}

/// The end of a keyword with its number right behind it: "mark3".
fn glued_end(text: &str, at: usize) -> Option<usize> {
    /// No keyword is longer, in bytes.
    const LONGEST: usize = 32;
    let near = &text[at..text.floor_char_boundary(at + LONGEST)];
    let letters = near.find(|c: char| !c.is_alphabetic())?;
    let digit = near[letters..].starts_with(|c: char| c.is_ascii_digit());
    let word = &near[..letters];
    let end = words::at(word, 0, Role::Announces).filter(|_| digit)?;
    Some(at + end)
}
