//! `som lmm`: which models there are, and whether one can read marks.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;
use som_core::{Cancellation, Error, ProviderInfo, Result};
use som_engine::Probe;

use crate::{
    General,
    ask::ending,
    output::Output,
    report::milliseconds,
    session::{InkOptions, Local, RegionOptions},
};

#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the models in the settings
    List(ListOptions),
    /// Ask a model one small question with a known answer: does it see images, does it keep to a
    /// JSON schema, can it read marks, how long does it take?
    Test(TestOptions),
}

#[derive(Args)]
struct ListOptions {
    /// Print JSON, with how each model sees images
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct TestOptions {
    /// The model, by its name in the settings
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Lists or tests.
pub(crate) async fn run(
    options: &Options,
    general: &General,
    stop: &Cancellation,
) -> Result<ExitCode> {
    match &options.command {
        Command::List(options) => list(options, general),
        Command::Test(options) => test(options, general, stop).await,
    }
}

fn list(options: &ListOptions, general: &General) -> Result<ExitCode> {
    let (settings, _) = general.ladder().load()?;
    let lmms = settings.lmms(|name| std::env::var(name).ok())?;
    let text = if options.json {
        let models: Vec<_> = lmms
            .list()
            .map(|info| as_json(info, &settings.ask.lmm))
            .collect();
        to_text(&models)?
    } else {
        let lines = lmms.list().map(|info| as_line(info, &settings.ask.lmm));
        lines.collect()
    };
    Output::Stdout.write(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn as_line(info: &ProviderInfo, default: &str) -> String {
    let can = |can: bool, what: &'static str| can.then_some(what);
    let abilities = [
        can(info.vision, "vision"),
        can(info.structured, "structured"),
        can(info.name == default, "default"),
    ];
    let abilities: Vec<&str> = abilities.into_iter().flatten().collect();
    let ProviderInfo {
        name,
        provider,
        model,
        ..
    } = info;
    format!(
        "{name:<12}  {provider:<17}  {model:<32}  {}\n",
        abilities.join(", ")
    )
}

fn as_json(info: &ProviderInfo, default: &str) -> serde_json::Value {
    json!({
        "name": info.name,
        "provider": info.provider,
        "model": info.model,
        "vision": info.vision,
        "structured": info.structured,
        "context_tokens": info.context_tokens,
        "prices": info.prices,
        "images": info.images,
        "default": info.name == default,
    })
}

async fn test(options: &TestOptions, general: &General, stop: &Cancellation) -> Result<ExitCode> {
    let session = Local::open(
        general.ladder(),
        RegionOptions::default(),
        InkOptions::default(),
        None,
        1,
    )
    .await?;
    let probe = session.engine.probe(&options.name, stop).await?;
    let text = match options.json {
        true => to_text(&json!({
            "lmm": options.name,
            "provider": probe.lmm.provider,
            "model": probe.lmm.model,
            "asked": probe.asked,
            "right": probe.right,
            "structured": probe.structured,
            "took_ms": milliseconds(probe.took),
            "usage": probe.usage,
            "cost_usd": probe.cost,
            "answer": probe.text,
            "finish": probe.finish,
        }))?,
        false => told(&options.name, &probe),
    };
    Output::Stdout.write(text.as_bytes())?;
    // Three of six by chance are less likely than one in fifty.
    let reads = probe.right * 2 > probe.asked;
    Ok(ExitCode::from(u8::from(!reads)))
}

fn told(name: &str, probe: &Probe) -> String {
    let Probe {
        lmm, asked, right, ..
    } = probe;
    let structured = match probe.structured {
        None => "not offered; the answer was read as text",
        Some(true) => "yes",
        Some(false) => "no: the answer is no JSON",
    };
    let reads = match right {
        right if right == asked => "yes",
        right if right * 2 > *asked => "mostly",
        _ => "no",
    };
    let ended = ending(&probe.finish, &probe.text).unwrap_or_else(|| "complete".to_owned());
    let mut text = format!(
        "{name}: {} ({})\n  answer        {ended}\n  JSON schema   {structured}\n  reads marks   {reads}: {right} of {asked} right\n  latency       {:.2} s\n",
        lmm.model,
        lmm.provider,
        probe.took.as_secs_f64()
    );
    if let Some(usage) = probe.usage {
        let cost = probe.cost.map(|cost| format!(", ${cost:.4}"));
        text.push_str(&format!(
            "  tokens        {} + {}{}\n",
            usage.input_tokens,
            usage.output_tokens,
            cost.unwrap_or_default()
        ));
    }
    if right < asked {
        text.push_str("  it said       ");
        text.push_str(&probe.text.trim().replace('\n', "\n                "));
        text.push('\n');
    }
    text
}

fn to_text(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| Error::internal("the list is no JSON").caused_by(error))
}
