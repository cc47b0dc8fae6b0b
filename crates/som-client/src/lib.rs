//! A client of som's gRPC services.
//!
//! A [`Connection`] says where the server is and what it takes to get in; a [`Client`] calls it.
//! Requests and answers are those of [`som_proto::pb`], which `proto/` documents.
//!
//! ```no_run
//! use som_client::{Client, Connection};
//! use som_proto::pb::v1 as pb;
//!
//! # async fn example() -> som_core::Result<()> {
//! let client = Client::new(&Connection::to("http://127.0.0.1:50051"))?;
//! let data = std::fs::read("coffee.png").unwrap_or_default().into();
//! let content = pb::image::Content::Encoded(pb::EncodedImage { data, ..Default::default() });
//! let image = Some(pb::Image { content: Some(content) });
//! let answer = client.mark(&pb::MarkRequest { image, ..pb::MarkRequest::default() }).await?;
//! println!("{} marks", answer.marks.len());
//! # Ok(())
//! # }
//! ```

mod client;
mod connection;
mod failure;
mod trace;

pub use crate::{
    client::Client,
    connection::{Connection, Token},
    failure::explain,
};
