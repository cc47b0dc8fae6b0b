//! The flags that several subcommands take, as they are written; [`session`](crate::session)
//! finds out what they mean to whoever does the work.

pub(crate) mod assignment;
mod given;
pub(crate) mod hint;
mod images;
mod marks;
mod question;
mod refine;
mod regions;
mod row;
mod server;

use som_core::Result;

pub(crate) use self::{
    given::GivenFlags, images::ImageFlags, marks::MarkFlags, question::QuestionFlags,
    refine::RefineArgument, regions::RegionFlags, row::RowArgument, server::ServerFlags,
};

/// What one run is asked to do with every image.
#[derive(Default)]
pub(crate) struct Flags {
    /// How image files become pixels.
    pub(crate) images: ImageFlags,
    /// How regions are found.
    pub(crate) regions: RegionFlags,
    /// Regions that are given in place of those found.
    pub(crate) given: GivenFlags,
    /// There is one image, named as such.
    pub(crate) single: bool,
    /// How they are marked.
    pub(crate) marks: MarkFlags,
    /// The model that is asked; `None` for the usual one.
    pub(crate) lmm: Option<String>,
    /// The ways in which one question is asked.
    pub(crate) rows: Vec<RowArgument>,
    /// Who does the work.
    pub(crate) server: ServerFlags,
    /// Images at a time, each with a segmenter instance of its own.
    pub(crate) jobs: Option<u16>,
}

impl Flags {
    /// The refiners that are named, those of rows as well.
    ///
    /// # Errors
    /// As [`RowArgument::refine`].
    pub(crate) fn refiners(&self) -> Result<Vec<RefineArgument>> {
        let main = self.regions.refine.iter().cloned().map(Ok);
        let of_rows = self.rows.iter().filter_map(|row| row.refine().transpose());
        main.chain(of_rows).collect()
    }
}
