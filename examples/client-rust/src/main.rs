//! Marks a photograph on a server: `cargo run -p example-client -- coffee.png`, while `som serve`
//! runs.

use std::{env, error::Error, fs};

use som_client::{Client, Connection};
use som_proto::pb::v1::{EncodedImage, Image, MarkRequest, image::Content};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let photo = arguments
        .next()
        .ok_or("usage: example-client PHOTO [SERVER]")?;
    let server = arguments
        .next()
        .unwrap_or_else(|| "http://127.0.0.1:50051".to_owned());

    let client = Client::new(&Connection::to(server))?;
    let encoded = EncodedImage {
        data: fs::read(&photo)?.into(),
        keep: false,
        ..EncodedImage::default()
    };
    let request = MarkRequest {
        image: Some(Image {
            content: Some(Content::Encoded(encoded)),
        }),
        ..MarkRequest::default()
    };
    let answer = client.mark(&request).await?;

    for mark in &answer.marks {
        let area = mark.region.as_ref().map_or(0, |region| region.area);
        println!("mark {}: {area} pixels", mark.text);
    }
    for (number, page) in answer.pages.iter().enumerate() {
        let name = format!("{photo}.marked.{}.png", number + 1);
        fs::write(&name, &page.data)?;
        println!("{name}");
    }
    Ok(())
}
