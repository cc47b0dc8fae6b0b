//! The words of answers, a file for each language: what announces a mark, denies it, means none.
//!
//! Each entry is a list with commas between. A word that ends in `*` goes on as it likes ("метк*").
//! Scripts without spaces (Chinese, Japanese, Korean) are looked for within words, others at their
//! edges. All in lower case.

mod arabic;
mod chinese;
mod dutch;
mod english;
mod french;
mod german;
mod hebrew;
mod hindi;
mod italian;
mod japanese;
mod korean;
mod polish;
mod portuguese;
mod russian;
mod spanish;
mod turkish;
mod ukrainian;
mod vietnamese;

use super::language::Language;

pub(super) static TABLE: [Language; 18] = [
    english::ENGLISH,
    german::GERMAN,
    french::FRENCH,
    spanish::SPANISH,
    portuguese::PORTUGUESE,
    italian::ITALIAN,
    dutch::DUTCH,
    polish::POLISH,
    russian::RUSSIAN,
    ukrainian::UKRAINIAN,
    turkish::TURKISH,
    arabic::ARABIC,
    hebrew::HEBREW,
    hindi::HINDI,
    chinese::CHINESE,
    japanese::JAPANESE,
    korean::KOREAN,
    vietnamese::VIETNAMESE,
];
