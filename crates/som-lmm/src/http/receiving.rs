//! An answer that comes in: bytes → messages → events.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use reqwest::{
    Response,
    header::{CONTENT_TYPE, HeaderMap},
};
use serde_json::Value;
use som_core::{AnswerEvent, AnswerStream, Error, ErrorKind, Finish, Result};

use super::{
    deadline::Deadline,
    sse::Events,
    transport::{Transport, is_page},
};
use crate::{
    dialect::{Dialect, Failure, Reading},
    secret::Secrets,
};

/// Bytes of a whole answer beside its text.
const AROUND_TEXT: usize = 1 << 20;

/// What events begin with: a field, or a comment.
const FIELDS: [&[u8]; 5] = [b"data:", b"event:", b"id:", b"retry:", b":"];

/// What some servers put before their text.
const BOM: &[u8] = "\u{feff}".as_bytes();

/// Who answers, and how that is read.
#[derive(Clone, Copy)]
pub(super) struct Peer<'a> {
    /// The model's name in the settings.
    pub(super) name: &'a str,
    pub(super) secrets: &'a Secrets,
    pub(super) dialect: &'a dyn Dialect,
    pub(super) transport: &'a Transport,
    /// Most bytes of the answer's text.
    pub(super) max_bytes: usize,
}

/// An answer that comes in.
pub(super) struct Receiving<'a> {
    peer: Peer<'a>,
    deadline: Deadline<'a>,
    headers: HeaderMap,
    body: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    form: Form,
    reading: Reading,
    /// The latest message, for the case that it is no answer.
    last: Option<String>,
    is_done: bool,
}

/// How the answer is sent.
enum Form {
    /// Nothing but blanks has come in so far.
    Unknown,
    /// In pieces.
    Events(Events),
    /// As one JSON text, or one for each piece; the bytes are kept.
    Whole(Vec<u8>),
}

impl Form {
    /// That of a body that begins with `bytes`: many servers give it no type of content, or a
    /// wrong one.
    fn of(bytes: &[u8], headers: &HeaderMap) -> Self {
        let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes).trim_ascii_start();
        if bytes.is_empty() {
            return Self::Unknown;
        }
        let is_json = bytes.starts_with(b"{") || bytes.starts_with(b"[");
        let is_field = FIELDS.iter().any(|field| bytes.starts_with(field));
        let is_called_stream = || {
            let kind = headers.get(CONTENT_TYPE);
            kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
        };
        match is_field || !is_json && is_called_stream() {
            true => Self::Events(Events::default()),
            false => Self::Whole(Vec::new()),
        }
    }
}

impl<'a> Receiving<'a> {
    pub(super) fn new(peer: Peer<'a>, deadline: Deadline<'a>, response: Response) -> Self {
        Self {
            peer,
            deadline,
            headers: response.headers().clone(),
            body: response.bytes_stream().boxed(),
            form: Form::Unknown,
            reading: Reading::new(peer.max_bytes),
            last: None,
            is_done: false,
        }
    }

    /// Takes in what comes before the first words, which are given out as events.
    ///
    /// # Errors
    /// What failed before there were any: the request may be sent again.
    pub(super) async fn until_words(&mut self) -> Result<(), Failure> {
        while !self.is_done && !self.reading.has_text() {
            self.advance().await?;
        }
        Ok(())
    }

