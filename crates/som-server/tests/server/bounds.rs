//! What a call may bring is bounded before work begins, and each bound is refused by its name.

use serde_json::json;
use som_core::{Size, task::Task};
use som_proto::{
    ask,
    pb::v1::{self as pb, ask_request::Prompt, image::Content},
    region,
};
use tonic::{Code, Status};

use crate::{
    som::{file, image, mark_png, png, wire},
    support::{Running, front, page, som, until},
};

/// A server with small limits.
async fn small() -> Running {
    let limits = "[limits]\nimages = 3\ncall_pixels = 300000\nlayers = 2\nregions = 5\npages = 2\n\
                  hints = 4\nprompt_bytes = 2000\nrows = 3\ninstances = 4\n";
    front(limits).await.0
}

fn question(text: &str) -> pb::AskRequest {
    let task = Task::Ask {
        question: text.to_owned(),
    };
    pb::AskRequest {
        images: vec![one()],
        task: Some(ask::task_to_wire(&task)),
        ..pb::AskRequest::default()
    }
}

fn one() -> pb::AskImage {
    pb::AskImage {
        image: png(),
        ..pb::AskImage::default()
    }
}

/// How an answer to a question ends.
async fn end_of(server: &Running, request: pb::AskRequest) -> Result<(), Status> {
    let mut stages = som(server).await.ask(request).await?.into_inner();
    while stages.message().await?.is_some() {}
    Ok(())
}

fn refused(ended: Result<(), Status>, limit: &str) {
    let status = ended.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{limit}: {status}");
    let limit = format!("(raise limits.{limit})");
    assert!(status.message().contains(&limit), "{limit}: {status}");
}

#[tokio::test]
async fn a_question_is_bounded_in_images_words_regions_and_layers() {
    let server = small().await;
    let good = || question("which one is left?");
    end_of(&server, good()).await.unwrap();
    let images = pb::AskRequest {
        images: vec![one(); 4],
        ..good()
    };
    refused(end_of(&server, images).await, "images");
    let words = |text: &str| pb::AskRequest {
        prompt: Some(Prompt::Words(text.to_owned())),
        ..question(&"x".repeat(500))
    };
    end_of(&server, words("{question} {question}"))
        .await
        .unwrap();
    refused(
        end_of(&server, question(&"x".repeat(2001))).await,
        "prompt_bytes",
    );
    refused(
        end_of(&server, words(&"y".repeat(2001))).await,
        "prompt_bytes",
    );
    // Small by itself, and large once it is filled.
    refused(
        end_of(&server, words(&"{question}".repeat(5))).await,
        "prompt_bytes",
    );
    let history = pb::AskRequest {
        history: vec![
            pb::Exchange {
                question: "what?".into(),
                answer: "z".repeat(700),
            };
            3
        ],
        ..good()
    };
    refused(end_of(&server, history).await, "prompt_bytes");
    let boxes = question(&"{box:1,1,5,5}".repeat(6));
    refused(end_of(&server, boxes).await, "regions");
    let layers = pb::AskRequest {
        styles: vec![
            pb::StyleLayer {
                id: "number".into(),
                ..pb::StyleLayer::default()
            };
            3
        ],
        ..good()
    };
    refused(end_of(&server, layers).await, "layers");
}

/// A template that is small, a question that is small, and four gigabytes together.
#[tokio::test]
async fn a_template_that_multiplies_its_question_is_refused_with_the_usual_limits() {
    let (server, _) = front("").await;
    let request = pb::AskRequest {
        prompt: Some(Prompt::Words("{question}".repeat(4000))),
        ..question(&"why? ".repeat(200_000))
    };
    refused(end_of(&server, request).await, "prompt_bytes");
    end_of(&server, question("which one is left?"))
        .await
        .unwrap();
}

/// A few kilobytes of digests stand for gigabytes of pixels.
#[tokio::test]
async fn images_by_digest_count_as_what_they_are() {
    let (server, _) = front("[limits]\nimages = 1000\ncall_pixels = 1000000").await;
    let mut client = som(&server).await;
    let kept = pb::SegmentRequest {
        image: file(crate::som::encoded(image::ImageFormat::Png), true),
        ..pb::SegmentRequest::default()
    };
    let info = client.segment(kept).await.unwrap().into_inner().image;
    let info = info.unwrap();
    let size = region::size_from_wire(info.size.unwrap());
    let named = pb::AskImage {
        image: image(Content::Sha256(info.sha256)),
        ..pb::AskImage::default()
    };
    let of = |count| pb::AskRequest {
        images: vec![named.clone(); count],
        ..question("which one is left?")
    };
    let fit = (1_000_000 / Size::pixels(size)) as usize;
    end_of(&server, of(fit)).await.unwrap();
    refused(end_of(&server, of(fit + 1)).await, "call_pixels");
    refused(end_of(&server, of(300)).await, "call_pixels");
}

