use std::{
    io,
    sync::{Arc, Mutex},
};

use som_core::{ErrorKind, Finish};
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    fake::{Fake, KEY, Reply, ask, model, open_with, settings, words},
    wire::WIRES,
};

/// Collects everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Servers that say the key back, in every way there is.
#[tokio::test]
async fn nothing_shows_a_key() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let mut shown = Vec::new();
    // The key where a long message is cut, too.
    let straddling = format!("{}{KEY}", "x".repeat(590));
    for wire in WIRES {
        let folder = tempfile::tempdir().unwrap();
        let replies = [
            wire.error(429, &format!("{KEY} is too fast")),
            wire.error(401, &format!("wrong key: {KEY}")),
            Reply::text(KEY).status(500),
            Reply::text(format!("{{{KEY}")),
            Reply::text(straddling.clone()).status(400),
            Reply::events(wire.pieces(&["words"])).then(format!("data: {KEY}\n\n")),
            wire.stream(&["your key is ", &KEY[..5], &KEY[5..]]),
        ];
        let fake = Fake::start(replies).await;
        let record = format!("retries = 1\nrecord = '{}'", folder.path().display());
        let table = wire.table(&fake, &record);
        let model = model(&table);
        shown.push(format!("{:?} {:?}", settings(&table), model.info()));
        for _ in 0..5 {
            let outcome = ask(&*model, &words("hi")).await;
            shown.push(outcome.answer.text);
            if let Some(error) = outcome.error {
                shown.push(format!("{error} {error:?}"));
            }
            if let Some(Finish::Partial(why)) = outcome.answer.finish {
                shown.push(why);
            }
        }
        assert_eq!(fake.requests().len(), 7, "{wire:?}");
        let recordings: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(recordings.len(), 1);
        for recording in recordings {
            let text = std::fs::read_to_string(recording.unwrap().path()).unwrap();
            assert!(text.contains("your key is [secret]"), "{text}");
            shown.push(text);
        }
    }
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("asking again"), "the log is not empty: {log}");
    shown.push(log);
    assert!(shown.len() > 15);
    for text in shown {
        assert!(!text.contains(&KEY[..10]), "{text}");
    }
}

#[test]
fn a_key_where_none_belongs_is_refused_without_being_shown() {
    for table in [
        format!("base_url = 'http://127.0.0.1:9'\nmodel = 'm'\napi_key_env = '{KEY}'"),
        format!("base_url = 'http://127.0.0.1:9'\nmodel = 'm'\nheader_env = {{ X-Key = '{KEY}' }}"),
        format!(
            "base_url = 'http://127.0.0.1:9'\nmodel = 'm'\nheaders = {{ Authorization = 'Bearer {KEY}' }}"
        ),
    ] {
        let error = open_with(&format!("[lmm.x]\n{table}"), &[]).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(!format!("{error:?}").contains(&KEY[..10]), "{error:?}");
    }
}

#[test]
fn a_key_in_an_address_is_refused_without_being_shown() {
    for url in [
        format!("https://user:{KEY}@host/v1"),
        format!("https://{KEY}@host/v1"),
        format!("https://host/v1?key={KEY}"),
        format!("no address {KEY}"),
        format!("ftp://host/{KEY}"),
    ] {
        let table = format!("[lmm.x]\nbase_url = '{url}'\nmodel = 'm'");
        let error = open_with(&table, &[]).err().unwrap();
        assert!(error.message().contains("base_url"), "{error}");
        assert!(!error.message().contains(KEY), "{error}");
    }
}

#[test]
fn headers_that_are_none_are_refused() {
    let table = "[lmm.x]\nbase_url = 'http://host'\nmodel = 'm'\nheaders = { 'a b' = 'c' }";
    let error = open_with(table, &[]).err().unwrap();
    assert!(error.message().contains("lmm.x: header \"a b\""), "{error}");
}
