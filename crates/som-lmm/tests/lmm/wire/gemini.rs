use serde_json::{Value, json};

use super::Wire;

#[derive(Debug)]
pub(crate) struct Gemini;

impl Wire for Gemini {
    fn provider(&self) -> &'static str {
        "gemini"
    }

    fn path(&self, stream: bool) -> &'static str {
        match stream {
            true => "/v1/models/m:streamGenerateContent?alt=sse",
            false => "/v1/models/m:generateContent",
        }
    }

    fn key(&self) -> (&'static str, &'static str) {
        ("x-goog-api-key", "")
    }

    fn finishes(&self) -> (&'static str, &'static str) {
        ("STOP", "MAX_TOKENS")
    }

    fn full(&self, schema: &Value) -> Value {
        json!({
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
            "generationConfig": {
                "maxOutputTokens": 99, "temperature": 0.5, "seed": 7, "stopSequences": ["END"],
                "responseMimeType": "application/json", "responseJsonSchema": schema
            },
        })
    }

    fn least(&self) -> &'static [&'static str] {
        &["contents", "generationConfig"]
    }

    fn content<'a>(&self, body: &'a Value, turn: usize) -> &'a Value {
        &body["contents"][turn]["parts"]
    }

    fn image<'a>(&self, part: &'a Value) -> (&'a str, &'a str) {
        let data = &part["inlineData"];
        (
            data["mimeType"].as_str().unwrap(),
            data["data"].as_str().unwrap(),
        )
    }

    fn start(&self) -> Value {
        json!({"candidates": [{"content": {"parts": [{"text": "hm", "thought": true}]}}]})
    }

    fn piece(&self, text: &str) -> Value {
        json!({"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}}]})
    }

    fn end(&self, finish: &str) -> Vec<Value> {
        vec![json!({
            "candidates": [{"finishReason": finish}],
            "usageMetadata": {
                "promptTokenCount": 123, "candidatesTokenCount": 5, "thoughtsTokenCount": 2,
                "cachedContentTokenCount": 20
            }
        })]
    }

    fn whole(&self, text: &str, finish: &str) -> Value {
        json!({
            "candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": finish}],
            "usageMetadata": {
                "promptTokenCount": 123, "candidatesTokenCount": 7, "cachedContentTokenCount": 20
            }
        })
    }

    fn refusals(&self) -> Vec<(Value, &'static str)> {
        vec![
            (
                json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}),
                "the prompt was blocked: PROHIBITED_CONTENT",
            ),
            (
                json!({"candidates": [{"finishReason": "SAFETY"}]}),
                "it was stopped: SAFETY",
            ),
        ]
    }

    fn error_body(&self, status: u16, message: &str) -> Value {
        json!({"error": {"code": status, "message": message, "status": "E"}})
    }
}
