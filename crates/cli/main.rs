//! The `som` command.

fn main() {}
