use std::sync::Arc;

use image::RgbImage;
use som_core::{
    Answer, AnswerEvent, AnswerSchema, BBox, Color, ErrorKind, Finish, Image, ImagePolicy, Mask,
    Part, Prices, Prompt, PromptImage, ProviderInfo, Role, Size, Turn, Usage, View,
    encode::Encoding,
};

/// The size that a model sees of an image of the given one.
fn seen(view: View, width: u32, height: u32) -> [u32; 2] {
    let seen = view.seen(Size::new(width, height));
    [seen.width, seen.height]
}

// The examples of OpenAI's guide "Images and vision", "Calculating costs".

#[test]
fn openai_tiles() {
    let view = View {
        long_side: 2048,
        short_side: 768,
        ..View::UNLIMITED
    };
    assert_eq!(seen(view, 1024, 1024), [768, 768]);
    assert_eq!(seen(view, 2048, 4096), [768, 1536]);
    assert_eq!(seen(view, 640, 480), [640, 480]);
    assert_eq!(seen(view, 8192, 1024), [2048, 256]);
}

#[test]
fn openai_patches() {
    let view = View {
        patch: 32,
        patches: 1536,
        ..View::UNLIMITED
    };
    assert_eq!(seen(view, 1024, 1024), [1024, 1024]);
    assert_eq!(seen(view, 1800, 2400), [1056, 1408]);
    // Whatever the size, the patches fit in number.
    for (width, height) in [
        (5000, 40),
        (40, 5000),
        (1537, 1025),
        (3000, 3000),
        (1, 60_000),
        (40_000, 40),
    ] {
        let [width, height] = seen(view, width, height);
        assert!(
            width.div_ceil(32) * height.div_ceil(32) <= 1536,
            "{width}x{height}"
        );
    }
}

/// The table of sizes that Anthropic's guide "Vision" gives as not resized, and one beyond.
#[test]
fn anthropic() {
    let view = View {
        long_side: 1568,
        patch: 28,
        patches: 1568,
        ..View::UNLIMITED
    };
    for (width, height) in [
        (1092, 1092),
        (951, 1268),
        (896, 1344),
        (819, 1456),
        (784, 1568),
    ] {
        assert_eq!(seen(view, width, height), [width, height]);
    }
    assert_eq!(seen(view, 3136, 784), [1568, 392]);
    assert_eq!(seen(view, 2000, 2000), [1092, 1092]);
}

/// What `smart_resize` of Qwen2-VL's image processor gives with a factor of 28.
#[test]
fn qwen() {
    let view = View {
        multiple: 28,
        pixels: 1280 * 28 * 28,
        ..View::UNLIMITED
    };
    assert_eq!(seen(view, 640, 480), [644, 476]);
    assert_eq!(seen(view, 1920, 1080), [1316, 728]);
    assert_eq!(seen(view, 14, 42), [28, 56]);
    assert_eq!(seen(view, 1, 1), [28, 28]);
}

#[test]
fn squares_lose_more_along_the_longer_side() {
    let view = View {
        square: 896,
        ..View::UNLIMITED
    };
    assert_eq!(seen(view, 1792, 448), [896, 896]);
    assert_eq!(view.scale(Size::new(1792, 448)), 0.5);
    assert_eq!(view.scale(Size::new(100, 100)), 1.0);
}

#[test]
fn no_size_is_seen_as_nothing() {
    for view in [View::UNLIMITED, View::default()] {
        assert_eq!(seen(view, 0, 0), [1, 1]);
        assert_eq!(seen(view, 1 << 20, 1)[1], 1);
    }
}

#[test]
fn prices_count_what_was_kept_apart() {
    let prices = Prices {
        input: 2.5,
        output: 10.0,
        cached: Some(1.25),
    };
    let usage = Usage {
        input_tokens: 1_000_000,
        output_tokens: 100_000,
        cached_tokens: 400_000,
    };
    assert_eq!(prices.cost(&usage), 1.5 + 0.5 + 1.0);
    let plain = Prices {
        cached: None,
        ..prices
    };
    assert_eq!(plain.cost(&usage), 3.5);
}

