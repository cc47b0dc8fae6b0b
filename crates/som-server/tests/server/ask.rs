//! Ask and Compare: stages in order, rows as they are done, and what ends both.

use serde_json::json;
use som_core::{Size, task::Task};
use som_proto::{
    ask, mark, params,
    pb::v1::{
        self as pb, ask_request::Prompt, ask_response::Stage,
        catalog_service_client::CatalogServiceClient, compare_response::Outcome,
    },
};
use tonic::{Code, Status};

use crate::{
    som::picture,
    support::{Running, channel, front, som, until},
};

fn task(name: &str, text: Option<&str>) -> Option<pb::Task> {
    Some(ask::task_to_wire(&Task::named(name, text).unwrap()))
}

/// A question about columns, answered by the baseline that needs no model.
fn question(text: &str, params: serde_json::Value) -> pb::AskRequest {
    let picture = picture();
    let size = Size::new(picture.width(), picture.height());
    let image = pb::Image {
        content: Some(pb::image::Content::Raw(pb::RawImage {
            size: Some(som_proto::region::size_to_wire(size)),
            pixels: picture.into_raw().into(),
        })),
    };
    let params = serde_json::from_value(params).unwrap();
    pb::AskRequest {
        images: vec![pb::AskImage {
            image: Some(image),
            params: Some(params::to_wire(&params)),
            ..pb::AskImage::default()
        }],
        task: task("ask", Some(text)),
        ..pb::AskRequest::default()
    }
}

async fn stages(server: &Running, request: pb::AskRequest) -> Result<Vec<Stage>, Status> {
    let mut stream = som(server).await.ask(request).await?.into_inner();
    let mut stages = Vec::new();
    while let Some(answer) = stream.message().await? {
        stages.push(answer.stage.unwrap());
    }
    Ok(stages)
}

async fn rows(
    server: &Running,
    request: pb::CompareRequest,
) -> Result<Vec<pb::CompareResponse>, Status> {
    let mut stream = som(server).await.compare(request).await?.into_inner();
    let mut rows = Vec::new();
    while let Some(row) = stream.message().await? {
        rows.push(row);
    }
    rows.sort_by_key(|row| row.row);
    Ok(rows)
}

#[tokio::test]
async fn marked_images_may_be_left_out() {
    let (server, _) = front("").await;
    let request = pb::AskRequest {
        format: pb::PictureFormat::None.into(),
        ..question("the left column", json!({"count": 4}))
    };
    let stages = stages(&server, request).await.unwrap();
    let Stage::Marked(marked) = &stages[1] else {
        panic!("{:?}", stages[1]);
    };
    assert_eq!((marked.marks.len(), marked.pages.len()), (4, 0));
}

#[tokio::test]
async fn zero_is_no_limit_and_what_is_not_set_is_left_to_the_settings() {
    let (server, _) = front("[mark]\nsegmenter = 'columns'\npage_size = 3\nmax_marks = 5").await;
    let counts = |marked: &pb::AskMarked| (marked.marks.len(), marked.pages.len());
    let options = |page_size, max_marks| pb::MarkOptions {
        page_size,
        max_marks,
        ..pb::MarkOptions::default()
    };
    let ask = |options| pb::AskRequest {
        options: Some(options),
        ..question("the left column", json!({"count": 6}))
    };
    let all = options(Some(0), Some(0));
    for (options, expected) in [
        (options(None, None), (5, 2)),
        (all.clone(), (6, 1)),
        (options(Some(2), None), (5, 3)),
        (options(None, Some(2)), (2, 1)),
    ] {
        let stages = stages(&server, ask(options.clone())).await.unwrap();
        let Stage::Marked(marked) = &stages[1] else {
            panic!("{:?}", stages[1]);
        };
        assert_eq!(counts(marked), expected, "{options:?}");
    }

    // A row leaves to the question what it does not set.
    let row = |options| pb::CompareRow {
        options: Some(options),
        ..pb::CompareRow::default()
    };
    let request = pb::CompareRequest {
        ask: Some(ask(options(Some(2), Some(4)))),
        rows: vec![
            row(options(None, None)),
            row(options(Some(0), None)),
            row(all),
        ],
    };
    let rows = rows(&server, request).await.unwrap();
    let rows: Vec<_> = rows.iter().map(|row| counts(&row.marked[0])).collect();
    assert_eq!(rows, [(4, 2), (4, 1), (6, 1)]);
    server.stop().await;
}

