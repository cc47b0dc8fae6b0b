//! Requests at random: whatever they hold, each gets an answer that the contract knows, none of them
//! a bug, and the server goes on.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use som_proto::pb::v1::{
    self as pb, ask_request::Prompt, compare_response::Outcome, image::Content, task::Kind,
    track_request::Part,
};
use tonic::{Code, Status};

use crate::{
    som::{mark_png, wire},
    support::{front, som},
};

/// As many as a run of all tests has time for; `SOM_TEST_STORM` asks for another number.
const REQUESTS: u64 = 600;

/// Numbers that look random and are the same in every run (xorshift, George Marsaglia 2003).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize].clone()
    }

    fn several<T>(&mut self, most: u64, mut each: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| each(self)).collect()
    }

    fn number(&mut self) -> u32 {
        let small = self.below(20) as u32;
        self.one(&[0, 1, 2, small, 255, 65_536, u32::MAX])
    }

    fn text(&mut self) -> String {
        let long = "x".repeat(self.below(3000) as usize);
        let some = [
            "",
            "columns",
            "number",
            "mask",
            "contour",
            "box",
            "alphabet",
            "nobody",
            "\n\u{1b}[2J",
            "[1] and [2]",
            "{mark:1}",
            "{mark:9}",
            "{box:1,1,3,3}",
            "{box:1,1,3,3@7}",
            "{question}",
            "{table}{table}{table}",
            "{vocabulary}",
            "which one is left?",
            "日本語",
            "a\0b",
            "all of marks 1 to 4294967295",
        ];
        match self.below(8) {
            0 => long,
            _ => self.one(&some).to_owned(),
        }
    }

    fn json(&mut self, depth: u32) -> Value {
        match self.below(if depth == 0 { 4 } else { 6 }) {
            0 => Value::Null,
            1 => json!(self.text()),
            2 => json!(f64::from(self.number()) - 3.0),
            3 => json!(self.below(2) == 0),
            4 => json!(self.several(4, |chance| chance.json(depth - 1))),
            _ => {
                let pairs = self.several(3, |chance| {
                    let keys = [
                        "count", "fail", "hints", "points", "x", "y", "size", "counts",
                    ];
                    (chance.one(&keys).to_owned(), chance.json(depth - 1))
                });
                Value::Object(pairs.into_iter().collect())
            }
        }
    }

    fn params(&mut self) -> Option<prost_types::Struct> {
        let count = self.below(5);
        let params = match self.below(4) {
            0 => return None,
            1 => json!({"count": count}),
            2 => json!({"count": count, "hints": self.json(3)}),
            _ => json!({"whatever": self.json(3)}),
        };
        wire(params)
    }

    fn image(&mut self) -> Option<pb::Image> {
        let size = Some(pb::Size {
            width: self.number(),
            height: self.number(),
        });
        let some = 3 * self.below(200) as usize;
        Some(match self.below(8) {
            0 => pb::Image::default(),
            1 => crate::som::image(Content::Sha256(vec![1; some].into()))?,
            2 => crate::som::image(Content::Raw(pb::RawImage {
                size,
                pixels: vec![7; some].into(),
            }))?,
            3 => crate::som::file(vec![137; some], true)?,
            _ => crate::som::png()?,
        })
    }

    fn region(&mut self) -> pb::Region {
        let bbox = Some(pb::BBox {
            x: self.number(),
            y: self.number(),
            width: self.number(),
            height: self.number(),
        });
        let fits = Some(pb::BBox {
            x: self.below(10) as u32,
            y: self.below(10) as u32,
            width: 1 + self.below(10) as u32,
            height: 1 + self.below(10) as u32,
        });
        let mask = pb::Mask {
            size: Some(pb::Size {
                width: self.number(),
                height: self.number(),
            }),
            counts: self.text(),
        };
        let score = self.one(&[None, Some(0.5), Some(-1.0), Some(f32::NAN)]);
        pb::Region {
            bbox: match self.below(6) {
                0 => None,
                1 => bbox,
                _ => fits,
            },
            mask: (self.below(6) == 0).then_some(mask),
            score,
            label: (self.below(3) == 0).then(|| self.text()),
            level: (self.below(4) == 0).then(|| self.number()),
            parent: (self.below(4) == 0).then(|| self.number()),
            ..pb::Region::default()
        }
    }

    fn regions(&mut self) -> Option<pb::RegionList> {
        (self.below(3) == 0).then(|| pb::RegionList {
            regions: self.several(8, Self::region),
            ids: self.several(3, Self::number),
        })
    }

    fn styles(&mut self) -> Vec<pb::StyleLayer> {
        match self.below(2) {
            0 => Vec::new(),
            _ => self.several(4, |chance| pb::StyleLayer {
                id: chance
                    .one(&["number", "mask", "box", "alphabet", "contour", "stars"])
                    .into(),
                params: chance.params(),
            }),
        }
    }

    fn options(&mut self) -> Option<pb::MarkOptions> {
        let size = self.one(&[None, Some(0.0), Some(12.0), Some(-3.0), Some(f32::INFINITY)]);
        (self.below(2) == 0).then(|| pb::MarkOptions {
            page_size: (self.below(2) == 0).then(|| self.number()),
            max_marks: (self.below(2) == 0).then(|| self.number()),
            min_glyph: size,
            font_size: size,
            start: (self.below(2) == 0).then(|| self.number()),
            colors: self.several(3, Self::number),
            max_pages: (self.below(2) == 0).then(|| self.number()),
        })
    }

    fn refine(&mut self) -> Option<pb::Refinement> {
        (self.below(6) == 0).then(|| pb::Refinement {
            segmenter: self.one(&["columns", "columns", "nobody", ""]).into(),
            params: self.params(),
            hint: self.one(&["", "box", "point", "mask", "star"]).into(),
        })
    }

    fn mark(&mut self) -> pb::MarkRequest {
        pb::MarkRequest {
            image: self.image(),
            segmenter: self.one(&["", "", "columns", "nobody"]).into(),
            params: self.params(),
            regions: self.regions(),
            styles: self.styles(),
            format: self.below(7) as i32,
            options: self.options(),
            granularity: (self.below(6) == 0).then(|| self.below(5) as f64),
            refine: self.refine(),
        }
    }

    /// The messages of a session.
    fn video(&mut self) -> Vec<pb::TrackRequest> {
        let start = Part::Start(pb::TrackStart {
            tracker: self.one(&["", "columns", "columns", "nobody"]).into(),
            params: self.params(),
            format: self.below(7) as i32,
            styles: self.styles(),
            options: self.options(),
        });
        let frames = self.several(4, |chance| {
            Part::Frame(pb::TrackFrame {
                image: chance.image(),
                index: chance.number().into(),
                count: chance.number().into(),
                backward: chance.below(2) == 0,
                hints: chance.several(1, |chance| pb::ObjectHints {
                    object: chance.number().into(),
                    hints: chance.params(),
                    remove: chance.below(2) == 0,
                }),
            })
        });
        let start = Some(start).filter(|_| self.below(9) > 0);
        let parts = start.into_iter().chain(frames);
        parts
            .map(|part| pb::TrackRequest { part: Some(part) })
            .collect()
    }

    fn ask(&mut self) -> pb::AskRequest {
        let kind = match self.below(6) {
            0 => Kind::Describe(pb::DescribeTask {
                marks: self.several(3, Self::number),
                vocabulary: self.several(3, Self::text),
            }),
            1 => Kind::Refer(pb::ReferTask {
                expressions: self.several(3, Self::text),
            }),
            2 => Kind::Phrases(pb::PhrasesTask {
                sentence: self.text(),
                phrases: self.several(3, Self::text),
            }),
            3 => Kind::Track(pb::TrackTask {
                marks: self.several(3, Self::number),
            }),
            _ => Kind::Ask(pb::AskTask {
                question: self.text(),
            }),
        };
        pb::AskRequest {
            images: self.several(3, |chance| pb::AskImage {
                image: chance.image(),
                params: chance.params(),
                regions: chance.regions(),
                refine: chance.refine(),
                ..pb::AskImage::default()
            }),
            styles: self.styles(),
            task: (self.below(9) > 0).then_some(pb::Task { kind: Some(kind) }),
            history: self.several(2, |chance| pb::Exchange {
                question: chance.text(),
                answer: chance.text(),
            }),
            lmm: self.one(&["", "", "attributes", "nobody"]).into(),
            prompt: match self.below(4) {
                0 => Some(Prompt::Words(self.text().repeat(3))),
                1 => Some(Prompt::Template(self.text())),
                _ => None,
            },
            clean: self.below(2) == 0,
            table: self.below(2) == 0,
            structured: self.one(&[None, Some(true), Some(false)]),
            votes: self.one(&[0, 1, 3, 65, u32::MAX]),
            budget: (self.below(4) == 0).then(|| pb::Budget {
                max_tokens: self.number(),
                max_rounds: self.number(),
                max_cost: self.one(&[0.0, 1.0, -1.0, f64::NAN]),
            }),
            format: self.below(7) as i32,
            options: self.options(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_request_gets_an_answer_of_the_contract() {
    let limits = "[limits]\nprompt_bytes = 20000\npages = 8\ncall_pixels = 3000000";
    let (server, _) = front(limits).await;
    let mut client = som(&server).await;
    let mut chance = Chance(20_261_129);
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    let requests = std::env::var("SOM_TEST_STORM").map_or(REQUESTS, |count| count.parse().unwrap());
    for number in 0..requests {
        let told = match number % 5 {
            0 => {
                let pb::MarkRequest {
                    image,
                    segmenter,
                    params,
                    granularity,
                    refine,
                    ..
                } = chance.mark();
                let request = pb::SegmentRequest {
                    image,
                    segmenter,
                    params,
                    granularity,
                    refine,
                };
                client.segment(request).await.map(drop)
            }
            1 => client.mark(chance.mark()).await.map(drop),
            2 => {
                let request = chance.ask();
                async {
                    let mut stages = client.ask(request).await?.into_inner();
                    while stages.message().await?.is_some() {}
                    Ok(())
                }
                .await
            }
            3 => {
                let messages = chance.video();
                async {
                    let messages = futures_util::stream::iter(messages);
                    let mut frames = client.track(messages).await?.into_inner();
                    while frames.message().await?.is_some() {}
                    Ok(())
                }
                .await
            }
            _ => {
                let request = pb::CompareRequest {
                    ask: Some(chance.ask()),
                    rows: chance.several(3, |chance| pb::CompareRow {
                        params: chance.params(),
                        styles: chance.styles(),
                        options: chance.options(),
                        refine: chance.refine(),
                        ..pb::CompareRow::default()
                    }),
                };
                async {
                    let mut rows = client.compare(request).await?.into_inner();
                    while let Some(row) = rows.message().await? {
                        if let Some(Outcome::Failure(failure)) = row.outcome {
                            return Err(Status::new(Code::from(failure.code), failure.message));
                        }
                    }
                    Ok(())
                }
                .await
            }
        };
        let code = told.as_ref().map_or_else(Status::code, |()| Code::Ok);
        *codes.entry(format!("{code:?}")).or_default() += 1;
        let is_known = matches!(
            code,
            Code::Ok
                | Code::InvalidArgument
                | Code::NotFound
                | Code::Unimplemented
                | Code::ResourceExhausted
        );
        assert!(is_known, "request {number}: {told:?}");
        if let Err(status) = told {
            let message = status.message();
            assert!(
                message.len() <= 1000 && !message.contains(char::is_control),
                "{message}"
            );
        }
    }
    println!("{codes:?}");
    assert!(codes["Ok"] > 20 && codes.len() >= 4, "{codes:?}");
    client.mark(mark_png()).await.unwrap();
}