#[tokio::test]
async fn a_request_to_mark_is_bounded_in_regions_layers_pages_and_hints() {
    let server = small().await;
    let mut client = som(&server).await;
    let region = pb::Region {
        bbox: Some(pb::BBox {
            x: 0,
            y: 0,
            width: 5,
            height: 5,
        }),
        ..pb::Region::default()
    };
    let regions = |count| pb::MarkRequest {
        regions: Some(pb::RegionList {
            regions: vec![region.clone(); count],
            ids: Vec::new(),
        }),
        // One upon another: no two fit on a page.
        format: pb::PictureFormat::None.into(),
        ..mark_png()
    };
    let with = |params: serde_json::Value| pb::MarkRequest {
        params: wire(params),
        ..mark_png()
    };
    let pages = |count| pb::MarkRequest {
        options: Some(pb::MarkOptions {
            page_size: Some(1),
            ..pb::MarkOptions::default()
        }),
        ..with(json!({"count": count}))
    };
    let hints = |count| {
        let point = json!({"x": 1, "y": 1});
        with(json!({"hints": {"points": vec![point; count]}}))
    };
    for good in [regions(5), pages(2), hints(4)] {
        client.mark(good).await.unwrap();
    }
    for (bad, limit) in [
        (regions(6), "regions"),
        (pages(3), "pages"),
        (hints(5), "hints"),
    ] {
        refused(client.mark(bad).await.map(drop), limit);
    }
}

#[tokio::test]
async fn rows_are_bounded() {
    let server = small().await;
    let request = |count| pb::CompareRequest {
        ask: Some(question("which one is left?")),
        rows: vec![pb::CompareRow::default(); count],
    };
    let ended = async |request| {
        let mut rows = som(&server).await.compare(request).await?.into_inner();
        while rows.message().await?.is_some() {}
        Ok(())
    };
    ended(request(3)).await.unwrap();
    refused(ended(request(4)).await, "rows");
}

#[tokio::test]
async fn instances_are_bounded_and_limits_are_not_zero() {
    for (toml, why) in [
        (
            "[segmenter.columns]\ninstances = 200",
            "segmenter.columns: there are 200 instances, but at most 128 are allowed \
             (raise limits.instances)",
        ),
        (
            "[limits]\nrows = 0",
            "settings: limits.rows is 0, but has to be above",
        ),
    ] {
        let error = crate::support::engine(toml, crate::support::Columns::default());
        let error = error.err().unwrap();
        assert!(error.message().ends_with(why), "{error}");
    }
}

/// All calls together have a budget: who comes when it is used up is told to come again, and what
/// was held is free again when calls are over, however they end.
#[tokio::test(flavor = "multi_thread")]
async fn calls_have_a_budget_of_bytes_together() {
    let toml = "[limits]\nmemory_bytes = 6000000\n[server]\nmetrics = '127.0.0.1:0'";
    let (server, _) = front(toml).await;
    let client = som(&server).await;
    let large = |told| {
        let content = Content::Raw(pb::RawImage {
            size: Some(pb::Size {
                width: 300,
                height: 200,
            }),
            pixels: vec![0; 180_000].into(),
        });
        pb::SegmentRequest {
            image: image(content),
            params: wire(told),
            ..pb::SegmentRequest::default()
        }
    };
    let calls: Vec<_> = (0..40)
        .map(|_| {
            let (mut client, request) = (client.clone(), large(json!({"sleep_ms": 100})));
            tokio::spawn(async move { client.segment(request).await })
        })
        .collect();
    let (mut done, mut refused) = (0, 0);
    for call in calls {
        match call.await.unwrap() {
            Ok(_) => done += 1,
            Err(status) => {
                assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
                assert!(
                    som_proto::status::retry_delay(&status).is_some(),
                    "{status}"
                );
                refused += 1;
            }
        }
    }
    assert!(done > 0 && refused > 0, "{done} done, {refused} refused");
    let metrics = server.metrics.unwrap();
    until("nothing is held", async || {
        let page = page(metrics).await;
        assert!(page.contains("som_memory_budget_bytes 6000000"), "{page}");
        page.contains("som_memory_held_bytes 0")
    })
    .await;
    client.clone().segment(large(json!({}))).await.unwrap();
}
