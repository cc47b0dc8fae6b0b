use std::{
    fmt::Write as _,
    fs,
    io::ErrorKind,
    mem::offset_of,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use som_plugin::sys;

/// Size of the field that `get` leads to.
const fn size_of_field<T, F>(_get: fn(&T) -> &F) -> usize {
    size_of::<F>()
}

/// A struct's name and size, and the name, offset and size of each field.
type Layout = (&'static str, usize, Vec<(&'static str, usize, usize)>);

macro_rules! layouts {
    ($($name:ident { $($field:ident)* })*) => {
        [$((
            stringify!($name),
            size_of::<sys::$name>(),
            vec![$((
                stringify!($field),
                offset_of!(sys::$name, $field),
                size_of_field(|it: &sys::$name| &it.$field),
            )),*],
        )),*]
    };
}

fn layouts() -> [Layout; 11] {
    layouts! {
        som_host { size data version log }
        som_image { size width height pixels }
        som_canvas { size width height pixels }
        som_region { size x y width height score reserved mask label extra object }
        som_call { size data params cancelled number text emit fail }
        som_segmenter { size id version about schema create segment destroy }
        som_mark { size region text x y width height anchor_x anchor_y color reserved }
        som_mark_style { size id version about schema label measure draw flags }
        som_frame { size image index count flags }
        som_tracker { size id version about schema create frame destroy }
        som_plugin { size segmenters mark_styles trackers }
    }
}

#[test]
fn the_mirror_has_the_layouts_of_the_header() {
    let mut program =
        String::from("#include <stdio.h>\n#include \"som_plugin.h\"\nint main(void) {\n");
    let mut expected = String::new();
    for (name, size, fields) in layouts() {
        writeln!(program, "printf(\"{name} %zu\\n\", sizeof({name}));").unwrap();
        writeln!(expected, "{name} {size}").unwrap();
        let mut end = 0;
        for (field, offset, size) in fields {
            writeln!(
                program,
                "printf(\"{name}.{field} %zu %zu\\n\", offsetof({name}, {field}), \
                 sizeof((({name} *)0)->{field}));"
            )
            .unwrap();
            writeln!(expected, "{name}.{field} {offset} {size}").unwrap();
            assert_eq!(offset, end, "{name} has something before {field}");
            end = offset + size;
        }
        assert_eq!(size, end, "{name} has something at its end");
    }
    for (name, value) in [
        ("SOM_OK", sys::SOM_OK),
        ("SOM_CANCELLED", sys::SOM_CANCELLED),
        ("SOM_INVALID", sys::SOM_INVALID),
        ("SOM_UNSUPPORTED", sys::SOM_UNSUPPORTED),
        ("SOM_UNAVAILABLE", sys::SOM_UNAVAILABLE),
        ("SOM_EXHAUSTED", sys::SOM_EXHAUSTED),
        ("SOM_INTERNAL", sys::SOM_INTERNAL),
        (
            "SOM_STYLE_IGNORES_MASKS",
            sys::SOM_STYLE_IGNORES_MASKS as i32,
        ),
        ("SOM_FRAME_BACKWARD", sys::SOM_FRAME_BACKWARD as i32),
    ] {
        writeln!(program, "printf(\"{name} %d\\n\", (int){name});").unwrap();
        writeln!(expected, "{name} {value}").unwrap();
    }
    program.push_str("return 0;\n}\n");
    assert_eq!(run_c("layout", &program), expected);
}

#[test]
fn the_mirror_has_every_struct_of_the_header() {
    let named: Vec<&str> = layouts().map(|(name, ..)| name).to_vec();
    let header: Vec<&str> = som_plugin::HEADER
        .lines()
        .filter_map(|line| line.strip_prefix("} ")?.strip_suffix(';'))
        .collect();
    assert_eq!(named, header);
}

#[test]
fn has_tells_which_fields_a_struct_knows() {
    let program = r#"
        #include <stdio.h>
        #include "som_plugin.h"
        int main(void) {
            som_region region = {0};
            region.size = offsetof(som_region, extra);
            printf("%d%d%d\n", SOM_HAS(&region, mask), SOM_HAS(&region, extra), SOM_HAS(&region, object));
            region.size = sizeof region - 1;
            printf("%d%d%d\n", SOM_HAS(&region, mask), SOM_HAS(&region, extra), SOM_HAS(&region, object));
            region.size = sizeof region + 8;
            printf("%d%d%d\n", SOM_HAS(&region, mask), SOM_HAS(&region, extra), SOM_HAS(&region, object));
            return 0;
        }"#;
    assert_eq!(run_c("has", program), "100\n110\n111\n");
}

#[test]
fn the_header_alone_is_c99_c11_and_c17() {
    for standard in ["c99", "c11", "c17"] {
        compiles("cc", standard, "c");
    }
}

#[test]
fn the_header_alone_is_cpp11_cpp17_and_cpp20() {
    for standard in ["c++11", "c++17", "c++20"] {
        compiles("c++", standard, "cpp");
    }
}

/// Checks that a file with nothing but the header in it compiles without a warning.
fn compiles(compiler: &str, standard: &str, extension: &str) {
    let source = folder().join(format!("alone-{standard}.{extension}"));
    // A second time, for the include guard; a use of the macro, for its casts.
    let text = "#include \"som_plugin.h\"\n#include \"som_plugin.h\"\n\
                int has_mask(const som_region *region);\n\
                int has_mask(const som_region *region) { return SOM_HAS(region, mask); }\n";
    fs::write(&source, text).unwrap();
    let mut command = Command::new(compiler);
    command
        .arg(format!("-std={standard}"))
        .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
    let output = command
        .args(["-fsyntax-only", "-I"])
        .arg(include())
        .arg(&source)
        .output();
    match output {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("skipped {standard}: there is no {compiler}");
        }
        output => assert_success(&output.unwrap(), &format!("{compiler} -std={standard}")),
    }
}

/// What a C program prints.
fn run_c(name: &str, program: &str) -> String {
    let (source, binary) = (folder().join(format!("{name}.c")), folder().join(name));
    fs::write(&source, program).unwrap();
    let mut command = Command::new("cc");
    command
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(include());
    assert_success(
        &command
            .arg(&source)
            .arg("-o")
            .arg(&binary)
            .output()
            .unwrap(),
        "cc",
    );
    let output = Command::new(&binary).output().unwrap();
    assert_success(&output, name);
    String::from_utf8(output.stdout).unwrap()
}

fn assert_success(output: &Output, what: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{what} failed: {}\n{text}",
        output.status
    );
}

fn include() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include")
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}
