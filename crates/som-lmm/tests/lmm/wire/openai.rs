use serde_json::{Value, json};

use super::Wire;

#[derive(Debug)]
pub(crate) struct OpenAi;

impl Wire for OpenAi {
    fn provider(&self) -> &'static str {
        "openai-compatible"
    }

    fn path(&self, _: bool) -> &'static str {
        "/v1/chat/completions"
    }

    fn key(&self) -> (&'static str, &'static str) {
        ("authorization", "Bearer ")
    }

    fn finishes(&self) -> (&'static str, &'static str) {
        ("stop", "length")
    }

    fn full(&self, schema: &Value) -> Value {
        json!({
            "model": "m", "max_tokens": 99, "temperature": 0.5, "seed": 7, "stop": ["END"],
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "hi"}
            ],
            "response_format": {"type": "json_schema", "json_schema": {
                "name": "marks", "strict": true, "schema": schema
            }},
            "stream": true, "stream_options": {"include_usage": true},
        })
    }

    fn least(&self) -> &'static [&'static str] {
        &["max_tokens", "messages", "model"]
    }

    fn content<'a>(&self, body: &'a Value, turn: usize) -> &'a Value {
        &body["messages"][turn]["content"]
    }

    fn image<'a>(&self, part: &'a Value) -> (&'a str, &'a str) {
        let url = part["image_url"]["url"].as_str().unwrap();
        let url = url.strip_prefix("data:").unwrap();
        url.split_once(";base64,").unwrap()
    }

    fn start(&self) -> Value {
        json!({"choices": [{"delta": {"role": "assistant", "content": ""}, "finish_reason": null}]})
    }

    fn piece(&self, text: &str) -> Value {
        json!({"choices": [{"delta": {"content": text}, "finish_reason": null}]})
    }

    fn end(&self, finish: &str) -> Vec<Value> {
        vec![
            json!({"choices": [{"delta": {}, "finish_reason": finish}]}),
            json!({"choices": [], "usage": {
                "prompt_tokens": 123, "completion_tokens": 7,
                "prompt_tokens_details": {"cached_tokens": 20}
            }}),
        ]
    }

    fn mark_of_the_end(&self) -> &'static str {
        "data: [DONE]\n\n"
    }

    fn whole(&self, text: &str, finish: &str) -> Value {
        json!({
            "choices": [{
                "message": {"role": "assistant", "content": text}, "finish_reason": finish
            }],
            "usage": {
                "prompt_tokens": 123, "completion_tokens": 7,
                "prompt_tokens_details": {"cached_tokens": 20}
            }
        })
    }

    fn refusals(&self) -> Vec<(Value, &'static str)> {
        let choice = |message: Value, finish: &str| json!({"choices": [{"message": message, "finish_reason": finish}]});
        vec![
            (
                choice(
                    json!({"content": null, "refusal": "I cannot help."}),
                    "stop",
                ),
                "I cannot help.",
            ),
            (
                choice(json!({"content": ""}), "content_filter"),
                "the content filter stopped it",
            ),
        ]
    }

    fn error_body(&self, _: u16, message: &str) -> Value {
        json!({"error": {"message": message, "type": "e", "code": null}})
    }
}
