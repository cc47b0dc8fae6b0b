//! marked image → prompt: the text that goes with it.
