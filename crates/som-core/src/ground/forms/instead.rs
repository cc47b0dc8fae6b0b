//! The name that a short answer says instead of one that it denies first: "not 3, 5"; and names that a comma
//! parts, and are no list: "its 6, 7 is her brother".

use super::{
    bare::{Bare, LONGEST},
    list::List,
};
use crate::ground::{
    names::{Names, skip},
    words::{self, Role},
};

impl Bare<'_> {
    /// "(Not 3,) 5": nothing but the name that is said instead of one that a short answer denies first.
    pub(super) fn is_said_instead(&self, list: &List) -> bool {
        let lead = self.text[..list.span.start].trim_start();
        lead.len() < LONGEST / 4 && self.ends_clause(list) && denied_first(lead, self.names)
    }

    /// Where the first of two names between `at` and `end` ends, if a denial stands right before it and
    /// the answer is nothing but these: "not 3, 5".
    pub(super) fn denied_alone(&self, at: usize, end: usize) -> Option<usize> {
        let first = self.names.name_at(self.text, at)?;
        let list = &self.text[first.end..end];
        const LEADS: [Role; 4] = [Role::Denies, Role::No, Role::Article, Role::Corrects];
        let denies = words::made_of(&self.text[..at], &LEADS)
            .is_some_and(|led| led.contains(&Role::Denies) || led.contains(&Role::No));
        let alone = self.text[end..]
            .trim_matches([' ', '.', '!', '\n'])
            .is_empty();
        let second = list.trim_start().strip_prefix(',').map(str::trim_start);
        let comma = second.is_some_and(|name| {
            let article = words::at(name, 0, Role::Article).unwrap_or(0);
            !name[article..].contains(char::is_alphabetic)
        });
        (denies && alone && comma).then_some(first.end)
    }

    /// Where the first of two names ends, if the other one begins a clause: "its 6, 7 is her brother".
    pub(super) fn begins_another(&self, at: usize, end: usize) -> Option<usize> {
        let first = self.names.name_at(self.text, at)?;
        let comma = self.text[first.end..end].trim_start().starts_with(',');
        let joined = self.text[first.end..end].contains(char::is_alphabetic);
        let verb = skip(self.text, end, |c| c == ' ');
        let is = words::at(self.text, verb, Role::Copula).is_some();
        let several = words::at(self.text, verb, Role::Plural).is_some();
        (comma && !joined && is && !several && verb > end - 1).then_some(first.end)
    }
}

/// True for "not 3, ": a denial, one name, and a sign behind it.
fn denied_first(lead: &str, names: &Names) -> bool {
    let mut rest = lead;
    let mut denies = false;
    while let Some(end) = [Role::Not, Role::No, Role::Denies, Role::Corrects]
        .iter()
        .find_map(|role| words::at(rest, 0, *role))
    {
        denies = true;
        rest = rest[end..].trim_start_matches([' ', ',']);
    }
    let article = |text: &str| words::at(text, 0, Role::Article).unwrap_or(0);
    let name = rest[article(rest)..].trim_start();
    let Some(name_end) = names.name_at(name, 0).map(|name| name.end) else {
        return false;
    };
    let behind = name[name_end..].trim_start_matches([',', '.', ';', '—', '–', ' ']);
    let article = words::at(behind, 0, Role::Article).unwrap_or(0);
    denies && behind.len() + name_end < name.len() && behind[article..].trim().is_empty()
}
