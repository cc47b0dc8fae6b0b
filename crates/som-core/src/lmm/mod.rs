//! prompt → answer: what is asked, what is answered, and who answers.

mod answer;
mod images;
mod prompt;
mod provider;
mod view;

pub use self::{
    answer::{Answer, AnswerEvent, Finish, Usage},
    images::ImagePolicy,
    prompt::{AnswerSchema, Notes, Part, Prompt, PromptImage, RegionNote, Role, Turn},
    provider::{AnswerStream, Draft, LmmProvider, Prices, ProviderInfo},
    view::View,
};