#[test]
fn events_add_up_to_an_answer() {
    let mut answer = Answer::default();
    let usage = |output_tokens| {
        AnswerEvent::Usage(Usage {
            output_tokens,
            ..Usage::default()
        })
    };
    for event in [
        AnswerEvent::Delta("The ".into()),
        usage(1),
        AnswerEvent::Delta("cup [3].".into()),
        usage(4),
    ] {
        answer.add(event);
        assert!(!answer.is_complete());
    }
    answer.add(AnswerEvent::Done(Finish::Stop));
    assert_eq!(answer.text, "The cup [3].");
    assert_eq!(answer.usage.unwrap().output_tokens, 4);
    assert!(answer.is_complete());
}

fn info() -> ProviderInfo {
    ProviderInfo {
        name: "local".into(),
        provider: "openai".into(),
        model: "tiny".into(),
        vision: true,
        structured: true,
        images: ImagePolicy {
            bytes: 100,
            side: 64,
            count: 2,
            formats: vec![Encoding::Png],
            ..ImagePolicy::default()
        },
        context_tokens: None,
        prices: None,
    }
}

fn picture(bytes: usize, side: u32, format: Encoding) -> Part {
    Part::Image(PromptImage {
        bytes: Arc::from(vec![0; bytes]),
        format,
        size: Size::new(side, 10),
    })
}

#[test]
fn what_a_model_cannot_take_is_refused() {
    let fits = || picture(100, 64, Encoding::Png);
    let refused = |info: ProviderInfo, prompt: &Prompt, why: &str| {
        let error = info.check(prompt).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains(why), "{error}");
        assert!(error.message().contains("lmm \"local\""), "{error}");
    };
    info().check(&Prompt::new([fits(), fits()])).unwrap();

    let blind = || ProviderInfo {
        vision: false,
        ..info()
    };
    blind()
        .check(&Prompt::new([Part::Text("hi".into())]))
        .unwrap();
    refused(blind(), &Prompt::new([fits()]), "lmm.local.vision");
    refused(
        info(),
        &Prompt::new([fits(), fits(), fits()]),
        "at most 2 images",
    );
    refused(
        info(),
        &Prompt::new([picture(101, 1, Encoding::Png)]),
        "100 bytes",
    );
    refused(
        info(),
        &Prompt::new([picture(1, 65, Encoding::Png)]),
        "65x10",
    );
    refused(
        info(),
        &Prompt::new([picture(1, 1, Encoding::Jpeg)]),
        "image/jpeg",
    );
    let structured = Prompt {
        schema: Some(AnswerSchema {
            name: "marks".into(),
            schema: serde_json::json!({"type": "object"}),
        }),
        ..Prompt::new([fits()])
    };
    info().check(&structured).unwrap();
    let shown_back = Prompt {
        turns: vec![Turn {
            role: Role::Assistant,
            parts: vec![fits()],
        }],
        ..Prompt::default()
    };
    refused(info(), &shown_back, "text alone");
    let unstructured = ProviderInfo {
        structured: false,
        ..info()
    };
    refused(unstructured, &structured, "lmm.local.structured");
}

#[test]
fn a_prompt_shows_no_bytes_when_it_is_printed() {
    let shown = format!("{:?}", Prompt::new([picture(100, 64, Encoding::Png)]));
    assert!(
        shown.contains("PromptImage(Png, 64x10, 100 bytes)"),
        "{shown}"
    );
}

#[test]
fn the_mean_colour_is_that_of_the_masked_pixels() {
    let pixels = RgbImage::from_fn(4, 2, |x, _| image::Rgb([x as u8 * 10, 200, 7]));
    let view = Image::from_raw(4, 2, pixels.as_raw().as_slice()).unwrap();
    let size = Size::new(4, 2);
    let right = Mask::rect(size, BBox::new(2, 0, 2, 2));
    assert_eq!(Color::mean(&view, &right), Some(Color([25, 200, 7])));
    assert_eq!(Color::mean(&view, &Mask::empty(size)), None);
    // A mask of a larger image counts as far as the image goes.
    let beyond = Mask::rect(Size::new(9, 9), BBox::new(3, 1, 6, 8));
    assert_eq!(Color::mean(&view, &beyond), Some(Color([30, 200, 7])));
}
