use std::fs;

use super::plugin::{Fixture, Plugin};
use crate::som::Served;

impl Fixture {
    /// The same through `som serve` with these weights, wherever they are.
    fn served(mut self, weights: &str) -> (Self, Served) {
        let (library, segmenter) = (self.library.display(), &self.table.segmenter);
        let config = self.file("config.json");
        let settings = format!(
            "[plugins]\nlibraries = ['{library}']\n[segmenter.{segmenter}]\nweights = '{weights}'\nconfig = '{config}'\ndevice = 'cpu'\n"
        );
        self.folder.write("som.toml", settings);
        let server = Served::start(&self.folder, &["serve"], &[]);
        self.how = vec!["--server".to_owned(), server.url()];
        (self, server)
    }
}

pub(super) fn the_service_finds_what_the_official_project_finds(plugin: &Plugin) {
    let Some(fixture) = plugin.usual() else {
        return;
    };
    let weights = fixture.file("checkpoint.pth");
    let (fixture, _server) = fixture.served(&weights);
    super::parity::all_cases(&fixture);
}

pub(super) fn the_next_request_works(plugin: &Plugin) {
    let Some(fixture) = plugin.usual() else {
        return;
    };
    let weights = fixture.file("checkpoint.pth");
    let (fixture, _server) = fixture.served(&weights);
    let quick = &fixture.table.tests.quick;
    let found = fixture.regions(quick).len();
    assert!(found > 0);
    for refused in &fixture.table.tests.refused {
        let ran = fixture.run("segment", &refused.arguments);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert_eq!(fixture.regions(quick).len(), found);
    }
}

pub(super) fn a_server_whose_weights_are_wrong_says_so_at_every_call_and_lives(plugin: &Plugin) {
    let Some(fixture) = plugin.usual() else {
        return;
    };
    let weights = fixture
        .folder
        .write("words.pth", "these are no weights, just words");
    let (fixture, _server) = fixture.served(weights.to_str().unwrap());
    let quick = &fixture.table.tests.quick;
    for _ in 0..2 {
        let ran = fixture.run("segment", quick);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("words.pth"), "{}", ran.stderr);
    }
    // Weights that turn up later are used without a restart.
    fs::copy(fixture.file("checkpoint.pth"), &weights).unwrap();
    fixture.run("segment", quick).succeeded();
}
