//! Lets what is linked to libtorch find it at run time: this crate's tests, and, since plugins name
//! this file as their build script, every plugin over libtorch with its tests and benches.

fn main() {
    // What the libraries in a plugin export for C is nobody else's business.
    println!("cargo:rustc-link-arg=-Wl,--exclude-libs,ALL");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    if let Ok(libtorch) = std::env::var("LIBTORCH") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{libtorch}/lib");
    }
    // A plugin that is moved finds the copy of it that was moved along: `libtorch` beside the folder
    // of the plugin, or `.libtorch` in the checkout that `target/plugins` is in.
    for home in ["../libtorch", "../../.libtorch"] {
        println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/{home}/torch/lib");
    }
}
