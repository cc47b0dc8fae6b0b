//! Lets the plugin, and its tests, find libtorch at run time.

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    if let Ok(libtorch) = std::env::var("LIBTORCH") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{libtorch}/lib");
    }
    // A plugin that is shipped with its libtorch finds it beside itself.
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN");
}
