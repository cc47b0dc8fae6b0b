//! What an LMM answers: a stream of events, and what they add up to.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum AnswerEvent {
    /// So long nobody was asked: the limit of requests a minute, or a pause that the far side wanted.
    Waited(Duration),
    /// More text.
    Delta(String),
    /// What the request has cost so far; a later one replaces an earlier one.
    Usage(Usage),
    /// The end.
    Done(Finish),
}

/// Tokens that a request took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Of the prompt, images included.
    pub input_tokens: u64,
    /// Of the answer, thinking included.
    pub output_tokens: u64,
    /// Of the prompt, those that the far side had kept from an earlier request.
    pub cached_tokens: u64,
}

/// How an answer ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It is complete.
    Stop,
    /// It reached the most tokens it could have.
    Length,
    /// The model or its provider declined, for this reason.
    Refusal(String),
    /// It broke off, for this reason; what came before is kept.
    Partial(String),
}

impl Finish {
    /// In a word: `stop`, `length`, `refusal` or `partial`.
    pub const fn name(&self) -> &'static str {
        match self {
            Finish::Stop => "stop",
            Finish::Length => "length",
            Finish::Refusal(_) => "refusal",
            Finish::Partial(_) => "partial",
        }
    }

    /// Why it is not complete, where that was told.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Finish::Stop | Finish::Length => None,
            Finish::Refusal(why) | Finish::Partial(why) => Some(why),
        }
    }

    /// For people: what keeps it from being complete; `None` if it is.
    pub fn shortfall(&self) -> Option<String> {
        match self {
            Finish::Stop => None,
            Finish::Length => Some("the answer was cut at the token limit".to_owned()),
            Finish::Refusal(why) => Some(format!("the model declined: {why}")),
            Finish::Partial(why) => Some(format!("the answer is not complete: {why}")),
        }
    }
}

/// An answer as far as it has come in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Its text.
    pub text: String,
    /// What it took; `None` if the provider does not say.
    pub usage: Option<Usage>,
    /// How it ended; `None` while it has not.
    pub finish: Option<Finish>,
    /// How long nobody was asked meanwhile; of an answer on file nothing.
    #[serde(skip)]
    pub waited: Duration,
}

impl Answer {
    /// Takes in the next event.
    pub fn add(&mut self, event: AnswerEvent) {
        match event {
            AnswerEvent::Waited(time) => self.waited += time,
            AnswerEvent::Delta(text) => self.text.push_str(&text),
            AnswerEvent::Usage(usage) => self.usage = Some(usage),
            AnswerEvent::Done(finish) => self.finish = Some(finish),
        }
    }

    /// True if it ended by itself, and nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.finish == Some(Finish::Stop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_in_words() {
        let why = || "it was cut off".to_owned();
        let told = |finish: Finish| {
            let json = serde_json::to_value(&finish).unwrap();
            // The name is that of the JSON.
            assert!(json == finish.name() || json.get(finish.name()).is_some());
            (
                finish.reason().map(str::to_owned),
                finish.shortfall().unwrap_or_default(),
            )
        };
        assert_eq!(told(Finish::Stop), (None, String::new()));
        let (reason, shortfall) = told(Finish::Length);
        assert_eq!(reason, None);
        assert_eq!(shortfall, "the answer was cut at the token limit");
        let (reason, shortfall) = told(Finish::Refusal(why()));
        assert_eq!(reason, Some(why()));
        assert_eq!(shortfall, "the model declined: it was cut off");
        let (_, shortfall) = told(Finish::Partial(why()));
        assert_eq!(shortfall, "the answer is not complete: it was cut off");
    }
}
