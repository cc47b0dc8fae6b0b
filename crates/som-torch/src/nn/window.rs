//! Windows of a feature map, as window attention sees it.

use tch::Tensor;

use crate::TorchResult;

/// How a `rows` x `columns` map is cut into windows of `height` x `width`; those at the right and at
/// the bottom may reach beyond the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    rows: i64,
    columns: i64,
    height: i64,
    width: i64,
}

impl Windows {
    /// Square windows of side `side` over a map of `rows` x `columns`.
    pub const fn new(rows: i64, columns: i64, side: i64) -> Self {
        Self {
            rows,
            columns,
            height: side,
            width: side,
        }
    }

    /// One window, which is the whole map.
    pub const fn whole(rows: i64, columns: i64) -> Self {
        Self {
            rows,
            columns,
            height: rows,
            width: columns,
        }
    }

    /// Number of windows.
    pub const fn count(self) -> i64 {
        let (down, across) = self.grid();
        down * across
    }

    /// Rows and columns of each window.
    pub const fn size(self) -> [i64; 2] {
        [self.height, self.width]
    }

    /// Cuts queries, keys and values `[rows, columns, 3 · heads · width]` into
    /// `[3, windows, heads, places, width]`, the places of a window row by row. Beyond the map lies
    /// `beyond`, the same `[3 · heads · width]` everywhere.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn partition(self, qkv: &Tensor, beyond: &Tensor, heads: i64) -> TorchResult<Tensor> {
        let Self { height, width, .. } = self;
        let (down, across) = self.grid();
        let whole = self.rows % height == 0 && self.columns % width == 0;
        let windows = if whole {
            qkv.f_view(&[down, height, across, width, 3, heads, -1] as &[i64])?
                .f_permute([4, 0, 2, 5, 1, 3, 6])?
                .f_contiguous()?
        } else {
            let windows = beyond
                .f_view(&[3, 1, 1, heads, 1, 1, -1] as &[i64])?
                .f_expand([3, down, across, heads, height, width, -1], false)?
                .f_contiguous()?;
            for part in self.parts() {
                let inside = part
                    .of_map(qkv)?
                    .f_view(&[
                        part.down,
                        part.height,
                        part.across,
                        part.width,
                        3,
                        heads,
                        -1,
                    ] as &[i64])?
                    .f_permute([4, 0, 2, 5, 1, 3, 6])?;
                part.of_windows(&windows, [1, 2, 4, 5])?.f_copy_(&inside)?;
            }
            windows
        };
        windows.f_view([3, down * across, heads, height * width, -1])
    }

    /// Puts `[windows, heads, places, width]` together to `[rows, columns, heads · width]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn merge(self, windows: &Tensor) -> TorchResult<Tensor> {
        let Self { rows, columns, .. } = self;
        let (_, heads, _, width) = windows.size4()?;
        let (down, across) = self.grid();
        let windows = windows.f_view([down, across, heads, self.height, self.width, width])?;
        let map = Tensor::f_empty(
            [rows, columns, heads * width],
            (windows.kind(), windows.device()),
        )?;
        for part in self.parts() {
            let inside = part
                .of_windows(&windows, [0, 1, 3, 4])?
                .f_permute([0, 3, 1, 4, 2, 5])?;
            part.of_map(&map)?
                .f_view([
                    part.down,
                    part.height,
                    part.across,
                    part.width,
                    heads,
                    width,
                ])?
                .f_copy_(&inside)?;
        }
        Ok(map)
    }

    const fn grid(self) -> (i64, i64) {
        (
            (self.rows + self.height - 1) / self.height,
            (self.columns + self.width - 1) / self.width,
        )
    }

    /// The rectangles of the map whose windows lie inside it equally far: the whole windows, and
    /// those cut at the right, at the bottom, and at both.
    fn parts(self) -> Vec<Part> {
        let cuts = |extent: i64, window: i64| {
            let whole = extent / window;
            let rest = extent % window;
            let cuts = [(0, whole, window), (whole, 1, rest)];
            cuts.into_iter()
                .filter(|&(_, count, inside)| count > 0 && inside > 0)
        };
        let part = |(row, down, height), (column, across, width)| Part {
            row,
            column,
            down,
            across,
            height,
            width,
            window: self.size(),
        };
        cuts(self.rows, self.height)
            .flat_map(|rows| cuts(self.columns, self.width).map(move |columns| part(rows, columns)))
            .collect()
    }
}

/// `down` x `across` windows from window (`row`, `column`) on, of each of which the first
/// `height` rows and `width` columns lie in the map.
struct Part {
    row: i64,
    column: i64,
    down: i64,
    across: i64,
    height: i64,
    width: i64,
    window: [i64; 2],
}

impl Part {
    /// This part of a map `[rows, columns, …]`.
    fn of_map(&self, map: &Tensor) -> TorchResult<Tensor> {
        let [height, width] = self.window;
        map.f_narrow(0, self.row * height, self.down * self.height)?
            .f_narrow(1, self.column * width, self.across * self.width)
    }

    /// This part of windows, whose axes for window row, window column, row and column are given.
    fn of_windows(&self, windows: &Tensor, axes: [i64; 4]) -> TorchResult<Tensor> {
        let [down, across, height, width] = axes;
        windows
            .f_narrow(down, self.row, self.down)?
            .f_narrow(across, self.column, self.across)?
            .f_narrow(height, 0, self.height)?
            .f_narrow(width, 0, self.width)
    }
}