    pub(super) fn events(self) -> AnswerStream<'a> {
        stream::unfold(self, |mut receiving| async move {
            let event = receiving.next().await?;
            Some((event, receiving))
        })
        .boxed()
    }

    /// The next event; `None` after the last one.
    async fn next(&mut self) -> Option<Result<AnswerEvent>> {
        loop {
            if let Some(event) = self.reading.events.pop_front() {
                return Some(Ok(event));
            }
            if self.is_done {
                return None;
            }
            if let Err(failure) = self.advance().await {
                return Some(Err(self.named(&failure.error)));
            }
        }
    }

    /// Takes in the next bytes. What breaks off after text has come in is kept, unless the caller
    /// has left.
    async fn advance(&mut self) -> Result<(), Failure> {
        let Err(failure) = self.receive().await else {
            return Ok(());
        };
        self.is_done = true;
        if failure.error.kind() == ErrorKind::Cancelled || !self.reading.has_text() {
            return Err(failure);
        }
        let why = self.named(&failure.error).message().to_owned();
        let partial = AnswerEvent::Done(Finish::Partial(why));
        self.reading.events.push_back(partial);
        Ok(())
    }

    async fn receive(&mut self) -> Result<(), Failure> {
        let bytes = self
            .peer
            .transport
            .next(&mut self.body, &self.deadline)
            .await?;
        if let (Form::Unknown, Some(bytes)) = (&self.form, &bytes) {
            self.form = Form::of(bytes, &self.headers);
        }
        match (&mut self.form, bytes) {
            (Form::Unknown, Some(_)) => {}
            (Form::Unknown, None) => {
                return Err(Error::unavailable("answered with nothing").into());
            }
            (Form::Events(events), Some(bytes)) => {
                let mut messages = Vec::new();
                events.read(&bytes, &mut messages)?;
                for message in messages {
                    self.read_event(&message)?;
                }
            }
            (Form::Events(events), None) => {
                if let Some(message) = std::mem::take(events).finish() {
                    self.read_event(&message)?;
                }
                self.reading.end();
            }
            (Form::Whole(whole), Some(bytes)) => {
                whole.extend_from_slice(&bytes);
                let max = self.peer.max_bytes.saturating_add(AROUND_TEXT);
                if whole.len() > max {
                    let why = format!("the answer has more than {max} bytes");
                    return Err(Error::exhausted(why).into());
                }
            }
            (Form::Whole(whole), None) => {
                let whole = std::mem::take(whole);
                let messages = self.parse(&whole)?;
                for message in &messages {
                    self.peer.dialect.read(message, &mut self.reading)?;
                }
                // What came as a whole is whole, if it does not say how it ended.
                match messages.len() == 1 && self.reading.has_text() {
                    true => self.reading.complete(),
                    false => self.reading.end(),
                }
                self.last = messages.last().map(Value::to_string);
            }
        }
        match self.reading.is_over() {
            true => self.end(),
            false => Ok(()),
        }
    }

    fn read_event(&mut self, event: &str) -> Result<(), Failure> {
        if self.reading.is_over() {
            return Ok(());
        }
        if event.trim() == "[DONE]" {
            self.reading.complete();
            return Ok(());
        }
        for message in self.parse(event.as_bytes())? {
            self.peer.dialect.read(&message, &mut self.reading)?;
            self.last = (!self.reading.has_text()).then(|| message.to_string());
        }
        Ok(())
    }

    /// The messages of `text`: one, or several lines of one each.
    fn parse(&self, text: &[u8]) -> Result<Vec<Value>> {
        let text = text.strip_prefix(BOM).unwrap_or(text);
        let messages = serde_json::Deserializer::from_slice(text).into_iter();
        let messages: serde_json::Result<Vec<Value>> = messages.collect();
        messages.map_err(|error| match is_page(text, &self.headers) {
            true => Error::invalid("answered with a web page instead of JSON (is base_url right?)"),
            false => {
                let text = String::from_utf8_lossy(text);
                Error::unavailable(format!("answered with malformed JSON ({error}): {text}"))
            }
        })
    }

    fn named(&self, error: &Error) -> Error {
        self.peer.secrets.named(self.peer.name, error)
    }

    /// Adds the last event.
    fn end(&mut self) -> Result<(), Failure> {
        let finish = match self.reading.ending() {
            Some(Finish::Stop) if !self.reading.has_text() => {
                return Err(Error::unavailable(self.reading.emptiness()).into());
            }
            Some(Finish::Length) if !self.reading.has_text() => {
                let why = "the answer is empty: the model used up max_tokens before it said anything (allow it more, or let it think less)";
                return Err(Error::exhausted(why).into());
            }
            Some(finish) => finish,
            None => {
                let mut why = "the answer broke off before its end".to_owned();
                if let Some(last) = self.last.take().filter(|_| !self.reading.has_text()) {
                    why.push_str(": ");
                    why.push_str(&last);
                }
                return Err(Failure::passing(Error::unavailable(why)));
            }
        };
        self.is_done = true;
        self.reading.events.push_back(AnswerEvent::Done(finish));
        Ok(())
    }
}
