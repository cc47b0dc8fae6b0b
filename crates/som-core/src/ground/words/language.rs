//! What a row of the table of words holds.

/// What a language says things with. Every field is a list with commas between.
pub(super) struct Language {
    /// ISO 639-1.
    #[cfg_attr(not(test), expect(dead_code, reason = "names the row"))]
    pub(super) code: &'static str,
    /// Before names of marks: "mark", "region".
    pub(super) announces: &'static str,
    /// Those that do so only where something else speaks of marks, or a name is all that is said:
    /// "number", "option".
    pub(super) weak: &'static str,
    /// What is called by the name of its mark, if that stands right behind: "button 8".
    pub(super) things: &'static str,
    /// Behind names of marks: "番".
    pub(super) counts: &'static str,
    /// Before what the answer comes down to.
    pub(super) answers: &'static str,
    /// Something is not there.
    pub(super) none: &'static str,
    /// Denies what follows.
    pub(super) denies: &'static str,
    /// Denies what stands before.
    pub(super) denies_behind: &'static str,
    /// Looks like a denial, and is none: "not only".
    pub(super) keeps: &'static str,
    pub(super) joins: &'static str,
    pub(super) ranges: &'static str,
    /// Ends what a denial reaches: "but".
    pub(super) contrasts: &'static str,
    /// Takes back what was said: "wait".
    pub(super) corrects: &'static str,
    /// Before or behind one of those that a word for none or all speaks of: "including".
    pub(super) includes: &'static str,
    pub(super) excepts: &'static str,
    pub(super) excepts_behind: &'static str,
    pub(super) compares: &'static str,
    /// What follows is named to say where something is.
    pub(super) beside: &'static str,
    /// What stands before is.
    pub(super) beside_behind: &'static str,
    /// Between a mark and what it is.
    pub(super) is: &'static str,
    pub(super) both: &'static str,
    pub(super) neither: &'static str,
    /// "Respectively".
    pub(super) each: &'static str,
    /// "First", "second", …: words for one place with bars between.
    pub(super) ordinals: &'static str,
    /// Begins a reason, or what else there is to say.
    pub(super) because: &'static str,
    pub(super) articles: &'static str,
    pub(super) hedges: &'static str,
    pub(super) alls: &'static str,
    /// "At first": what is said so may be taken back.
    pub(super) tentative: &'static str,
    /// "My earlier answer": what follows is no longer meant.
    pub(super) retracts: &'static str,
    /// Answers a question: "yes".
    pub(super) affirms: &'static str,
    /// Between a word that announces and its names: "marks *from* 2 to 5".
    pub(super) fills: &'static str,
    /// What was in one picture is not in the next: "occluded".
    pub(super) leaves: &'static str,
    /// Between a mark and what it became: "is *now* 5".
    pub(super) now: &'static str,
    /// Between a thing and the mark it is, and nothing else: "is", not "shows".
    pub(super) copulas: &'static str,
    /// What numbers are said of that count or measure: "there are", "price".
    pub(super) measures: &'static str,
    /// Before what is chosen: "click on".
    pub(super) selects: &'static str,
    /// Before what something is not, behind what it is: "rather than".
    pub(super) instead: &'static str,
    /// Begins what is granted and does not decide: "although".
    pub(super) concedes: &'static str,
    /// Behind a mark that comes near and is not meant: "is merely".
    pub(super) dismisses: &'static str,
    /// Stands for what was named before: "it".
    pub(super) pronouns: &'static str,
    /// Between a mark and what it became: "has moved to".
    pub(super) becomes: &'static str,
    /// Articles of what is known already: "the".
    pub(super) definites: &'static str,
    /// Before what alone is meant: "only".
    pub(super) only: &'static str,
    /// Behind a mark that is granted to be alike: "looks similar", "also has".
    pub(super) resembles: &'static str,
    /// Before the numbers of a box: "bounding box", "coordinates".
    pub(super) boxes: &'static str,
    /// Before those of a point: "click", "centre".
    pub(super) points: &'static str,
    /// Before those of a polygon: "contour".
    pub(super) polygons: &'static str,
    /// Before what is not exact: "approximately".
    pub(super) about: &'static str,
    /// Before where something is: "at".
    pub(super) at: &'static str,
    /// Before the first of two corners: "spans".
    pub(super) spans: &'static str,
    /// Behind a thing that is told from what has it: "itself".
    pub(super) itself: &'static str,
    /// Before the mark that something has: "labelled".
    pub(super) bears: &'static str,
    /// What nothing but marks is called: "mark", "label".
    pub(super) nouns: &'static str,
    /// Joins what is denied: "nor".
    pub(super) nor: &'static str,
    /// "One", "two", …: words for one number with bars between.
    pub(super) numbers: &'static str,
    /// Beside a range whose ends belong to it.
    pub(super) inclusive: &'static str,
    /// Before the answer, with a colon: "A: 3".
    pub(super) replies: &'static str,
    /// Before what is left when the others are ruled out: "leaves".
    pub(super) remains: &'static str,
    /// Before the two ends of a range: "between 3 and 6".
    pub(super) between: &'static str,
    /// Before a word for marks: "every", "each".
    pub(super) every: &'static str,
    /// "To" of "to the left of".
    pub(super) towards: &'static str,
    /// Before what is so, behind what is not: "but".
    pub(super) but: &'static str,
    /// Before what something lacks, not what it is not.
    pub(super) without: &'static str,
    /// Before a name of which there is none.
    pub(super) no: &'static str,
    /// "Not", and nothing else.
    pub(super) negates: &'static str,
    /// Behind a number that counts: "of".
    pub(super) of: &'static str,
    /// Stands for none of those that were named.
    pub(super) no_one: &'static str,
    /// Behind a number that measures: "km".
    pub(super) units: &'static str,
    /// Verbs that say something of several: "are".
    pub(super) plurals: &'static str,
    /// Words that name the end of a range, and never where something is moved to: "through".
    pub(super) up_to: &'static str,
    /// Verbs that move one thing to another: "drag".
    pub(super) moves: &'static str,
    /// What is thought, and how surely: "i think", "for sure".
    pub(super) opinions: &'static str,
    /// Before what gives a reason, and nothing else: "since".
    pub(super) reasons: &'static str,
    /// Before "the number 3", of what has it: "bears".
    pub(super) carries: &'static str,
    /// Between a number and what it is the mark of: "marks".
    pub(super) designates: &'static str,
    /// Before what something is called, and no part of it: "probably", "a picture of".
    pub(super) leads: &'static str,
    /// Behind what something is called, begins what else there is to say of it: "which".
    pub(super) remarks: &'static str,
    /// Behind what something is called, leads on to the next mark: "the mark".
    pub(super) trails: &'static str,
    /// What a name ends with where the verb stands behind it: "です". Ends of words, not words.
    pub(super) endings: &'static str,
    /// Before what something is, where it was called something else: "it's", "rather".
    pub(super) renames: &'static str,
    /// Before what is chosen, besides verbs: "(go) with".
    pub(super) picks: &'static str,
    /// What people write who wrote something else before: "meant", "typo".
    pub(super) slips: &'static str,
    /// Ends a clause about what is no longer there: "left".
    pub(super) departs: &'static str,
    /// Before a thing that is told from what it was taken for: "actual".
    pub(super) genuine: &'static str,
    /// Stands for what was named before, said of another thing: "the same one".
    pub(super) sames: &'static str,
    /// Between a mark and what it is given for: "2 *for* the lamp".
    pub(super) fors: &'static str,
    /// Says nothing of what a thing is: "it", "probably".
    pub(super) vague: &'static str,
    /// May stand between a thing and its mark, besides verbs: "located at".
    pub(super) ties: &'static str,
    /// Begins a noun phrase, besides articles: "each".
    pub(super) determiners: &'static str,
    /// Says that no picture was seen, and nothing of what is in it.
    pub(super) blind: &'static str,
    /// Plurals that do not end in s: "people".
    pub(super) crowds: &'static str,
    /// Words in s that count nothing: "has".
    pub(super) singulars: &'static str,
    /// Stands where a name would, and is none: "unknown", "no idea".
    pub(super) blanks: &'static str,
}

