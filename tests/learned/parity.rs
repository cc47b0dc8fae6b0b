use std::{collections::BTreeSet, fs};

use som_core::Mask;

use super::{
    case::mask,
    plugin::{Fixture, Plugin},
};

/// Every call of a fixture whose result is known.
pub(super) fn all_cases(fixture: &Fixture) {
    let cases = fixture.cases();
    assert!(!cases.is_empty(), "a fixture without a call");
    for case in cases {
        case.assert_found(&fixture.regions(&case.arguments));
    }
}

pub(super) fn as_official(plugin: &Plugin, fixture: &str) {
    if let Some(fixture) = plugin.fixture(fixture) {
        all_cases(&fixture);
    }
}

pub(super) fn every_fixture_has_its_test(plugin: &Plugin, tested: &[&str]) {
    let entries = fs::read_dir(plugin.fixtures()).unwrap();
    let folders = entries.filter_map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name()?.to_str()?.to_owned();
        path.is_dir().then_some(name)
    });
    let folders: BTreeSet<String> = folders.collect();
    let tested: BTreeSet<String> = tested.iter().copied().map(str::to_owned).collect();
    assert_eq!(
        folders, tested,
        "the fixtures (left) and those tested (right)"
    );
}

/// Half the precision is not half the quality: what is found stays nearly the same, if perhaps in
/// another order. bf16 has only 8 bits, and small random networks make much of the rest: there, most
/// of what is found must still be recognised.
pub(super) fn in_less(fixture: &Fixture) {
    let find = |precision: &str| -> Vec<Mask> {
        let precision = format!("precision={precision}");
        let precision = ["--set".to_owned(), precision];
        let regions = fixture.regions(&[&precision[..], &fixture.table.tests.quick].concat());
        let masks = regions.iter().map(|region| mask(&region["segmentation"]));
        masks.collect()
    };
    let exact = find("fp32");
    assert!(!exact.is_empty());
    for (precision, least, median) in [("fp16", 0.9, 0.975), ("bf16", 0.0, 0.6)] {
        let near = find(precision);
        let best = |exact: &Mask| near.iter().map(|near| near.iou(exact)).fold(0.0, f64::max);
        let mut ious: Vec<f64> = exact.iter().map(best).collect();
        ious.sort_by(f64::total_cmp);
        assert!(ious[0] >= least, "{precision}: IoUs {ious:?}");
        assert!(ious[ious.len() / 2] >= median, "{precision}: IoUs {ious:?}");
    }
}

pub(super) fn lower_precisions_find_nearly_the_same(plugin: &Plugin) {
    if let Some(fixture) = plugin.usual() {
        in_less(&fixture);
    }
}
