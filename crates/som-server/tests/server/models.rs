//! Models behind the server: what they cost, who pays, and a provider that refuses the key.

use std::{io::Write as _, sync::Arc};

use futures_util::{StreamExt as _, stream};
use som_core::{
    AnswerEvent, AnswerStream, Cancellation, Error, Finish, ImagePolicy, LmmProvider, Prices,
    Prompt, ProviderInfo, Usage, View, task::Task,
};
use som_engine::{
    Engine,
    registry::{Provenance, Registry},
};
use som_plugin::host;
use som_proto::{ask, pb::v1 as pb, status};
use som_server::Role;
use tonic::{Code, Request, Status};

use crate::{
    som::png,
    support::{Columns, Running, channel, page, settings, until},
};

const TOKEN: &str = "0123456789abcdef";

/// Answers at a price, or does not let the server in.
struct Model {
    info: ProviderInfo,
    is_locked: bool,
}

impl LmmProvider for Model {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    fn ask<'a>(&'a self, _: &'a Prompt, _: &'a Cancellation) -> AnswerStream<'a> {
        let usage = Usage {
            input_tokens: 60,
            output_tokens: 10,
            cached_tokens: 0,
        };
        let events = match self.is_locked {
            true => vec![Err(Error::denied(
                "lmm \"model\": the key was refused (HTTP 401)",
            ))],
            false => vec![
                Ok(AnswerEvent::Delta("It is [1].".to_owned())),
                Ok(AnswerEvent::Usage(usage)),
                Ok(AnswerEvent::Done(Finish::Stop)),
            ],
        };
        stream::iter(events).boxed()
    }
}

/// A server with the model, for the owner of a token with `limits`.
async fn serving(is_locked: bool, limits: &str) -> (Running, tempfile::NamedTempFile) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "{TOKEN}").unwrap();
    let token = format!("[server.token.alice]\nfile = {:?}\n{limits}\n", file.path());
    let mut settings = settings(&format!("[server]\nmetrics = '127.0.0.1:0'\n{token}"));
    settings.server.listen = "127.0.0.1:0".into();
    settings.mark.segmenter = "columns".into();
    let mut registry = Registry::default();
    let styles = host::adopt(som_marks::PLUGIN).unwrap();
    registry.add_plugin(styles, &Provenance::Embedded).unwrap();
    let columns = Arc::new(Columns::default());
    registry
        .add_segmenter(columns, Provenance::Embedded)
        .unwrap();
    let info = ProviderInfo {
        name: "model".into(),
        provider: "test".into(),
        model: "model-1".into(),
        vision: true,
        structured: false,
        images: ImagePolicy {
            view: View::UNLIMITED,
            ..ImagePolicy::default()
        },
        context_tokens: None,
        prices: Some(Prices {
            input: 1e6,
            output: 1e6,
            cached: None,
        }),
    };
    let engine = Engine::new(settings, registry).unwrap();
    let engine = engine.with_lmm(Arc::new(Model { info, is_locked }));
    (Running::start(Arc::new(engine), Role::Front).await, file)
}

async fn ask(server: &Running) -> Result<(), Status> {
    let task = Task::Ask {
        question: "which one is left?".to_owned(),
    };
    let mut request = Request::new(pb::AskRequest {
        images: vec![pb::AskImage {
            image: png(),
            ..pb::AskImage::default()
        }],
        lmm: "model".into(),
        task: Some(ask::task_to_wire(&task)),
        ..pb::AskRequest::default()
    });
    let token = format!("Bearer {TOKEN}").parse().unwrap();
    request.metadata_mut().insert("authorization", token);
    let client = pb::som_service_client::SomServiceClient::new(channel(server).await);
    let mut stages = client
        .max_decoding_message_size(usize::MAX)
        .ask(request)
        .await?
        .into_inner();
    while stages.message().await?.is_some() {}
    Ok(())
}

#[tokio::test]
async fn a_key_that_a_provider_refuses_is_not_the_callers_fault() {
    let (server, _file) = serving(true, "").await;
    let status = ask(&server).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
    assert!(status.message().contains("the key was refused"), "{status}");
    let line = r#"som_errors_total{kind="denied"} 1"#;
    let metrics = server.metrics.unwrap();
    until(line, async || page(metrics).await.contains(line)).await;
}

/// Each answer takes 70 tokens and 70 dollars.
#[tokio::test]
async fn an_owner_has_a_budget_of_calls_tokens_and_dollars_a_day() {
    for (limit, allowed, what) in [
        ("calls_per_day = 2", 2, "calls a day"),
        ("tokens_per_day = 100", 2, "tokens a day"),
        ("dollars_per_day = 210.0", 3, "dollars a day"),
    ] {
        let (server, _file) = serving(false, limit).await;
        for number in 0..allowed {
            let asked = ask(&server).await;
            assert!(asked.is_ok(), "{limit}, call {number}: {asked:?}");
        }
        let status = ask(&server).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
        let why = format!("token \"alice\" has reached its limit of {what}");
        assert_eq!(status.message(), why);
        assert!(status::retry_delay(&status).is_some_and(|delay| !delay.is_zero()));
        let page = page(server.metrics.unwrap()).await;
        for line in [
            format!("som_lmm_answers_total{{lmm=\"model\"}} {allowed}"),
            format!(
                "som_lmm_tokens_total{{lmm=\"model\",kind=\"input\"}} {}",
                60 * allowed
            ),
            format!(
                "som_lmm_tokens_total{{lmm=\"model\",kind=\"output\"}} {}",
                10 * allowed
            ),
            format!("som_lmm_dollars_total{{lmm=\"model\"}} {}", 70 * allowed),
        ] {
            assert!(page.contains(&line), "{line}: {page}");
        }
    }
}
