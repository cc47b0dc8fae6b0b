//! Secrets taken out of answers: a server may repeat what it was sent.

use som_core::{AnswerEvent, Finish};

use crate::secret::Secrets;

/// Passes an answer on without the secrets in it, wherever its pieces are cut.
pub(crate) struct Redactor<'a> {
    secrets: &'a Secrets,
    /// The end of the text so far, as far as a secret may begin in it.
    held: String,
}

impl<'a> Redactor<'a> {
    pub(crate) fn new(secrets: &'a Secrets) -> Self {
        Self {
            secrets,
            held: String::new(),
        }
    }

    /// What may be told once `event` is known.
    pub(crate) fn pass(&mut self, event: AnswerEvent) -> Vec<AnswerEvent> {
        match event {
            AnswerEvent::Delta(text) => {
                self.held.push_str(&text);
                let text = self.secrets.redact(&self.held);
                let (told, held) = text.split_at(self.secrets.beginning_in(&text));
                self.held = held.to_owned();
                delta(told.to_owned()).into_iter().collect()
            }
            AnswerEvent::Usage(_) | AnswerEvent::Waited(_) => vec![event],
            AnswerEvent::Done(finish) => {
                let rest = delta(std::mem::take(&mut self.held));
                let done = AnswerEvent::Done(self.redacted(finish));
                rest.into_iter().chain([done]).collect()
            }
        }
    }

    fn redacted(&self, finish: Finish) -> Finish {
        match finish {
            Finish::Refusal(why) => Finish::Refusal(self.secrets.redact(&why)),
            Finish::Partial(why) => Finish::Partial(self.secrets.redact(&why)),
            finish => finish,
        }
    }
}

fn delta(text: String) -> Option<AnswerEvent> {
    (!text.is_empty()).then_some(AnswerEvent::Delta(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::LmmSettings;

    #[test]
    fn a_secret_is_hidden_wherever_the_answer_is_cut() {
        let lmm = LmmSettings {
            api_key_env: Some("KEY".to_owned()),
            ..LmmSettings::default()
        };
        let secrets = Secrets::find(&lmm, "", &|_| Some("sk-abab-sk-abc".to_owned())).unwrap();
        let answer = "é sk-sk-abab-sk-abc, sk-abab and sk-abab-sk-ab";
        for step in 1..answer.chars().count() {
            let mut redactor = Redactor::new(&secrets);
            let chars: Vec<char> = answer.chars().collect();
            let deltas = chars.chunks(step).map(|piece| piece.iter().collect());
            let end = AnswerEvent::Done(Finish::Refusal("no sk-abab-sk-abc".to_owned()));
            let events = deltas.map(AnswerEvent::Delta).chain([end]);
            let told: Vec<AnswerEvent> = events.flat_map(|event| redactor.pass(event)).collect();
            let text: String = told
                .iter()
                .filter_map(|event| match event {
                    AnswerEvent::Delta(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect();
            assert_eq!(text, "é sk-[secret], sk-abab and sk-abab-sk-ab", "{step}");
            let refusal = Finish::Refusal("no [secret]".to_owned());
            assert_eq!(told.last(), Some(&AnswerEvent::Done(refusal)));
        }
    }
}
