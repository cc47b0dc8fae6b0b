//! Video files, through the program `ffmpeg`, which is looked for when one is needed.

use std::{
    io::{self, ErrorKind as Io},
    path::Path,
    process::{Command, Stdio},
};

use som_core::{Error, Result};

/// Writes every frame of `video` as a PNG into `folder`; returns the frames a second, where they are known.
///
/// # Errors
/// Unavailable without `ffmpeg`; Invalid for a file that it does not read.
pub(super) fn unpack(video: &Path, folder: &Path) -> Result<Option<f64>> {
    // Every frame once, however long it is shown.
    let mut command = ffmpeg();
    command
        .arg("-i")
        .arg(video)
        .args(["-map", "0:v:0", "-fps_mode", "passthrough"])
        .args(["-start_number", "0"])
        .arg(folder.join("%08d.png"));
    run(
        command,
        "it is no image that som reads, and a video is read by ffmpeg",
    )?;
    Ok(rate(video))
}

/// Makes a video of the PNGs in `folder`, numbered as [`unpack`] numbers them.
///
/// # Errors
/// Unavailable without `ffmpeg`; Invalid, if it does not write such a file.
pub(super) fn pack(folder: &Path, rate: f64, video: &Path) -> Result<()> {
    let mut command = ffmpeg();
    command
        .args(["-y", "-framerate", &rate.to_string(), "-start_number", "0"])
        .arg("-i")
        .arg(folder.join("%08d.png"))
        // Most players want even sides and halved colours.
        .args([
            "-vf",
            "pad=ceil(iw/2)*2:ceil(ih/2)*2",
            "-pix_fmt",
            "yuv420p",
        ])
        .arg(video);
    run(command, "a video is written by ffmpeg")
}

fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-nostdin", "-hide_banner", "-loglevel", "error"])
        .stdin(Stdio::null());
    command
}

fn run(mut command: Command, why: &str) -> Result<()> {
    let ended = command.output().map_err(|error| unavailable(&error, why))?;
    if ended.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    let said = said.lines().rfind(|line| !line.trim().is_empty());
    Err(Error::invalid(format!(
        "ffmpeg: {}",
        said.unwrap_or("it failed without a word").trim()
    )))
}

fn unavailable(error: &io::Error, why: &str) -> Error {
    let what = match error.kind() {
        Io::NotFound => {
            "which is not installed (install it, or give a folder of frames)".to_owned()
        }
        _ => format!("which cannot be started: {error}"),
    };
    Error::unavailable(format!("{why}, {what}"))
}

/// Frames a second, as `ffprobe` tells; `None`, if it does not.
fn rate(video: &Path) -> Option<f64> {
    let told = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0"])
        .args(["-show_entries", "stream=avg_frame_rate", "-of", "csv=p=0"])
        .arg(video)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let told = String::from_utf8(told.stdout).ok()?;
    let (frames, seconds) = told.trim().split_once('/')?;
    let rate = frames.parse::<f64>().ok()? / seconds.parse::<f64>().ok()?;
    Some(rate).filter(|rate| rate.is_finite() && *rate > 0.0)
}
