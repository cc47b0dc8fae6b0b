use futures_util::future::join_all;
use serde_json::json;

use super::{areas, mark, picture};
use crate::som::{Folder, Served};

/// Each client has a connection of its own.
#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_clients_get_their_own_answers() {
    const CLIENTS: u32 = 64;
    const CALLS: u32 = 3;
    let folder = Folder::new();
    folder.write("som.toml", "[segmenter.classic]\nqueue = 64\n");
    let server = Served::start(&folder, &["serve"], &[]);

    let alone = server.client();
    let mut expected = Vec::new();
    for seed in 0..CALLS {
        let answer = alone.mark(&mark(&picture(seed), json!({}))).await;
        expected.push(areas(answer).unwrap());
    }
    let call = async |client: u32| {
        let connection = server.client();
        let mut wrong = Vec::new();
        for turn in 0..CALLS {
            let seed = (client + turn) % CALLS;
            let answer = areas(connection.mark(&mark(&picture(seed), json!({}))).await);
            match answer {
                Ok(areas) if areas == expected[seed as usize] => {}
                other => wrong.push(other),
            }
        }
        wrong
    };
    let wrong: Vec<_> = join_all((0..CLIENTS).map(call))
        .await
        .into_iter()
        .flatten()
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(server.end().0, 0);
}