/// A language that says nothing: what a language of the table leaves out.
pub(super) const SILENT: Language = Language {
    code: "",
    announces: "",
    weak: "",
    things: "",
    counts: "",
    answers: "",
    none: "",
    denies: "",
    denies_behind: "",
    keeps: "",
    joins: "",
    ranges: "",
    contrasts: "",
    corrects: "",
    includes: "",
    excepts: "",
    excepts_behind: "",
    compares: "",
    beside: "",
    beside_behind: "",
    is: "",
    both: "",
    neither: "",
    each: "",
    ordinals: "",
    because: "",
    articles: "",
    hedges: "",
    alls: "",
    tentative: "",
    retracts: "",
    affirms: "",
    fills: "",
    leaves: "",
    now: "",
    copulas: "",
    measures: "",
    selects: "",
    instead: "",
    concedes: "",
    dismisses: "",
    pronouns: "",
    becomes: "",
    definites: "",
    only: "",
    resembles: "",
    boxes: "",
    points: "",
    polygons: "",
    about: "",
    at: "",
    spans: "",
    itself: "",
    bears: "",
    nouns: "",
    nor: "",
    numbers: "",
    inclusive: "",
    replies: "",
    remains: "",
    between: "",
    every: "",
    towards: "",
    but: "",
    without: "",
    no: "",
    negates: "",
    of: "",
    no_one: "",
    units: "",
    plurals: "",
    up_to: "",
    moves: "",
    opinions: "",
    reasons: "",
    carries: "",
    designates: "",
    leads: "",
    remarks: "",
    trails: "",
    endings: "",
    renames: "",
    picks: "",
    slips: "",
    departs: "",
    genuine: "",
    sames: "",
    fors: "",
    singulars: "",
    crowds: "",
    blind: "",
    determiners: "",
    ties: "",
    vague: "",
    blanks: "",
};
