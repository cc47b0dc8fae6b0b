//! What words do.

/// What a word does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Role {
    Announces,
    Weak,
    Thing,
    Counts,
    Answers,
    None,
    Denies,
    DeniesBehind,
    Keeps,
    Joins,
    Ranges,
    Contrasts,
    Corrects,
    Includes,
    Excepts,
    ExceptsBehind,
    Compares,
    Beside,
    BesideBehind,
    Is,
    Both,
    Neither,
    Each,
    /// Its place, from 0.
    Ordinal(u8),
    Because,
    Article,
    Hedges,
    All,
    Tentative,
    Retracts,
    Affirms,
    Fills,
    Leaves,
    Now,
    Copula,
    Measures,
    Selects,
    Instead,
    Concedes,
    Dismisses,
    Pronoun,
    Becomes,
    Definite,
    Only,
    Resembles,
    Box,
    Point,
    Polygon,
    About,
    At,
    Spans,
    Itself,
    Bears,
    Mark,
    Nor,
    Inclusive,
    Replies,
    Remains,
    Between,
    Every,
    Toward,
    But,
    Without,
    No,
    Not,
    Of,
    NoOne,
    Unit,
    Plural,
    UpTo,
    Moves,
    Opinion,
    Reason,
    Carries,
    Designates,
    Leads,
    Remarks,
    Trails,
    Renames,
    Picks,
    Slips,
    Departs,
    Genuine,
    Same,
    For,
    Singular,
    Crowd,
    Blind,
    Determiner,
    Ties,
    Vague,
    Blank,
    /// What it counts, from 1.
    Number(u8),
}

impl Role {
    /// True for words that name a thing, besides doing something.
    pub(crate) const fn names_thing(self) -> bool {
        self.is_around_name()
            || matches!(
                self,
                Self::Box
                    | Self::Point
                    | Self::Polygon
                    | Self::Spans
                    | Self::Itself
                    | Self::Remains
                    | Self::Unit
                    | Self::Number(_)
            )
    }

    /// True for what is only looked for around the name of a thing, and says nothing of marks.
    pub(crate) const fn is_around_name(self) -> bool {
        matches!(
            self,
            Self::Weak
                | Self::Thing
                | Self::Leads
                | Self::Remarks
                | Self::Trails
                | Self::Renames
                | Self::Picks
                | Self::Slips
                | Self::Departs
                | Self::Genuine
                | Self::Same
                | Self::For
                | Self::Singular
                | Self::Crowd
                | Self::Blind
                | Self::Determiner
                | Self::Ties
                | Self::Vague
                | Self::Blank
        )
    }
}
