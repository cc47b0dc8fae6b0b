//! Both forms of sampling, beside each other and beside the plain convolution.

use proptest::prelude::*;
use tch::{Device, Kind, Tensor};

use super::*;
use crate::nn::Conv;

fn random(shape: &[i64], scale: f64) -> Tensor {
    Tensor::randn(shape, (Kind::Float, Device::Cpu)) * scale
}

fn up(extent: i64, by: i64) -> i64 {
    (extent + by - 1) / by
}

/// A convolution of `weight` `[output, input, 3, 3]`.
fn deformable(weight: &Tensor, bias: &Tensor, stride: i64) -> DeformableConv {
    let last = weight.permute([0, 2, 3, 1]).reshape([weight.size()[0], -1]);
    let bias = Some(Weight::new(bias.shallow_clone()));
    DeformableConv::new(Weight::new(last), bias, stride)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn both_forms_see_the_same(
        height in 1_i64..12, width in 1_i64..12, channels in 1_i64..9, stride in 1_i64..3,
        reach in 0.1_f64..10.0, seed in any::<i64>(),
    ) {
        tch::manual_seed(seed);
        let (rows, columns) = (up(height, stride), up(width, stride));
        let shape = Shape { height, width, channels, rows, columns, stride };
        let x = random(&[height, width, channels], 1.0);
        // Some far beyond the map.
        let offsets = random(&[18, rows, columns], reach);
        let shares = random(&[9, rows, columns], 1.0);
        let expected = tensors::sample(&x, shape, &offsets, &shares).unwrap();
        let [map, offsets, shares] = [&x, &offsets, &shares].map(|x| numbers::of(x).unwrap());
        let taps = cpu::Taps::new(&map, shape, &offsets, &shares);
        let found: Vec<f32> = taps.slabs().flat_map(|cells| taps.sample(cells)).collect();
        let found = Tensor::from_slice(&found).view([rows * columns, 9 * channels]);
        let worst = (found - expected).abs().max().double_value(&[]);
        prop_assert!(worst < 1e-4, "off by {}", worst);
    }
}

#[test]
fn taps_that_stay_where_they_are_are_a_convolution() {
    tch::manual_seed(7);
    for (height, width, stride) in [(1, 1, 1), (5, 8, 1), (6, 9, 2), (150, 131, 1)] {
        let (weight, bias) = (random(&[6, 9, 3, 3], 1.0), random(&[6], 1.0));
        let x = random(&[height, width, 9], 1.0);
        let plain = Weight::new(weight.shallow_clone());
        let offset = Some(Weight::new(bias.shallow_clone()));
        let plain = Conv::new(&plain, offset, stride, 1)
            .unwrap()
            .forward(&x)
            .unwrap();
        let (rows, columns) = (up(height, stride), up(width, stride));
        let options = (Kind::Float, Device::Cpu);
        let still = Tensor::zeros([18, rows, columns], options);
        let whole = Tensor::ones([9, rows, columns], options);
        let found = deformable(&weight, &bias, stride);
        let found = found.forward(&x, &still, &whole).unwrap();
        assert_eq!(found.size(), plain.size());
        let worst = (found - plain).abs().max().double_value(&[]);
        assert!(worst < 1e-4, "{height}x{width}: {worst}");
    }
}

/// The middle tap alone, half a cell to the right and half a cell up: the mean of four cells, of which
/// those beyond the map are zero.
#[test]
fn taps_look_down_first_and_then_across() {
    let options = (Kind::Float, Device::Cpu);
    let weight = Tensor::zeros([1, 1, 3, 3], options);
    let _ = weight.view([9]).get(4).fill_(1.0);
    let x = Tensor::from_slice(&[1.0_f32, 2.0, 4.0, 8.0]).view([2, 2, 1]);
    let offsets = Tensor::zeros([18, 2, 2], options);
    let _ = offsets.get(8).fill_(-0.5);
    let _ = offsets.get(9).fill_(0.5);
    let shares = Tensor::ones([9, 2, 2], options) * 2.0;
    let conv = deformable(&weight, &Tensor::zeros([1], options), 1);
    let found = numbers::of(&conv.forward(&x, &offsets, &shares).unwrap()).unwrap();
    let quarter = |sum: f32| 2.0 * sum / 4.0;
    assert_eq!(found, [3.0, 2.0, 15.0, 10.0].map(quarter));
}

#[test]
fn what_is_no_number_is_not_hidden() {
    let options = (Kind::Float, Device::Cpu);
    let (weight, bias) = (random(&[1, 2, 3, 3], 1.0), random(&[1], 1.0));
    let conv = deformable(&weight, &bias, 1);
    let x = random(&[2, 2, 2], 1.0);
    let none = |count: i64| Tensor::full([count, 2, 2], f64::NAN, options);
    let some = |count: i64| Tensor::ones([count, 2, 2], options);
    for (offsets, shares) in [(none(18), some(9)), (some(18), none(9))] {
        let found = conv.forward(&x, &offsets, &shares).unwrap();
        assert!(numbers::of(&found).unwrap().iter().all(|it| it.is_nan()));
    }
}
