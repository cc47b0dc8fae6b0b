//! The sentences in which class names are read.

/// The 81 templates over which X-Decoder, and SEEM and OpenSeeD after it, average a class; `{}`
/// stands for its name. In the order of `utils/prompt_engineering.py` of OpenSeeD, which is that of
/// the others, too.
pub fn templates() -> impl Iterator<Item = &'static str> + Clone {
    include_str!("templates.txt").lines()
}
