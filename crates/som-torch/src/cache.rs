//! What was computed for an image, kept within a byte budget.

use std::{collections::HashMap, hash::Hash};

use sha2::{Digest as _, Sha256};
use som_core::Image;

/// Identifies an image by its size and pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ImageDigest([u8; 32]);

impl ImageDigest {
    /// The digest (SHA-256) of `image`.
    pub fn of(image: &Image<'_>) -> Self {
        let mut hash = Sha256::new();
        hash.update(image.width().to_le_bytes());
        hash.update(image.height().to_le_bytes());
        hash.update(image.as_raw());
        Self(hash.finalize().into())
    }
}

/// A map that forgets what was used longest ago once its values weigh more than the budget.
#[derive(Debug)]
pub struct ByteCache<K, V> {
    budget: u64,
    used: u64,
    clock: u64,
    entries: HashMap<K, Entry<V>>,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    bytes: u64,
    last_use: u64,
}

impl<K: Copy + Eq + Hash, V> ByteCache<K, V> {
    /// An empty cache of `budget` bytes.
    pub fn new(budget: u64) -> Self {
        Self {
            budget,
            used: 0,
            clock: 0,
            entries: HashMap::new(),
        }
    }

    /// The value kept for `key`.
    pub fn get(&mut self, key: K) -> Option<&V> {
        self.clock += 1;
        let entry = self.entries.get_mut(&key)?;
        entry.last_use = self.clock;
        Some(&entry.value)
    }

    /// Keeps `value`, which weighs `bytes`; one that exceeds the whole budget is not kept.
    pub fn insert(&mut self, key: K, value: V, bytes: u64) {
        self.remove(key);
        if bytes > self.budget {
            return;
        }
        while self.used + bytes > self.budget {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.last_use);
            let Some(oldest) = oldest.map(|(&key, _)| key) else {
                break;
            };
            self.remove(oldest);
        }
        self.clock += 1;
        self.used += bytes;
        self.entries.insert(
            key,
            Entry {
                value,
                bytes,
                last_use: self.clock,
            },
        );
    }

    fn remove(&mut self, key: K) {
        if let Some(entry) = self.entries.remove(&key) {
            self.used -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_goes_first() {
        let mut cache = ByteCache::new(10);
        cache.insert(1, "a", 4);
        cache.insert(2, "b", 4);
        assert_eq!(cache.get(1), Some(&"a"));
        cache.insert(3, "c", 4);
        assert_eq!(
            [1, 2, 3].map(|key| cache.get(key).is_some()),
            [true, false, true]
        );
    }

    #[test]
    fn the_budget_holds() {
        let mut cache = ByteCache::new(10);
        cache.insert(1, "too much", 11);
        assert_eq!(cache.get(1), None);
        for key in 0..100 {
            cache.insert(key % 7, "x", 3);
            assert!(cache.used <= 10);
        }
        assert_eq!(cache.entries.len(), 3);
        let mut none = ByteCache::new(0);
        none.insert(1, "x", 1);
        assert_eq!(none.get(1), None);
    }

    #[test]
    fn digests_tell_size_and_pixels_apart() {
        let pixels = [0; 12];
        let wide = ImageDigest::of(&Image::from_raw(4, 1, &pixels).unwrap());
        let square = ImageDigest::of(&Image::from_raw(2, 2, &pixels).unwrap());
        let other = ImageDigest::of(&Image::from_raw(4, 1, &[1; 12]).unwrap());
        assert_ne!(wide, square);
        assert_ne!(wide, other);
        assert_eq!(
            wide,
            ImageDigest::of(&Image::from_raw(4, 1, &pixels).unwrap())
        );
    }
}
