//! Texts that consist of words which do nothing but lead to a name, follow it, or part two.

use super::{Role, at, words};

/// Which of `roles` the words of `text` have, if each word has one of them, or belongs to a longer
/// entry that does; `None` if any other word, or a number, is in it. What joins does nothing else:
/// "or" is no doubt.
pub(crate) fn made_of(text: &str, roles: &[Role]) -> Option<Vec<Role>> {
    let mut found = Vec::new();
    let mut passed = 0;
    for word in words(text) {
        let has = roles
            .iter()
            .filter_map(|role| Some((at(text, word.start, *role)?, *role)));
        let has: Vec<(usize, Role)> = has.collect();
        let end = has.iter().map(|(end, _)| *end).max().unwrap_or(0);
        passed = passed.max(end);
        if word.start >= passed {
            return None;
        }
        let joins = has.contains(&(end, Role::Joins));
        let kept = has.iter().map(|(_, role)| *role);
        found.extend(kept.filter(|role| !joins || *role == Role::Joins));
    }
    Some(found)
}

/// True if `text` says nothing, or nothing but words of `roles`.
pub(crate) fn is_made_of(text: &str, roles: &[Role]) -> bool {
    made_of(text, roles).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_a_role() {
        let roles = [Role::Opinion, Role::Pronoun, Role::Copula];
        let found = made_of("i think it's", &roles).unwrap_or_default();
        assert!(found.contains(&Role::Opinion) && found.contains(&Role::Copula));
        assert!(is_made_of(" — ", &roles));
        assert!(!is_made_of("i think the cup is", &roles));
        assert!(!is_made_of("it's 3", &roles));
    }
}
