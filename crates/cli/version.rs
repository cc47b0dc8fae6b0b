//! `som --version`: what this program was built from, and how.

/// The version alone, for `-V`.
pub(crate) const SHORT: &str = env!("CARGO_PKG_VERSION");

/// The facts of the build, collected by `build.rs`.
pub(crate) const LONG: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\ncommit:  ",
    env!("SOM_BUILD_COMMIT"),
    "\ntarget:  ",
    env!("SOM_BUILD_TARGET"),
    "\nrustc:   ",
    env!("SOM_BUILD_RUSTC"),
    "\nprofile: ",
    env!("SOM_BUILD_PROFILE"),
);
