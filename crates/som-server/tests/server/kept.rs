//! Images that are sent once and named by digest.

use std::io::Write as _;

use image::ImageFormat;
use sha2::{Digest as _, Sha256};
use som_proto::{
    pb::v1::{self as pb, image::Content, som_service_client::SomServiceClient},
    region,
};
use tonic::{Code, Request, Status, transport::Channel};

use crate::{
    som::{SIZE, encoded, file, image, png},
    support::{front, som},
};

fn digest_of(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

async fn segment(
    client: &mut SomServiceClient<Channel>,
    image: Option<pb::Image>,
    token: &str,
) -> Result<pb::ImageInfo, Status> {
    let mut request = Request::new(pb::SegmentRequest {
        image,
        ..pb::SegmentRequest::default()
    });
    if !token.is_empty() {
        let token = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", token);
    }
    let answer = client.segment(request).await?.into_inner();
    Ok(answer.image.unwrap())
}

fn by_digest(digest: Vec<u8>) -> Option<pb::Image> {
    image(Content::Sha256(digest.into()))
}

#[tokio::test]
async fn an_image_that_was_kept_can_be_named_by_its_digest() {
    let (server, _) = front("").await;
    let mut client = som(&server).await;
    let bytes = encoded(ImageFormat::Png);
    let digest = digest_of(&bytes);

    // Sent without keep, it is not there.
    let info = segment(&mut client, png(), "").await.unwrap();
    assert!(info.sha256.is_empty());
    let status = segment(&mut client, by_digest(digest.clone()), "").await;
    assert_eq!(status.unwrap_err().code(), Code::NotFound);

    let info = segment(&mut client, file(bytes, true), "").await.unwrap();
    assert_eq!(info.sha256, digest);
    let named = segment(&mut client, by_digest(digest.clone()), "").await;
    let named = named.unwrap();
    assert_eq!(named.size.map(region::size_from_wire), Some(SIZE));
    assert_eq!(named.sha256, digest);
    let request = |image| pb::MarkRequest {
        image,
        ..pb::MarkRequest::default()
    };
    let sent = client.mark(request(png())).await.unwrap().into_inner();
    let named = client.mark(request(by_digest(digest))).await.unwrap();
    assert_eq!(sent.pages, named.into_inner().pages);
}

/// However an image is named, what is odd about its file is told.
#[tokio::test]
async fn notes_are_kept_with_an_image() {
    let (server, _) = front("").await;
    let mut client = som(&server).await;
    let mut odd = encoded(ImageFormat::Png);
    // The checksum of the pixels stands before the 12 bytes of the end.
    let at = odd.len() - 13;
    odd[at] ^= 1;
    let digest = digest_of(&odd);
    let sent = segment(&mut client, file(odd, true), "").await.unwrap();
    let named = segment(&mut client, by_digest(digest), "").await.unwrap();
    assert_eq!(sent.notes, named.notes);
    let [note] = sent.notes.as_slice() else {
        panic!("{:?}", sent.notes);
    };
    assert_eq!(note.kind(), pb::ImageNoteKind::WrongChecksum);
    assert!(note.text.ends_with("IDAT"), "{}", note.text);
    let usual = segment(&mut client, png(), "").await.unwrap();
    assert_eq!(usual.notes, []);
}

/// Whoever else sends the same file, and however it is to be read.
#[tokio::test]
async fn a_digest_names_a_file_as_the_settings_have_it_read() {
    let (server, _) = front("[images]\nbackground = \"#ff0000\"").await;
    let mut client = som(&server).await;
    let glass = image::RgbaImage::from_pixel(40, 30, image::Rgba([0, 0, 0, 0]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    glass.write_to(&mut bytes, ImageFormat::Png).unwrap();
    let bytes = bytes.into_inner();
    let digest = digest_of(&bytes);
    let on = |background: &str| {
        image(Content::Encoded(pb::EncodedImage {
            data: bytes.clone().into(),
            keep: true,
            background: background.to_owned(),
            ..pb::EncodedImage::default()
        }))
    };
    let page = async |client: &mut SomServiceClient<Channel>, image| {
        let request = pb::MarkRequest {
            image,
            regions: Some(pb::RegionList::default()),
            ..pb::MarkRequest::default()
        };
        let answer = client.mark(request).await.unwrap().into_inner();
        let page = image::load_from_memory(&answer.pages[0].data).unwrap();
        (
            page.into_rgb8().get_pixel(0, 0).0,
            answer.image.unwrap().sha256,
        )
    };
    let (red, green) = ([255, 0, 0], [0, 255, 0]);
    let none = Vec::new();
    assert_eq!(
        page(&mut client, on("")).await,
        (red, digest.clone().into())
    );
    assert_eq!(page(&mut client, on("#00ff00")).await, (green, none.into()));
    // Said, it is still what is usual.
    assert_eq!(
        page(&mut client, on("#ff0000")).await,
        (red, digest.clone().into())
    );
    let named = page(&mut client, by_digest(digest.clone())).await;
    assert_eq!(named, (red, digest.into()));
}

#[tokio::test]
async fn what_one_token_kept_no_other_can_name() {
    const ALICE: &str = "alice-0123456789";
    const BOB: &str = "bob-0123456789-x";
    let mut files = [ALICE, BOB].map(|_| tempfile::NamedTempFile::new().unwrap());
    for (file, token) in files.iter_mut().zip([ALICE, BOB]) {
        file.write_all(token.as_bytes()).unwrap();
    }
    let (server, _) = front(&format!(
        "[server.token]\nalice.file = {:?}\nbob.file = {:?}",
        files[0].path(),
        files[1].path()
    ))
    .await;
    let mut client = som(&server).await;
    let bytes = encoded(ImageFormat::Png);
    let digest = digest_of(&bytes);
    segment(&mut client, file(bytes, true), ALICE)
        .await
        .unwrap();
    assert!(
        segment(&mut client, by_digest(digest.clone()), ALICE)
            .await
            .is_ok()
    );
    let status = segment(&mut client, by_digest(digest), BOB).await;
    assert_eq!(status.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn older_images_leave_when_the_budget_is_full() {
    // Room for two images of 240 x 160 x 3 bytes.
    let (server, _) = front("[server]\nkept_bytes = 250000").await;
    let mut client = som(&server).await;
    let files = [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Tiff].map(encoded);
    for bytes in &files {
        let info = segment(&mut client, file(bytes.clone(), true), "").await;
        assert_eq!(info.unwrap().sha256, digest_of(bytes));
    }
    for (bytes, is_kept) in files.iter().zip([false, true, true]) {
        let named = segment(&mut client, by_digest(digest_of(bytes)), "").await;
        assert_eq!(named.is_ok(), is_kept);
    }

    let (server, _) = front("[server]\nkept_bytes = 100000").await;
    let info = segment(&mut som(&server).await, file(files[0].clone(), true), "").await;
    assert!(
        info.unwrap().sha256.is_empty(),
        "larger than all of the budget"
    );
}
