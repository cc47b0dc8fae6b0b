//! Tests of the whole: one module per concern.

// A test fails by panicking; clippy knows that of test functions, not of what they call.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// The sentences of crates/README.md, held to.
mod architecture;
// `som mark` and `som segment` on photographs.
mod cli;
// Bad input, full disks, folders in the way.
mod cli_errors;
// One run after another: what an earlier one left, what is passed over.
mod runs;
// What is left out or done otherwise is told.
mod silence;
// Defaults of one's own in the settings.
mod defaults;
// The commands of README.md, as they stand.
mod readme;
// Help, version, settings, completions, logs.
mod cli_text;
// `som serve` and `som backend`, and the commands against a server.
mod serve;
// Servers under load and faults, and their clients in Python.
mod load;
// What servers tell: logs without secrets, traces.
mod telemetry;
// The same from here and from a server; files that are read side by side.
mod both;
// Segmenters made of two, and `--refine`.
mod refine;
// `--granularity`: one slider over all segmenters.
mod granularity;
// `som track`: objects through videos.
mod track;
// `som ask` and `som lmm` with the baseline that needs no model.
mod ask;
// `som compare`: rows side by side, what each took, and how far they agree.
mod compare;
// `som ask --dry-run`: what would be sent is what is sent.
mod dry_run;
// `som eval`: data sets looked at, samples asked, runs scored, told and compared.
mod eval;
// The JSON of the commands, and COCO.
mod json;
// Files of regions, in and out.
mod formats;
// The weights of learned segmenters: listed, fetched, checked.
mod models;
// A large multimodal model that says what a test has it say.
mod model;
// The `som` command as a user runs it.
mod som;
// Plugins from outside: built, loaded, examined, and wrong in every way.
mod plugin;
// Learned segmenters, end to end.
mod learned;
// Rust sources as tokens, for the sentences that speak of code.
mod source;
