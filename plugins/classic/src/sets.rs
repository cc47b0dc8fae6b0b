//! Disjoint sets of numbers (union-find with path halving).

/// Sets of the members from 0 up; each set is named by one of its members, its root.
pub(crate) struct Sets {
    parents: Vec<u32>,
}

impl Sets {
    /// Every member alone.
    pub(crate) fn new(count: usize) -> Self {
        Self {
            parents: (0..count as u32).collect(),
        }
    }

    /// The root of the member's set.
    pub(crate) fn root(&mut self, mut member: u32) -> u32 {
        while self.parents[member as usize] != member {
            let grandparent = self.parents[self.parents[member as usize] as usize];
            self.parents[member as usize] = grandparent;
            member = grandparent;
        }
        member
    }

    /// Joins the set of one root to that of another, which stays the root.
    pub(crate) fn join(&mut self, root: u32, to: u32) {
        self.parents[root as usize] = to;
    }
}
