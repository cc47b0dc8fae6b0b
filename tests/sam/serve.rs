use std::fs;

use serde_json::Value;
use som_core::{Mask, Rle};

use super::{Sam, library};
use crate::som::{Ran, Served};

/// A click on the ellipse in the image.
const CLICK: [&str; 2] = ["--hint", "point:40,115"];

/// `som serve` with the segmenter and these weights.
fn serve(sam: &Sam, weights: &str) -> Served {
    let library = library().unwrap();
    let settings = format!(
        "[plugins]\nlibraries = ['{}']\n[segmenter.sam]\nweights = '{weights}'\ndevice = 'cpu'\n",
        library.display()
    );
    sam.folder.write("som.toml", settings);
    Served::start(&sam.folder, &["serve"], &[])
}

/// Has the server cut the image.
fn segment(sam: &Sam, server: &Served, arguments: &[&str]) -> Ran {
    let (image, url) = (sam.file("image.png"), server.url());
    let command = ["segment", &image, "--server", &url, "--segmenter", "sam"];
    sam.folder.som(&[&command[..], arguments].concat())
}

#[track_caller]
fn assert_same(regions: &Value, expected: &[&Value]) {
    let mask = |rle: &Value| {
        let rle: Rle = serde_json::from_value(rle.clone()).unwrap();
        Mask::from_rle(&rle).unwrap()
    };
    let regions = regions.as_array().unwrap();
    assert_eq!(regions.len(), expected.len());
    for (region, expected) in regions.iter().zip(expected) {
        assert!(mask(&region["segmentation"]).iou(&mask(expected)) >= 0.99);
    }
}

#[test]
fn the_service_finds_what_the_official_project_finds() {
    let Some(sam) = Sam::open("shapes") else {
        return;
    };
    let server = serve(&sam, &sam.file("checkpoint.pth"));
    let expected = sam.expected();
    let setting = &expected["amg"]["default"];
    let params = setting["params"].as_object().unwrap().iter();
    let params: Vec<String> = params
        .filter(|(key, _)| *key != "output_mode")
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let params: Vec<&str> = params.iter().flat_map(|param| ["--set", param]).collect();
    let found = segment(&sam, &server, &params).succeeded().json();
    let masks = setting["masks"].as_array().unwrap().iter();
    let masks: Vec<&Value> = masks.map(|mask| &mask["segmentation"]).collect();
    assert_same(&found["regions"], &masks);

    let clicked = segment(&sam, &server, &CLICK).succeeded().json();
    let masks = &expected["predict"]["point_ellipse"]["masks"];
    assert_same(
        &clicked["regions"],
        &masks.as_array().unwrap().iter().collect::<Vec<_>>(),
    );
}

#[test]
fn the_next_request_works() {
    let Some(sam) = Sam::open("shapes") else {
        return;
    };
    let server = serve(&sam, &sam.file("checkpoint.pth"));
    for wrong in [
        ["--set", "points_per_side=null"],
        ["--set", "crop_n_layers=7"],
        ["--hint", "point:4000,1"],
    ] {
        let ran = segment(&sam, &server, &wrong);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        let found = segment(&sam, &server, &CLICK).succeeded().json();
        assert_eq!(found["regions"].as_array().unwrap().len(), 3);
    }
}

#[test]
fn a_server_whose_weights_are_wrong_says_so_at_every_call_and_lives() {
    let Some(sam) = Sam::open("shapes") else {
        return;
    };
    let weights = sam
        .folder
        .write("words.pth", "these are no weights, just words");
    let server = serve(&sam, weights.to_str().unwrap());
    for _ in 0..2 {
        let ran = segment(&sam, &server, &CLICK);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("words.pth"), "{}", ran.stderr);
    }
    // Weights that turn up later are used without a restart.
    fs::copy(sam.file("checkpoint.pth"), &weights).unwrap();
    segment(&sam, &server, &CLICK).succeeded();
}
