//! Compiles `proto/` with protox, so that no protoc is needed, and keeps the descriptors for
//! server reflection.

use std::{env, error::Error, fs, path::Path};

use prost::Message as _;

const ROOT: &str = "../../proto";
const FILES: [&str; 6] = [
    "som/v1/types.proto",
    "som/v1/ask.proto",
    "som/v1/track.proto",
    "som/v1/som.proto",
    "som/v1/catalog.proto",
    "som/plugin/v1/segmenter.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={ROOT}");
    let descriptors = protox::Compiler::new([ROOT])?
        .include_imports(true)
        .include_source_info(true)
        .open_files(FILES)?
        .file_descriptor_set();
    fs::write(
        Path::new(&env::var("OUT_DIR")?).join("som.bin"),
        descriptors.encode_to_vec(),
    )?;
    let mut config = prost_build::Config::new();
    config.enable_type_names();
    // `Bytes` fields share the memory of the received message: no copy of an image.
    tonic_prost_build::configure()
        .bytes(".")
        .codec_path("crate::codec::Codec")
        .compile_fds_with_config(descriptors, config)?;
    Ok(())
}
