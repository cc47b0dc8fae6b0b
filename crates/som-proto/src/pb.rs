//! The generated code, in modules named as the protobuf packages. `proto/` documents it.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::needless_pass_by_value
)]

use prost::Message as _;

/// Package `som.v1`.
pub mod v1 {
    tonic::include_proto!("som.v1");
}

/// Package `som.plugin`.
pub mod plugin {
    /// Package `som.plugin.v1`.
    pub mod v1 {
        tonic::include_proto!("som.plugin.v1");
    }
}

/// All of `proto/` and what it imports, as an encoded `FileDescriptorSet`: for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/som.bin"));

/// One rpc.
#[derive(Clone, Debug)]
pub struct Rpc {
    /// Such as `som.v1.SomService/Mark`.
    pub name: String,
    /// It takes any number of requests.
    pub takes_stream: bool,
}

/// All rpcs.
pub fn rpcs() -> Vec<Rpc> {
    let descriptors = prost_types::FileDescriptorSet::decode(FILE_DESCRIPTOR_SET);
    let files = descriptors.map(|set| set.file).unwrap_or_default();
    let mut rpcs = Vec::new();
    for file in files {
        for service in &file.service {
            for method in &service.method {
                let (package, service, method_name) =
                    (file.package(), service.name(), method.name());
                rpcs.push(Rpc {
                    name: format!("{package}.{service}/{method_name}"),
                    takes_stream: method.client_streaming(),
                });
            }
        }
    }
    rpcs
}
