use serde_json::{Value, json};

use super::Wire;

#[derive(Debug)]
pub(crate) struct Anthropic;

impl Wire for Anthropic {
    fn provider(&self) -> &'static str {
        "anthropic"
    }

    fn path(&self, _: bool) -> &'static str {
        "/v1/messages"
    }

    fn key(&self) -> (&'static str, &'static str) {
        ("x-api-key", "")
    }

    fn finishes(&self) -> (&'static str, &'static str) {
        ("end_turn", "max_tokens")
    }

    fn full(&self, schema: &Value) -> Value {
        json!({
            "model": "m", "max_tokens": 99, "temperature": 0.5, "stop_sequences": ["END"],
            "system": "Be brief.",
            "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
            "output_config": {"format": {"type": "json_schema", "schema": schema}},
            "stream": true,
        })
    }

    fn least(&self) -> &'static [&'static str] {
        &["max_tokens", "messages", "model"]
    }

    fn content<'a>(&self, body: &'a Value, turn: usize) -> &'a Value {
        &body["messages"][turn]["content"]
    }

    fn image<'a>(&self, part: &'a Value) -> (&'a str, &'a str) {
        let source = &part["source"];
        assert_eq!(part["type"], "image");
        assert_eq!(source["type"], "base64");
        (
            source["media_type"].as_str().unwrap(),
            source["data"].as_str().unwrap(),
        )
    }

    fn start(&self) -> Value {
        json!({"type": "message_start", "message": {"usage": {
            "input_tokens": 100, "cache_read_input_tokens": 20,
            "cache_creation_input_tokens": 3, "output_tokens": 1
        }}})
    }

    fn piece(&self, text: &str) -> Value {
        json!({"type": "content_block_delta", "index": 0, "delta": {
            "type": "text_delta", "text": text
        }})
    }

    fn end(&self, finish: &str) -> Vec<Value> {
        vec![
            json!({"type": "content_block_stop", "index": 0}),
            json!({
                "type": "message_delta",
                "delta": {"stop_reason": finish}, "usage": {"output_tokens": 7}
            }),
            json!({"type": "message_stop"}),
        ]
    }

    fn whole(&self, text: &str, finish: &str) -> Value {
        json!({
            "type": "message", "role": "assistant", "stop_reason": finish,
            "content": [{"type": "text", "text": text}],
            "usage": {
                "input_tokens": 100, "cache_read_input_tokens": 20,
                "cache_creation_input_tokens": 3, "output_tokens": 7
            }
        })
    }

    fn refusals(&self) -> Vec<(Value, &'static str)> {
        vec![(
            json!({"type": "message", "content": [], "stop_reason": "refusal"}),
            "the model declined",
        )]
    }

    fn error_body(&self, _: u16, message: &str) -> Value {
        json!({"type": "error", "error": {"type": "e", "message": message}})
    }

    fn busy(&self) -> Value {
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}})
    }
}
