//! From an image to feature maps: the networks that come first in many segmenters.
//!
//! All read their sizes off the tensors, take a normalised image `[height, width, 3]`, and give maps
//! `[rows, columns, channels]`, from the finest to the coarsest.

mod focal;
mod hiera;
mod resnet;
mod swin;

pub use self::{
    focal::{Focal, FocalSizes, Stage as FocalStage},
    hiera::{Block as HieraBlock, Hiera, HieraSettings, HieraShapes, HieraSizes},
    resnet::{ResNet, ResNetSizes, Stage as ResNetStage},
    swin::{Stage as SwinStage, Swin, SwinSizes},
};
