//! Rust sources as tokens: comments and strings cannot be taken for code.

use std::{
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{TokenStream, TokenTree};

/// One Rust file of the repository.
pub(crate) struct Source {
    /// From the repository's root, with `/`.
    pub(crate) path: String,
    tokens: Vec<(String, usize)>,
}

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file under the given folders of the repository, in the order of their names.
pub(crate) fn rust_files(folders: &[&str]) -> Vec<Source> {
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(Source::read(&path));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let path = path
            .strip_prefix(root())
            .unwrap()
            .to_str()
            .unwrap()
            .replace('\\', "/");
        let stream = text
            .parse()
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        Self { path, tokens }
    }

    /// `path:line` of each place where the given tokens follow one another.
    pub(crate) fn places_of(&self, wanted: &[&str]) -> Vec<String> {
        self.tokens
            .windows(wanted.len())
            .filter(|window| window.iter().map(|(token, _)| token).eq(wanted))
            .map(|window| self.place(window[0].1))
            .collect()
    }

    /// `path:line` and name of each module of the standard library that is used.
    pub(crate) fn std_modules(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (at, (_, line)) in self.tokens.iter().enumerate() {
            let text = |offset: usize| self.tokens.get(at + offset).map_or("", |(token, _)| token);
            if (text(0), text(1), text(2)) != ("std", ":", ":") {
                continue;
            }
            if text(3) != "{" {
                found.push((self.place(*line), text(3).to_owned()));
                continue;
            }
            // In `std::{fs, io::{Read, Write}}`, the first word of each branch.
            let mut depth = 0;
            for (token, line) in &self.tokens[at + 3..] {
                match token.as_str() {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
                if depth == 1 && token.chars().all(|c| c.is_alphanumeric() || c == '_') {
                    found.push((self.place(*line), token.clone()));
                }
            }
        }
        found
    }

    /// The paths that are imported, segment by segment, but for those of the file's own tests.
    pub(crate) fn imports(&self) -> Vec<Vec<String>> {
        let mut words: Vec<&str> = self.tokens.iter().map(|(token, _)| &**token).collect();
        if let Some(tests) = words.windows(3).position(|w| w == ["mod", "tests", "{"]) {
            words.truncate(tests);
        }
        let mut imports = Vec::new();
        for statement in words.split(|word| *word == "use").skip(1) {
            let mut words = statement.iter().copied();
            branches(&mut words, &[], &mut imports);
        }
        imports
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }
}

/// The paths of one `use`, up to the end of its statement or of its braces, all beginning with
/// `start`.
fn branches<'a>(
    words: &mut impl Iterator<Item = &'a str>,
    start: &[String],
    paths: &mut Vec<Vec<String>>,
) {
    let mut path = start.to_vec();
    while let Some(word) = words.next() {
        match word {
            ":" => {}
            "{" => {
                branches(words, &path, paths);
                path.clear();
            }
            "," | "}" | ";" => {
                if path.len() > start.len() {
                    paths.push(std::mem::take(&mut path));
                }
                match word {
                    "," => path = start.to_vec(),
                    _ => return,
                }
            }
            word => path.push(word.to_owned()),
        }
    }
}

fn flatten(stream: TokenStream, tokens: &mut Vec<(String, usize)>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                tokens.push((open.to_owned(), line));
                flatten(group.stream(), tokens);
                tokens.push((close.to_owned(), line));
            }
            leaf => tokens.push((leaf.to_string(), line)),
        }
    }
}

#[test]
fn words_in_comments_and_strings_are_not_code() {
    let mut tokens = Vec::new();
    let text = r#"
        // unsafe
        /// unsafe
        fn f() -> &'static str { "unsafe" }
        use std::{fmt, io::{self, Read}};
        fn g() { std::fs::read("x"); unsafe { h() } }
    "#;
    flatten(text.parse().unwrap(), &mut tokens);
    let source = Source {
        path: "x.rs".to_owned(),
        tokens,
    };
    assert_eq!(source.places_of(&["unsafe"]), ["x.rs:6"]);
    let modules: Vec<_> = source
        .std_modules()
        .into_iter()
        .map(|(_, name)| name)
        .collect();
    assert_eq!(modules, ["fmt", "io", "fs"]);
    let imports = source.imports().into_iter().map(|path| path.join("::"));
    let imports: Vec<String> = imports.collect();
    assert_eq!(imports, ["std::fmt", "std::io::self", "std::io::Read"]);
}
