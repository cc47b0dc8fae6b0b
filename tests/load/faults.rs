use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use serde_json::json;
use som_client::Client;
use som_core::{Error, ErrorKind, Result};
use tokio::task::JoinSet;

use super::{areas, behind, mark, picture};
use crate::{
    plugin::build::{misbehave, rust_library},
    som::{Folder, Served},
};

/// Clients that call without a pause until they are stopped.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: JoinSet<Vec<Error>>,
}

impl Load {
    fn start(server: &Served, clients: u32) -> Self {
        let (stop, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let mut load = Self {
            stop: stop.clone(),
            answered: answered.clone(),
            clients: JoinSet::new(),
        };
        for seed in 0..clients {
            let (stop, answered, client) = (stop.clone(), answered.clone(), server.client());
            load.clients.spawn(async move {
                let mut errors = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    match client.mark(&mark(&picture(seed), json!({}))).await {
                        Ok(_) => drop(answered.fetch_add(1, Ordering::Relaxed)),
                        Err(error) => errors.push(error),
                    }
                }
                errors
            });
        }
        load
    }

    fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// Waits until another `more` calls were answered.
    async fn go_on(&self, more: usize) {
        let goal = self.answered() + more;
        while self.answered() < goal {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What went wrong with any call.
    async fn stop(self) -> Vec<Error> {
        self.stop.store(true, Ordering::Relaxed);
        self.clients
            .join_all()
            .await
            .into_iter()
            .flatten()
            .collect()
    }
}

/// Two backends of a segmenter that takes no time, and the front before them.
struct Fleet {
    folder: Folder,
    front: Served,
    backends: [Served; 2],
}

impl Fleet {
    fn start() -> Self {
        let folder = Folder::new();
        let library = misbehave(&[]);
        folder.write(
            "plugins.toml",
            format!("[plugins]\nlibraries = [{library:?}]\n"),
        );
        let backends = ["127.0.0.1:0"; 2].map(|address| backend(&folder, address));
        folder.write("front.toml", behind(&[&backends[0], &backends[1]]));
        let front = ["serve", "--config", "front.toml"];
        Self {
            front: Served::start(&folder, &front, &[]),
            folder,
            backends,
        }
    }
}

fn backend(folder: &Folder, address: &str) -> Served {
    let arguments = [
        "backend",
        "--segmenter",
        "misbehave",
        "--config",
        "plugins.toml",
        "--listen",
        address,
    ];
    Served::start(folder, &arguments, &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_backends_lose_no_request() {
    const KILLS: usize = 50;
    let Fleet {
        folder,
        front,
        mut backends,
    } = Fleet::start();
    let load = Load::start(&front, 8);
    for turn in 0..KILLS {
        load.go_on(20).await;
        let killed = &mut backends[turn % 2];
        killed.kill();
        load.go_on(4).await;
        *killed = tokio::task::block_in_place(|| backend(&folder, &killed.address));
    }
    load.go_on(20).await;
    let answered = load.answered();
    let errors = load.stop().await;
    assert!(errors.is_empty(), "of {answered} calls: {errors:#?}");
}

/// A call that ends the process it reaches, time after time. Someone starts processes again, as a
/// service manager does.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_ends_its_backend_costs_itself_alone() {
    let Fleet {
        folder,
        front,
        mut backends,
    } = Fleet::start();
    let load = Load::start(&front, 4);
    load.go_on(20).await;
    let (client, manager_stop) = (front.client(), Arc::<AtomicBool>::default());
    let stop = manager_stop.clone();
    let manager = thread::spawn(move || {
        let mut restarts = 0;
        while !stop.load(Ordering::Relaxed) {
            for ended in backends.iter_mut().filter_map(Served::if_ended) {
                *ended = backend(&folder, &ended.address);
                restarts += 1;
            }
            thread::sleep(Duration::from_millis(10));
        }
        restarts
    });
    let poison = mark(&picture(0), json!({"fault": "exits"}));
    let error = client.mark(&poison).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    load.go_on(20).await;
    let errors = load.stop().await;
    manager_stop.store(true, Ordering::Relaxed);
    let restarts = manager.join().unwrap();
    assert!(errors.is_empty(), "{errors:#?}");
    assert!((1..=3).contains(&restarts), "{restarts} processes ended");
}

/// Asks for a fault once, and for regions after; loaded in the server itself, and behind it.
async fn costs_one_call(plugin: &str, segmenter: &str, fault: serde_json::Value, kind: ErrorKind) {
    let folder = Folder::new();
    let impatient =
        format!("[server]\ndeadline_ms = 1500\n[segmenter.{segmenter}]\ngrace_ms = 100\n");
    let loaded = format!(
        "{impatient}[mark]\nsegmenter = {segmenter:?}\n[plugins]\nlibraries = [{plugin:?}]\n"
    );
    folder.write("som.toml", &loaded);
    let near = Served::start(&folder, &["serve"], &[]);
    let backend = Served::start(&folder, &["backend", "--segmenter", segmenter], &[]);
    folder.write(
        "som.toml",
        behind(&[&backend]).replace("[mark]", "[server]\ndeadline_ms = 1500\n[mark]"),
    );
    let far = Served::start(&folder, &["serve"], &[]);
    for (place, server) in [("near", near), ("far", far)] {
        let client = server.client();
        let ask = async |told| areas(client.mark(&mark(&picture(1), told)).await);
        let before = ask(json!({})).await.unwrap();
        let error = ask(fault.clone()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{place}: {error}");
        // A hanging instance is replaced after its grace.
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(ask(json!({})).await.unwrap(), before, "{place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_panics_costs_one_call() {
    let library = rust_library("panicky-plugin");
    let fault = json!({"panic": "segment"});
    let library = library.to_str().unwrap();
    costs_one_call(library, "panicky", fault, ErrorKind::Internal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_hangs_costs_one_call() {
    let library = misbehave(&[]);
    let fault = json!({"fault": "hangs"});
    let library = library.to_str().unwrap();
    costs_one_call(library, "misbehave", fault, ErrorKind::Cancelled).await;
}

/// Calls until the server is there again.
async fn until_answered(client: &Client) -> Result<Vec<u64>> {
    let mut answer = areas(client.mark(&mark(&picture(1), json!({}))).await);
    for _ in 0..100 {
        match &answer {
            Err(error) if error.kind() == ErrorKind::Unavailable => {}
            _ => break,
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        answer = areas(client.mark(&mark(&picture(1), json!({}))).await);
    }
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_amid_a_stream_is_told_and_its_port_taken_again() {
    let folder = Folder::new();
    let mut server = Served::start(&folder, &["serve"], &[]);
    let (client, address) = (server.client(), server.address.clone());
    let endless = stream::repeat_with(|| mark(&picture(1), json!({})));
    let mut answers = Box::pin(client.mark_stream(endless).await.unwrap());
    for _ in 0..3 {
        assert!(answers.next().await.unwrap().is_ok());
    }
    server.kill();
    // What was on its way may still come.
    let mut last = answers.next().await;
    while let Some(Ok(_)) = last {
        last = answers.next().await;
    }
    let error = last.expect("an error before the end").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(answers.next().await.is_none());

    let again = Served::start(&folder, &["serve", "--listen", &address], &[]);
    assert!(!until_answered(&client).await.unwrap().is_empty());
    assert_eq!(again.end().0, 0);
}
