//! Both forms of sampling, beside each other and beside libtorch's.

use proptest::prelude::*;
use tch::{Device, Kind, Tensor};

use super::*;

fn random(shape: &[i64], scale: f64) -> Tensor {
    Tensor::randn(shape, (Kind::Float, Device::Cpu)) * scale
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn both_forms_see_the_same(
        sizes in prop::collection::vec([1_i64..9, 1_i64..9], 1..4),
        heads in 1_i64..4, points in 1_i64..5, channels in 1_i64..9, queries in 0_i64..90,
        boxes in any::<bool>(), reach in 0.1_f64..20.0, seed in any::<i64>(),
    ) {
        tch::manual_seed(seed);
        let levels = Levels::new(sizes);
        let shape = Shape { heads, levels: levels.sizes().len() as i64, points, channels };
        let values = random(&[levels.cells(), heads, channels], 1.0);
        let places = heads * shape.levels * points;
        // Offsets of cells, some far beyond the maps.
        let asked = random(&[queries, 3 * places], reach);
        let place = random(&[queries, if boxes { 4 } else { 2 }], 0.5) + 0.5;
        let expected = tensors::sample(&values, &levels, shape, &asked, &place).unwrap();
        let [of, asked, place] = [&values, &asked, &place].map(|x| numbers::of(x).unwrap());
        let found = cpu::sample(&of, &levels, shape, &asked, &place);
        let found = Tensor::from_slice(&found).view([queries, heads * channels]);
        prop_assert_eq!(found.size(), expected.size());
        if queries > 0 {
            let worst = (found - expected).abs().max().double_value(&[]);
            prop_assert!(worst < 1e-4, "off by {}", worst);
        }
    }
}

#[test]
fn a_query_without_offsets_sees_its_own_cell() {
    let levels = Levels::new(vec![[2, 3]]);
    let shape = Shape {
        heads: 1,
        levels: 1,
        points: 1,
        channels: 1,
    };
    let values: Vec<f32> = (0..6).map(|cell| cell as f32).collect();
    let places = numbers::of(&levels.centers(Device::Cpu).unwrap()).unwrap();
    let found = cpu::sample(&values, &levels, shape, &[0.0; 18], &places);
    assert_eq!(found, values);
    // Half a cell to the left: nothing is beyond the edge.
    let asked = [[-0.5, 0.0, 0.0]; 6].concat();
    let found = cpu::sample(&values, &levels, shape, &asked, &places);
    let expected = [0.0, 0.5, 1.5, 1.5, 3.5, 4.5];
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
}

#[test]
fn what_is_no_number_is_not_hidden() {
    let levels = Levels::new(vec![[2, 2]]);
    let shape = Shape {
        heads: 1,
        levels: 1,
        points: 1,
        channels: 2,
    };
    for asked in [[f32::NAN, 0.0, 0.0], [0.0, 0.0, f32::NAN]] {
        let found = cpu::sample(&[1.0; 8], &levels, shape, &asked, &[0.5, 0.5]);
        assert!(found.iter().all(|number| number.is_nan()), "{found:?}");
    }
}
