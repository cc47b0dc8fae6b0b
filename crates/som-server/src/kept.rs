//! Decoded images that clients sent once and name by digest from then on.

use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use sha2::{Digest as _, Sha256};
use som_core::{Error, Result, decode::ImageNote};
use som_engine::SharedImage;

/// SHA-256 of a file's bytes.
pub(crate) type Digest = [u8; 32];

/// The digest of a file's bytes.
pub(crate) fn digest(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

/// An image that is kept. Clones share its pixels and its notes.
#[derive(Clone, Debug)]
pub(crate) struct KeptImage {
    /// Upright.
    pub(crate) pixels: SharedImage,
    /// What was odd about its file.
    pub(crate) notes: Arc<[ImageNote]>,
}

/// Decoded images within a budget of bytes, each read as the settings say: so a digest names one image,
/// whoever else sends the same file with other wishes. Each owner of a token has images of its own: knowing a
/// digest opens nobody else's. The budget is one for all, and the least recently used image leaves
/// first, whosever it is.
pub(crate) struct KeptImages {
    budget: u64,
    shelf: Mutex<Shelf>,
}

struct Shelf {
    images: LruCache<(Arc<str>, Digest), KeptImage>,
    bytes: u64,
}

impl KeptImages {
    /// No image yet, and never more than `budget` bytes of them.
    pub(crate) fn new(budget: u64) -> Self {
        let shelf = Shelf {
            images: LruCache::unbounded(),
            bytes: 0,
        };
        Self {
            budget,
            shelf: Mutex::new(shelf),
        }
    }

    /// Keeps an image, at the cost of older ones. False if it is larger than all of the budget.
    pub(crate) fn put(&self, owner: &Arc<str>, digest: Digest, image: KeptImage) -> bool {
        let bytes = image.pixels.bytes() as u64;
        if bytes > self.budget {
            return false;
        }
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.bytes += bytes;
        if let Some(same) = shelf.images.put((owner.clone(), digest), image) {
            shelf.bytes -= same.pixels.bytes() as u64;
        }
        while shelf.bytes > self.budget {
            let Some((_, oldest)) = shelf.images.pop_lru() else {
                break;
            };
            shelf.bytes -= oldest.pixels.bytes() as u64;
        }
        true
    }

    /// The image of that digest, which now counts as used.
    pub(crate) fn get(&self, owner: &Arc<str>, digest: Digest) -> Option<KeptImage> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.images.get(&(owner.clone(), digest)).cloned()
    }

    /// The image that `owner` names by the digest `bytes`.
    ///
    /// # Errors
    /// Invalid, if that is no digest; NotFound, if the image is not kept.
    pub(crate) fn find(&self, owner: &Arc<str>, bytes: &[u8]) -> Result<(Digest, KeptImage)> {
        let digest = Digest::try_from(bytes).map_err(|_| {
            Error::invalid(format!(
                "image.sha256 has {} bytes, but a SHA-256 digest has 32",
                bytes.len()
            ))
        })?;
        let image = self.get(owner, digest).ok_or_else(|| {
            Error::not_found(format!(
                "no image of SHA-256 {} is kept (send it again, with keep)",
                hex(&digest)
            ))
        })?;
        Ok((digest, image))
    }
}

fn hex(digest: &Digest) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use image::RgbImage;
    use som_core::ErrorKind;

    use super::*;

    /// 15 bytes of pixels a row.
    fn of_rows(rows: u32) -> KeptImage {
        KeptImage {
            pixels: RgbImage::new(5, rows).into(),
            notes: Arc::default(),
        }
    }

    /// 30 bytes of pixels.
    fn image() -> KeptImage {
        of_rows(2)
    }

    #[test]
    fn the_least_recently_used_image_leaves_first() {
        let (kept, owner) = (KeptImages::new(90), Arc::from(""));
        let there = |number: u8| kept.get(&owner, [number; 32]).is_some();
        for number in 1..=3 {
            assert!(kept.put(&owner, [number; 32], image()));
        }
        assert!(there(1));
        assert!(kept.put(&owner, [4; 32], image()));
        assert_eq!([1, 2, 3, 4].map(there), [true, false, true, true]);
        // The same image again takes no more room.
        assert!(kept.put(&owner, [4; 32], image()));
        assert_eq!([1, 3, 4].map(there), [true; 3]);
    }

    #[test]
    fn an_image_larger_than_the_budget_is_not_kept() {
        let (kept, owner) = (KeptImages::new(40), Arc::from(""));
        assert!(kept.put(&owner, [1; 32], image()));
        assert!(!kept.put(&owner, [2; 32], of_rows(3)));
        assert!(kept.get(&owner, [1; 32]).is_some(), "others stay");
        assert!(!KeptImages::new(0).put(&owner, [1; 32], image()));
    }

    #[test]
    fn an_owner_sees_its_own_images_alone() {
        let kept = KeptImages::new(1000);
        kept.put(&Arc::from("alice"), [1; 32], image());
        let (digest, _) = kept.find(&Arc::from("alice"), &[1; 32]).unwrap();
        assert_eq!(digest, [1; 32]);
        let error = kept.find(&Arc::from("bob"), &[1; 32]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.message().contains(&"01".repeat(32)), "{error}");
        let error = kept.find(&Arc::from("alice"), &[1; 31]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
}
