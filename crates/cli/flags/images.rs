//! How image files become pixels.

use clap::{ArgAction, Args};
use som_core::decode::{Background, DecodeOptions};

/// What is made of odd image files; what is not given is as in the settings.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Image files")]
pub(crate) struct ImageFlags {
    /// Stretch values of more than 8 bits, the darkest to black and the brightest to white
    /// [default: images.stretch of the settings]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub(crate) stretch: Option<bool>,
    /// What shows where an image is transparent: auto, white, black or a colour like #1f77b4
    /// [default: images.background of the settings]
    #[arg(long, value_name = "COLOR")]
    pub(crate) background: Option<Background>,
}

impl ImageFlags {
    /// What `usual` is with these flags.
    pub(crate) fn over(&self, usual: DecodeOptions) -> DecodeOptions {
        DecodeOptions {
            stretch: self.stretch.unwrap_or(usual.stretch),
            background: self.background.unwrap_or(usual.background),
            ..usual
        }
    }
}