#[tokio::test]
async fn a_prompt_has_words_or_the_name_of_a_template() {
    let (server, _) = front("").await;
    let words = "Which one is it? {question}".to_owned();
    for prompt in [Prompt::Template("reason".into()), Prompt::Words(words)] {
        let request = pb::AskRequest {
            prompt: Some(prompt),
            ..question("the left column", json!({}))
        };
        assert!(stages(&server, request).await.is_ok());
    }
    server.stop().await;
}

#[tokio::test]
async fn stages_come_as_they_are_done() {
    let (server, _) = front("").await;
    let stages = stages(&server, question("the left column", json!({"count": 4})))
        .await
        .unwrap();
    let Stage::Regions(regions) = &stages[0] else {
        panic!("{:?}", stages[0]);
    };
    assert_eq!(regions.regions.len(), 4);
    assert_eq!(regions.segmentation.as_ref().unwrap().segmenter, "columns");
    let Stage::Marked(marked) = &stages[1] else {
        panic!("{:?}", stages[1]);
    };
    let size = Size::new(240, 160);
    let marks: Vec<_> = marked
        .marks
        .iter()
        .cloned()
        .map(|wire| mark::from_wire(wire, size))
        .collect();
    assert!(marks.iter().all(Result::is_ok) && marks.len() == 4);
    assert_eq!(marked.pages.len(), 1);
    assert!(image::load_from_memory(&marked.pages[0].data).is_ok());

    let text: String = stages
        .iter()
        .filter_map(|stage| match stage {
            Stage::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let Some(Stage::Answer(answer)) = stages.last() else {
        panic!("{:?}", stages.last());
    };
    assert_eq!(answer.text, text);
    assert_eq!(answer.finish(), pb::Finish::Stop);
    assert_eq!(answer.lmm.as_ref().unwrap().provider, "attributes");
    let mentions: Vec<_> = answer
        .mentions
        .iter()
        .cloned()
        .map(ask::mention_from_wire)
        .collect();
    assert!(!mentions.is_empty());
    for mention in mentions {
        let mention = mention.unwrap();
        assert!(text[mention.span].starts_with('['));
        assert!(mention.marks.iter().all(|id| (1..=4).contains(id)));
    }
    let early = stages
        .iter()
        .filter(|stage| matches!(stage, Stage::Mention(_)));
    assert_eq!(early.count(), answer.mentions.len());
    server.stop().await;
}

#[tokio::test]
async fn models_are_listed() {
    let (server, _) = front("[lmm.gpt4o]\nprovider = 'openai'\nmodel = 'gpt-4o'").await;
    let mut catalog = CatalogServiceClient::new(channel(&server).await);
    let answer = catalog.list_lmms(pb::ListLmmsRequest {}).await.unwrap();
    let answer = answer.into_inner();
    assert_eq!(answer.default_lmm, "attributes");
    let models: Vec<_> = answer
        .lmms
        .iter()
        .map(|info| {
            (
                info.lmm.as_ref().unwrap().name.as_str(),
                info.vision,
                info.structured,
            )
        })
        .collect();
    assert_eq!(models, [("attributes", true, false), ("gpt4o", true, true)]);
    server.stop().await;
}

#[tokio::test]
async fn tasks_have_findings_and_votes_agree() {
    let (server, _) = front("").await;
    let request = pb::AskRequest {
        task: task("refer", Some("the leftmost column")),
        votes: 3,
        format: pb::PictureFormat::None.into(),
        ..question("-", json!({}))
    };
    let stages = stages(&server, request).await.unwrap();
    let Some(Stage::Answer(answer)) = stages.last() else {
        panic!("{:?}", stages.last());
    };
    assert_eq!(answer.rounds, 3);
    let finding = &answer.findings[0];
    assert_eq!(
        (finding.text.as_str(), finding.agreement),
        ("the leftmost column", Some(1.0))
    );
    assert!(!answer.agreement.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_question_is_told() {
    let (server, _) = front("").await;
    let good = || question("why?", json!({}));
    for (request, code, why) in [
        (
            pb::AskRequest {
                images: Vec::new(),
                ..good()
            },
            Code::InvalidArgument,
            "no image",
        ),
        (
            pb::AskRequest {
                task: None,
                ..good()
            },
            Code::InvalidArgument,
            "task is not set",
        ),
        (
            pb::AskRequest {
                images: vec![pb::AskImage::default()],
                ..good()
            },
            Code::InvalidArgument,
            "image 1: image is not set",
        ),
        (
            pb::AskRequest {
                prompt: Some(Prompt::Words("{qestion}".into())),
                ..good()
            },
            Code::InvalidArgument,
            "did you mean \"question\"",
        ),
        (
            pb::AskRequest {
                prompt: Some(Prompt::Template("rason".into())),
                ..good()
            },
            Code::NotFound,
            "did you mean \"reason\"",
        ),
        (
            pb::AskRequest {
                prompt: Some(Prompt::Words("reason".into())),
                ..good()
            },
            Code::InvalidArgument,
            "it has no place for what is asked",
        ),
        (
            pb::AskRequest {
                lmm: "gpt".into(),
                ..good()
            },
            Code::NotFound,
            "unknown lmm \"gpt\"",
        ),
        (
            question("{mark:77}", json!({})),
            Code::InvalidArgument,
            "no such mark",
        ),
        (
            question("why?", json!({"fail": "no weights"})),
            Code::Unimplemented,
            "no weights",
        ),
    ] {
        let status = stages(&server, request).await.unwrap_err();
        assert_eq!(status.code(), code, "{status:?}");
        assert!(status.message().contains(why), "{status:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_question() {
    let (server, _) = front("").await;
    let request = question("why?", json!({"sleep_ms": 60_000}));
    let stream = som(&server).await.ask(request).await.unwrap();
    drop(stream);
    // The one instance is free again.
    until("the segmenter is free", async || {
        let quick = question("why?", json!({}));
        stages(&server, quick).await.is_ok()
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn rows_come_with_their_answers_or_failures() {
    let (server, _) = front("").await;
    let row = |count: u32, lmm: &str| {
        let params = serde_json::from_value(json!({"count": count})).unwrap();
        pb::CompareRow {
            params: Some(params::to_wire(&params)),
            lmm: lmm.into(),
            ..pb::CompareRow::default()
        }
    };
    let request = pb::CompareRequest {
        ask: Some(question("the left column", json!({}))),
        rows: vec![row(2, ""), row(5, "attributes"), row(2, "gpt")],
    };
    let rows = rows(&server, request.clone()).await.unwrap();
    let marks: Vec<usize> = rows
        .iter()
        .map(|row| row.marked.iter().map(|marked| marked.marks.len()).sum())
        .collect();
    assert_eq!(marks, [2, 5, 0]);
    assert!(matches!(&rows[0].outcome, Some(Outcome::Answer(answer)) if answer.rounds == 1));
    let Some(Outcome::Failure(failure)) = &rows[2].outcome else {
        panic!("{:?}", rows[2].outcome);
    };
    assert_eq!(failure.code, i32::from(Code::NotFound));

    let none = pb::CompareRequest {
        rows: Vec::new(),
        ..request
    };
    let status = self::rows(&server, none).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    server.stop().await;
}
