//! Sums over sums: what every mean here is.

use std::ops::AddAssign;

/// A sum over what it is a share of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ratio {
    /// What is summed.
    pub sum: f64,
    /// Over how much.
    pub of: f64,
}

impl Ratio {
    /// `sum` over `of`.
    pub const fn new(sum: f64, of: f64) -> Self {
        Self { sum, of }
    }

    /// One value of a mean.
    pub const fn one(value: f64) -> Self {
        Self::new(value, 1.0)
    }

    /// One hit or miss of a share.
    pub fn hit(is_hit: bool) -> Self {
        Self::one(f64::from(u8::from(is_hit)))
    }

    /// The quotient; `None` over nothing.
    pub fn value(self) -> Option<f64> {
        (self.of > 0.0).then(|| self.sum / self.of)
    }
}

impl AddAssign for Ratio {
    fn add_assign(&mut self, other: Self) {
        self.sum += other.sum;
        self.of += other.of;
    }
}

impl<'a> std::iter::Sum<&'a Ratio> for Ratio {
    fn sum<I: Iterator<Item = &'a Ratio>>(ratios: I) -> Self {
        ratios.fold(Self::default(), |mut all, ratio| {
            all += *ratio;
            all
        })
    }
}
