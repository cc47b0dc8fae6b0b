//! A call that is called off ends.

use std::sync::atomic::{AtomicUsize, Ordering};

use som_classic::Classic;
use som_core::{Call, ErrorKind, Params, Segmenter};

use crate::support::{borrowed, photograph};

#[test]
fn a_call_ends_at_the_first_look_after_it_was_called_off() {
    let picture = photograph("chelsea.png");
    let params = Params::new();
    let looks = AtomicUsize::new(0);
    let run = |patience: usize| {
        looks.store(0, Ordering::Relaxed);
        let cancelled = || looks.fetch_add(1, Ordering::Relaxed) >= patience;
        Classic
            .segment(&borrowed(&picture), &Call::new(&params, &cancelled))
            .map(drop)
    };
    run(usize::MAX).unwrap();
    let all = looks.load(Ordering::Relaxed);
    // Every stage looks at least once a row, and merging once a merge.
    assert!(all > 8 * picture.height() as usize, "{all} looks");
    for patience in (0..all).step_by(all / 50) {
        assert_eq!(run(patience).unwrap_err().kind(), ErrorKind::Cancelled);
        assert_eq!(looks.load(Ordering::Relaxed), patience + 1);
    }
}
