use tch::{Device, Kind, Tensor};

use super::{Stage, block::Modulation};

/// What a modulation computes is compared with the official project in `plugins/seem`; here, that
/// it is what its definition says, for one level.
#[test]
fn a_place_is_weighed_with_what_surrounds_it_and_with_all() {
    let _guard = tch::no_grad_guard();
    let stage = Stage {
        blocks: 1,
        channels: 4,
        hidden: 8,
        windows: vec![3],
    };
    tch::manual_seed(7);
    let random = |shape: &[i64]| Tensor::randn(shape, (Kind::Float, Device::Cpu));
    let [f, f_bias, h, h_bias, out, out_bias, focal] = [
        random(&[10, 4]),
        random(&[10]),
        random(&[4, 4, 1, 1]),
        random(&[4]),
        random(&[4, 4]),
        random(&[4]),
        random(&[4, 1, 3, 3]),
    ];
    let x = random(&[5, 6, 4]);
    let names = [
        ("f.weight", &f),
        ("f.bias", &f_bias),
        ("h.weight", &h),
        ("h.bias", &h_bias),
        ("proj.weight", &out),
        ("proj.bias", &out_bias),
        ("focal_layers.0.0.weight", &focal),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("modulation.safetensors");
    Tensor::write_safetensors(&names, &path).unwrap();
    let checkpoint = crate::Checkpoint::open(&path).unwrap();
    let loader = crate::Loader::new(&checkpoint, Device::Cpu).unwrap();
    let modulation = Modulation::load(&loader.root(Kind::Float), &stage).unwrap();
    loader.finish().unwrap();

    let projected = x.linear(&f, Some(&f_bias));
    let parts = projected.split_with_sizes([4, 4, 2], -1);
    let map = parts[1].permute([2, 0, 1]).unsqueeze(0);
    let near = map.conv2d(&focal, None::<&Tensor>, 1, 1, 1, 4).gelu("none");
    let near = near.squeeze_dim(0).permute([1, 2, 0]);
    let all = near
        .mean_dim([0_i64, 1].as_slice(), true, Kind::Float)
        .gelu("none");
    let sum = (&near * parts[2].narrow(2, 0, 1) + all * parts[2].narrow(2, 1, 1)) / 2.0;
    let mixed = sum.linear(&h.flatten(1, -1), Some(&h_bias));
    let expected = (mixed * &parts[0]).linear(&out, Some(&out_bias));
    let worst = (modulation.forward(&x).unwrap() - expected).abs().max();
    assert!(worst.double_value(&[]) < 1e-4, "off by {worst:?}");
}
