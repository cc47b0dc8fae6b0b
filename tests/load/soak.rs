use std::{env, time::Duration};

use serde_json::json;
use som_client::Client;
use tokio::task::JoinSet;

use super::{mark, picture};
use crate::som::{Folder, Served};

/// Calls of every kind: answered, wrong, and left by their client.
async fn call(client: &Client, number: u32) {
    let mut request = mark(&picture(number), json!({}));
    match number % 8 {
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
        _ => {
            request.format = 1 + (number / 8 % 4).cast_signed();
            let answer = client.mark(&request).await.unwrap();
            assert!(!answer.marks.is_empty());
        }
    }
}

/// `count` calls from 8 clients, each `round` with pictures of its own.
async fn calls(server: &Served, count: u32, round: u32) {
    const CLIENTS: u32 = 8;
    let mut clients = JoinSet::new();
    for first in 0..CLIENTS {
        let client = server.client();
        clients.spawn(async move {
            for number in (first..count).step_by(CLIENTS as usize) {
                call(&client, round * count + number).await;
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
    let server = Served::start(&folder, &["serve"], &[]);
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
    assert_eq!(server.end().0, 0);
}
