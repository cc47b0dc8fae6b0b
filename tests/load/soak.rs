use std::{env, sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use serde_json::json;
use som_client::Client;
use som_core::task::Task;
use som_proto::{
    ask,
    pb::v1::{self as pb, ask_request::Prompt},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinSet};

use super::{mark, picture};
use crate::som::{Folder, Served};

/// Calls of every kind: answered, wrong, left by their client, and faults in between: uploads that
/// break off, texts that multiply, what is no gRPC.
async fn call(server: &Served, client: &Client, number: u32) {
    let mut request = mark(&picture(number), json!({}));
    match number % 11 {
        5 => {
            request.params = None;
            request.segmenter = "nobody".to_owned();
            assert!(client.mark(&request).await.is_err());
        }
        6 => {
            let wrong = mark(b"no image", json!({}));
            assert!(client.mark(&wrong).await.is_err());
        }
        7 => {
            let left = client.mark(&request);
            // Whether it is over by then does not matter.
            let _ = tokio::time::timeout(Duration::from_millis(2), left).await;
        }
        8 => {
            request.segmenter = "x".repeat(100_000);
            assert!(client.mark(&request).await.is_err());
        }
        9 => {
            let words = Prompt::Words("{question}".repeat(1000));
            let task = Task::Ask {
                question: "why? ".repeat(2000),
            };
            let bomb = pb::AskRequest {
                images: vec![pb::AskImage {
                    image: request.image,
                    ..pb::AskImage::default()
                }],
                task: Some(ask::task_to_wire(&task)),
                prompt: Some(words),
                ..pb::AskRequest::default()
            };
            let mut stages = std::pin::pin!(client.ask(&bomb).await.unwrap());
            let mut last = None;
            while let Some(stage) = stages.next().await {
                last = Some(stage);
            }
            assert!(last.unwrap().is_err());
        }
        10 => {
            let said: &[u8] = match number % 3 {
                0 => b"GET / HTTP/1.1\r\n\r\n",
                1 => b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\xff\x01\x04\0\0\0\x01",
                _ => b"PRI * HT",
            };
            let mut stream = TcpStream::connect(&server.address).await.unwrap();
            let _ = stream.write_all(said).await;
        }
        _ => {
            request.format = 1 + (number / 8 % 4).cast_signed();
            let answer = client.mark(&request).await.unwrap();
            assert!(!answer.marks.is_empty());
        }
    }
}

/// `count` calls from 8 clients, each `round` with pictures of its own.
async fn calls(server: &Arc<Served>, count: u32, round: u32) {
    const CLIENTS: u32 = 8;
    let mut clients = JoinSet::new();
    for first in 0..CLIENTS {
        let (client, server) = (server.client(), server.clone());
        clients.spawn(async move {
            for number in (first..count).step_by(CLIENTS as usize) {
                call(&server, &client, round * count + number).await;
            }
        });
    }
    clients.join_all().await;
}

/// `cargo xtask test --soak 50000` asks for more.
#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_where_it_is() {
    let count = env::var("SOM_TEST_SOAK").map_or(2_000, |count| count.parse().unwrap());
    let folder = Folder::new();
    let server = Arc::new(Served::start(&folder, &["serve"], &[]));
    // Threads, arenas and caches come to their size, later on a busy machine; what leaks grows on.
    calls(&server, 1_000, 0).await;
    let mut before = server.memory();
    let mut rested = false;
    for round in 1..=3 {
        calls(&server, count, round).await;
        let after = server.memory();
        println!("{count} requests: {before} KiB before, {after} KiB after");
        rested = after as f64 <= before as f64 * 1.05;
        if rested {
            break;
        }
        before = after;
    }
    assert!(
        rested,
        "resident memory grew with every {count} requests, to {before} KiB at last"
    );
    let server = Arc::into_inner(server).unwrap();
    assert_eq!(server.end().0, 0);
}
