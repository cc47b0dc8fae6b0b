//! The pictures: drawn, written, scanned, at night, gray, crowded and small.

use som_core::{BBox, Mask};

use crate::easel::{Easel, Ink};

const WHITE: Ink = [255; 3];
const BLACK: Ink = [20; 3];
const BLUE: Ink = [31, 119, 180];
const ORANGE: Ink = [255, 127, 14];
const GREEN: Ink = [44, 160, 44];
const GRAY: Ink = [204; 3];

/// A picture by its name.
pub(crate) type Picture = (&'static str, fn() -> Easel);

/// All of them.
pub(crate) const PICTURES: [Picture; 34] = [
    ("bars of one blue", bars),
    ("stacked bars", stacked),
    ("pie", pie),
    ("curves", curves),
    ("dots", dots),
    ("heat map", heat),
    ("form with checkboxes", form),
    ("dialog", || dialog([245; 3], BLACK)),
    ("dark dialog", || dialog([36, 38, 44], [230; 3])),
    ("toolbar", toolbar),
    ("chat", chat),
    ("table of numbers", table),
    ("calendar", calendar),
    ("keyboard", keyboard),
    ("city map", map),
    ("metro", metro),
    ("page", || page(0)),
    ("scanned page", || page(8)),
    ("receipt", receipt),
    ("flow chart", flow),
    ("squares", squares),
    ("discs of one colour", discs),
    ("mosaic", mosaic),
    ("flag", flag),
    ("logo on white", || logo(WHITE)),
    ("logo on dark", || logo([40, 44, 52])),
    ("icons in a grid", icons),
    ("night street", night),
    ("gray of 16 bits: lesions", lesions),
    ("gray of 16 bits: bones", bones),
    ("crowd", crowd),
    ("64x64", || tiny(64, 64)),
    ("40x30", || tiny(40, 30)),
    ("photograph on a screen", framed),
];

fn bars() -> Easel {
    let mut easel = Easel::new(640, 420, WHITE);
    easel.rect([60, 380, 540, 2], BLACK);
    for (i, height) in (0..).zip([120, 310, 220, 310, 80, 260]) {
        let ink = if i == 2 { ORANGE } else { BLUE };
        let bar = easel.rect([80 + 85 * i, 380 - height, 56, height], ink);
        easel.thing("bar", bar);
        let name = easel.write((88 + 85 * i, 388), 20.0, &format!("Q{}", i + 1), BLACK);
        easel.boxed("word", name);
    }
    easel
}

fn stacked() -> Easel {
    let mut easel = Easel::new(640, 420, WHITE);
    for i in 0..7 {
        let mut top = 390;
        for (part, ink) in (0..).zip([BLUE, ORANGE, GREEN]) {
            let height = 40 + (i * 37 + part * 53) % 80;
            top -= height;
            let bar = easel.rect([40 + 85 * i, top, 60, height], ink);
            easel.thing("part", bar);
        }
    }
    easel
}

fn pie() -> Easel {
    let mut easel = Easel::new(480, 400, WHITE);
    let parts = [0.3, 0.25, 0.2, 0.15, 0.1];
    let mut from = 0.0_f32;
    for (part, ink) in parts.iter().zip([BLUE, ORANGE, GREEN, BLUE, [214, 39, 40]]) {
        let (start, end) = (from, from + part * std::f32::consts::TAU);
        from = end;
        let slice = easel.paint(BBox::new(40, 20, 400, 360), ink, |x, y| {
            let (dx, dy) = (x - 240.0, y - 200.0);
            let turn = dy.atan2(dx).rem_euclid(std::f32::consts::TAU);
            f32::from(u8::from(
                f32::hypot(dx, dy) < 170.0 && (start..end).contains(&turn),
            ))
        });
        easel.thing("slice", slice);
    }
    easel
}

fn curves() -> Easel {
    let mut easel = Easel::new(640, 400, WHITE);
    for y in (40..=360).step_by(80) {
        easel.rect([50, y, 560, 1], GRAY);
    }
    for (k, ink) in (0_u8..).zip([BLUE, ORANGE, GREEN]) {
        let at =
            |x: f32| 200.0 + 40.0 * f32::from(k) + 80.0 * (x / (60.0 + 25.0 * f32::from(k))).sin();
        for x in (50..605).step_by(6) {
            let x = x as f32;
            easel.line((x, at(x)), (x + 6.0, at(x + 6.0)), 3.0, ink);
        }
    }
    let word = easel.write((60, 10), 18.0, "Speed over time", BLACK);
    easel.boxed("word", word);
    easel
}

fn dots() -> Easel {
    let mut easel = Easel::new(560, 420, WHITE);
    easel.frame([40, 20, 500, 370], 1, BLACK);
    for i in 0..45 {
        let ink = [BLUE, ORANGE, GREEN][i % 3];
        let (column, row) = ((i % 9) as f32, (i / 9) as f32);
        let dot = easel.disc((80.0 + 53.0 * column, 60.0 + 70.0 * row), 9.0, ink);
        easel.thing("dot", dot);
    }
    easel
}

fn heat() -> Easel {
    let mut easel = Easel::new(520, 420, WHITE);
    for i in 0..80_u32 {
        let value = easel.below(8) as u8;
        let ink = [30 + 28 * value, 60 + 10 * value, 200 - 24 * value];
        let cell = easel.rect([20 + 48 * (i % 10), 20 + 48 * (i / 10), 46, 46], ink);
        easel.thing("cell", cell);
    }
    easel
}

fn form() -> Easel {
    let mut easel = Easel::new(640, 480, [248; 3]);
    let title = easel.write((30, 20), 28.0, "Order", BLACK);
    easel.boxed("word", title);
    for (i, name) in (0..).zip(["Name", "Street", "City"]) {
        let y = 80 + 60 * i;
        let word = easel.write((30, y + 8), 18.0, name, BLACK);
        easel.boxed("word", word);
        easel.frame([140, y, 380, 36], 1, [150; 3]);
        let field = easel.rect([141, y + 1, 378, 34], WHITE);
        easel.thing("field", field);
    }
    for (i, name) in (0..).zip(["Express", "Gift wrap", "Newsletter", "Terms"]) {
        let y = 270 + 36 * i;
        easel.frame([30, y, 20, 20], 2, [90; 3]);
        let inner = easel.rect([32, y + 2, 16, 16], WHITE);
        if i % 2 == 0 {
            easel.line((34.0, y as f32 + 10.0), (38.0, y as f32 + 15.0), 2.0, GREEN);
            easel.line((38.0, y as f32 + 15.0), (46.0, y as f32 + 5.0), 2.0, GREEN);
        }
        easel.thing("checkbox", inner);
        let word = easel.write((60, y), 18.0, name, BLACK);
        easel.boxed("word", word);
    }
    let button = easel.rect([480, 420, 130, 40], BLUE);
    easel.write((514, 430), 20.0, "Send", WHITE);
    easel.thing("button", button);
    easel
}

fn dialog(ground: Ink, ink: Ink) -> Easel {
    let mut easel = Easel::new(560, 320, ground);
    let bar = easel.rect([0, 0, 560, 36], BLUE);
    easel.write((14, 7), 18.0, "Save changes?", WHITE);
    easel.thing("title bar", bar);
    for (i, line) in (0..).zip([
        "The file was changed since it was",
        "opened. What shall be kept?",
    ]) {
        let word = easel.write((110, 80 + 30 * i), 18.0, line, ink);
        easel.boxed("word", word);
    }
    let sign = easel.disc((60.0, 110.0), 30.0, ORANGE);
    easel.write((52, 90), 38.0, "!", BLACK);
    easel.thing("sign", sign);
    for (i, name) in (0..).zip(["Save", "Discard", "Cancel"]) {
        let button = easel.rect([150 + 130 * i, 250, 112, 40], [120, 130, 150]);
        easel.write((170 + 130 * i, 259), 20.0, name, WHITE);
        easel.thing("button", button);
    }
    easel
}

fn sign(easel: &mut Easel, kind: u32, (x, y): (u32, u32), side: u32, ink: Ink) -> Mask {
    let (left, top, size) = (x as f32, y as f32, side as f32);
    let middle = (left + size / 2.0, top + size / 2.0);
    match kind % 4 {
        0 => easel.disc(middle, size / 2.0, ink),
        1 => easel.rect([x, y, side, side], ink),
        2 => easel.polygon(
            &[
                (left, top + size),
                (left + size, top + size),
                (middle.0, top),
            ],
            ink,
        ),
        _ => easel.polygon(
            &[
                (middle.0, top),
                (left + size, middle.1),
                (middle.0, top + size),
                (left, middle.1),
            ],
            ink,
        ),
    }
}

fn toolbar() -> Easel {
    let mut easel = Easel::new(720, 360, WHITE);
    easel.rect([0, 0, 720, 56], [230, 233, 238]);
    for i in 0..16 {
        let ink = [BLUE, ORANGE, GREEN, [90; 3]][i as usize % 4];
        let mask = sign(&mut easel, i, (14 + 44 * i, 14), 28, ink);
        easel.thing("icon", mask);
    }
    for i in 0..5 {
        let line = easel.write((40, 90 + 44 * i), 20.0, "A line of the document", BLACK);
        easel.boxed("word", line);
    }
    easel
}

fn chat() -> Easel {
    let mut easel = Easel::new(420, 560, [236, 229, 221]);
    for (i, text) in (0..).zip([
        "Are you there?",
        "Yes.",
        "The train is late",
        "See you at eight",
    ]) {
        let own = i % 2 == 1;
        let (x, ink) = if own {
            (180, [220, 248, 198])
        } else {
            (20, WHITE)
        };
        let bubble = easel.rect([x, 30 + 120 * i, 220, 80], ink);
        easel.thing("message", bubble);
        easel.write((x + 14, 54 + 120 * i), 20.0, text, BLACK);
    }
    easel
}

fn table() -> Easel {
    let mut easel = Easel::new(640, 400, WHITE);
    for row in 0..8 {
        if row == 0 {
            let head = easel.rect([20, 20, 600, 40], [220, 230, 241]);
            easel.thing("head", head);
        }
        for column in 0..5 {
            let value = easel.below(9000) + 1000;
            let place = (36 + 120 * column, 30 + 44 * row);
            let word = easel.write(place, 18.0, &value.to_string(), BLACK);
            easel.boxed("number", word);
        }
    }
    easel
}

fn calendar() -> Easel {
    let mut easel = Easel::new(600, 460, [240; 3]);
    for day in 0..35 {
        let (x, y) = (20 + 80 * (day % 7), 30 + 82 * (day / 7));
        let ink = if day % 7 > 4 { [225, 235, 245] } else { WHITE };
        let cell = easel.rect([x, y, 76, 78], ink);
        easel.thing("day", cell);
        easel.write((x + 6, y + 6), 18.0, &(day + 1).to_string(), BLACK);
    }
    easel
}

fn keyboard() -> Easel {
    let mut easel = Easel::new(680, 260, [60, 63, 65]);
    for (row, keys) in (0..).zip(["QWERTYUIOP", "ASDFGHJKL", "ZXCVBNM"]) {
        for (column, key) in (0..).zip(keys.chars()) {
            let (x, y) = (20 + 22 * row + 64 * column, 20 + 76 * row);
            let cap = easel.rect([x, y, 56, 68], [225; 3]);
            easel.write((x + 18, y + 18), 28.0, &key.to_string(), BLACK);
            easel.thing("key", cap);
        }
    }
    easel
}

fn map() -> Easel {
    let mut easel = Easel::new(720, 520, [240, 238, 228]);
    let lake = easel.paint(BBox::new(430, 60, 260, 200), [170, 211, 223], |x, y| {
        let (dx, dy) = ((x - 560.0) / 120.0, (y - 160.0) / 85.0);
        (1.0 - f32::hypot(dx, dy)) * 80.0
    });
    easel.thing("lake", lake);
    let park = easel.polygon(
        &[(40.0, 330.0), (250.0, 300.0), (280.0, 480.0), (60.0, 490.0)],
        [200, 230, 180],
    );
    easel.thing("park", park);
    for row in 0..3 {
        for column in 0..4 {
            let block = [40 + 92 * column, 30 + 84 * row, 76, 66];
            let block = easel.rect(block, [217, 208, 201]);
            easel.thing("block", block);
        }
    }
    easel.line((330.0, 510.0), (700.0, 280.0), 12.0, [250, 210, 110]);
    for (place, name) in [
        ((500, 150), "Lake"),
        ((110, 390), "Park"),
        ((520, 420), "Station"),
    ] {
        let word = easel.write(place, 22.0, name, [60; 3]);
        easel.boxed("word", word);
    }
    easel
}

fn metro() -> Easel {
    let mut easel = Easel::new(640, 420, WHITE);
    let lines = [
        ([(40.0, 80.0), (600.0, 80.0)], [214, 39, 40]),
        ([(40.0, 340.0), (600.0, 120.0)], BLUE),
        ([(320.0, 30.0), (320.0, 390.0)], GREEN),
    ];
    for ([from, to], ink) in lines {
        let line = easel.line(from, to, 12.0, ink);
        easel.thing("line", line);
    }
    for (x, name) in [(120, "North"), (440, "Market"), (540, "Port")] {
        easel.disc((x as f32, 80.0), 13.0, BLACK);
        let stop = easel.disc((x as f32, 80.0), 10.0, WHITE);
        easel.thing("stop", stop);
        let word = easel.write((x - 20, 30), 18.0, name, BLACK);
        easel.boxed("word", word);
    }
    easel
}

const LINES: [&str; 6] = [
    "The quick brown fox jumps over",
    "the lazy dog, and all of the farm",
    "looks on. Nobody says a word,",
    "for it is late in the evening, and",
    "what is to be said of such a fox",
    "was said the day before.",
];

fn page(noise: u32) -> Easel {
    let ground = if noise > 0 { [238, 236, 228] } else { WHITE };
    let mut easel = Easel::new(620, 800, ground);
    let title = easel.write((60, 50), 36.0, "Of foxes", BLACK);
    easel.boxed("word", title);
    for paragraph in 0..3 {
        let mut around = BBox::default();
        for (i, line) in (0..).zip(LINES) {
            let bbox = easel.write((60, 130 + 215 * paragraph + 28 * i), 20.0, line, BLACK);
            easel.boxed("line", bbox);
            around = around.union(bbox);
        }
    }
    if noise > 0 {
        easel.noise(noise);
        easel.blur(1);
    }
    easel
}

fn receipt() -> Easel {
    let mut easel = Easel::new(320, 520, [250; 3]);
    for (i, (name, price)) in (0..).zip([
        ("BREAD", "2.40"),
        ("MILK", "1.19"),
        ("APPLES", "3.05"),
        ("COFFEE", "6.99"),
        ("TOTAL", "13.63"),
    ]) {
        let y = 60 + 70 * i;
        let name = easel.write((20, y), 22.0, name, BLACK);
        easel.boxed("word", name);
        let price = easel.write((220, y), 22.0, price, BLACK);
        easel.boxed("price", price);
    }
    easel
}

fn flow() -> Easel {
    let mut easel = Easel::new(560, 460, WHITE);
    for (i, name) in (0..).zip(["Start", "Read", "Check", "End"]) {
        let y = 20 + 112 * i;
        easel.frame([200, y, 160, 64], 2, BLACK);
        let step = easel.rect([202, y + 2, 156, 60], [214, 232, 248]);
        easel.write((236, y + 20), 22.0, name, BLACK);
        easel.thing("step", step);
        if i < 3 {
            easel.line(
                (280.0, y as f32 + 64.0),
                (280.0, y as f32 + 112.0),
                2.0,
                BLACK,
            );
        }
    }
    easel
}

fn squares() -> Easel {
    let mut easel = Easel::new(1920, 1080, WHITE);
    for i in 0..48 * 27 {
        let at = [6 + 40 * (i % 48), 6 + 40 * (i / 48), 28, 28];
        let square = easel.rect(at, BLUE);
        easel.thing("square", square);
    }
    easel
}

fn discs() -> Easel {
    let mut easel = Easel::new(600, 440, [252, 250, 240]);
    for i in 0..20_u8 {
        let (column, row) = (f32::from(i % 5), f32::from(i / 5));
        let radius = 20.0 + 5.0 * f32::from(i % 4);
        let disc = easel.disc((70.0 + 115.0 * column, 60.0 + 105.0 * row), radius, GREEN);
        easel.thing("disc", disc);
    }
    easel
}

fn mosaic() -> Easel {
    let mut easel = Easel::new(600, 420, [90; 3]);
    let inks = [BLUE, ORANGE, GREEN, [230, 220, 200], [120, 80, 60]];
    for i in 0..70 {
        let ink = inks[easel.below(5) as usize];
        let stone = easel.rect([4 + 60 * (i % 10), 4 + 60 * (i / 10), 52, 52], ink);
        easel.thing("stone", stone);
    }
    easel
}

fn flag() -> Easel {
    let mut easel = Easel::new(600, 400, WHITE);
    for (i, ink) in (0..).zip([[206, 17, 38], WHITE, [0, 56, 147]]) {
        let band = easel.rect([0, 134 * i, 600, 134], ink);
        easel.thing("band", band);
    }
    easel
}

/// As a transparent one is shown on this ground.
fn logo(ground: Ink) -> Easel {
    let mut easel = Easel::new(320, 320, ground);
    let ring = easel.disc((160.0, 130.0), 90.0, ORANGE);
    let hole = easel.disc((160.0, 130.0), 55.0, ground);
    easel.thing("ring", ring.difference(&hole));
    let star = easel.polygon(&[(160.0, 90.0), (190.0, 165.0), (130.0, 165.0)], BLUE);
    easel.thing("sign", star);
    let word = easel.write((84, 240), 44.0, "ORBIT", BLUE);
    easel.boxed("word", word);
    easel
}

fn icons() -> Easel {
    let mut easel = Easel::new(480, 400, [250, 250, 252]);
    for i in 0..30 {
        let (x, y) = (30 + 74 * (i % 6), 24 + 74 * (i / 6));
        let ink = [BLUE, ORANGE, GREEN, [148, 103, 189]][(i as usize * 7) % 4];
        let mask = sign(&mut easel, i * 3, (x, y), 44, ink);
        easel.thing("icon", mask);
    }
    easel
}

fn night() -> Easel {
    let mut easel = Easel::new(640, 420, [9, 10, 18]);
    easel.rect([0, 280, 640, 140], [16, 16, 18]);
    for (i, ink) in (0..).zip([[17, 15, 14], [13, 14, 19], [20, 18, 16], [12, 12, 13]]) {
        let height = 150 + 30 * (i % 3);
        let house = easel.rect([20 + 156 * i, 280 - height, 140, height], ink);
        easel.thing("house", house);
        for w in 0..6 {
            let (x, y) = (
                38 + 156 * i + 42 * (w % 3),
                280 - height + 24 + 54 * (w / 3),
            );
            let lit = (w + i) % 3 == 0;
            let ink = if lit { [196, 160, 84] } else { [24, 25, 30] };
            let window = easel.rect([x, y, 26, 34], ink);
            if lit {
                easel.thing("lit window", window);
            }
        }
    }
    let car = easel.rect([250, 320, 130, 44], [46, 18, 18]);
    easel.thing("car", car);
    for x in [262.0, 368.0] {
        easel.disc((x, 344.0), 8.0, [230, 226, 190]);
    }
    easel.blur(1);
    easel.noise(3);
    easel
}

fn lesions() -> Easel {
    let mut easel = Easel::new(512, 512, [12; 3]);
    let organ = easel.paint(BBox::new(40, 60, 440, 400), [104; 3], |x, y| {
        let (dx, dy) = ((x - 256.0) / 205.0, (y - 256.0) / 180.0);
        (1.0 - f32::hypot(dx, dy)) * 60.0
    });
    easel.thing("organ", organ);
    for (x, y, radius, gray) in [
        (170.0, 210.0, 34.0, 88),
        (320.0, 180.0, 22.0, 84),
        (300.0, 340.0, 28.0, 124),
        (200.0, 350.0, 16.0, 80),
    ] {
        let lesion = easel.disc((x, y), radius, [gray; 3]);
        easel.thing("lesion", lesion);
    }
    easel.blur(2);
    easel.noise(3);
    easel
}

fn bones() -> Easel {
    let mut easel = Easel::new(420, 560, [24; 3]);
    let arm = easel.paint(BBox::new(90, 0, 240, 560), [70; 3], |x, _| {
        (110.0 - (x - 210.0).abs()) / 6.0
    });
    easel.thing("arm", arm);
    for x in [165.0, 255.0] {
        let bone = easel.line((x, 20.0), (x, 540.0), 44.0, [150; 3]);
        easel.thing("bone", bone);
    }
    easel.blur(2);
    easel.noise(4);
    easel
}

fn crowd() -> Easel {
    let mut easel = Easel::new(900, 600, [196, 190, 178]);
    for row in 0..9 {
        for column in 0..18 {
            let x = 30.0 + 48.0 * column as f32 + easel.below(12) as f32;
            let y = 30.0 + 62.0 * row as f32 + easel.below(14) as f32;
            let inks = [
                BLUE,
                ORANGE,
                GREEN,
                [180, 60, 60],
                [90, 90, 110],
                [230, 225, 215],
            ];
            let ink = inks[easel.below(6) as usize];
            let body = easel.line((x, y + 16.0), (x, y + 30.0), 16.0, ink);
            let head = easel.disc((x, y), 7.0, [224, 172, 140]);
            easel.thing("person", body.union(&head));
        }
    }
    easel
}

fn tiny(width: u32, height: u32) -> Easel {
    let mut easel = Easel::new(width, height, [240; 3]);
    let side = width / 5;
    for i in 0..(4 * ((height - 2) / (side + 2))) {
        let (x, y) = (3 + (side + 2) * (i % 4), 2 + (side + 2) * (i / 4));
        let ink = [BLUE, ORANGE, GREEN, [148, 103, 189], [60; 3]][i as usize % 5];
        let mask = easel.rect([x, y, side, side], ink);
        easel.thing("icon", mask);
    }
    easel
}

fn framed() -> Easel {
    let mut easel = Easel::new(800, 560, [245; 3]);
    let bar = easel.rect([0, 0, 800, 48], [60, 90, 140]);
    easel.write((20, 12), 24.0, "Holidays", WHITE);
    easel.thing("bar", bar);
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/images/coffee.png"
    );
    let photograph = image::open(path).expect("the photograph").to_rgb8();
    let small =
        image::imageops::resize(&photograph, 330, 220, image::imageops::FilterType::Triangle);
    image::imageops::replace(&mut easel.picture, &small, 40, 80);
    easel.boxed("photograph", BBox::new(40, 80, 330, 220));
    for (i, line) in (0..).zip(LINES) {
        let bbox = easel.write((400, 90 + 34 * i), 18.0, line, BLACK);
        easel.boxed("line", bbox);
    }
    let button = easel.rect([40, 330, 140, 44], GREEN);
    easel.write((76, 341), 20.0, "Share", WHITE);
    easel.thing("button", button);
    easel
}
