//! The built-in templates.

/// Name and text of every built-in template.
///
/// Those whose names begin with `som-bench` are the published prompts of SoM-Bench, word for word,
/// with fields for what differs from image to image (microsoft/SoM, `benchmark/README.md` and the
/// system prompt of `gpt4v.py`; MIT licence). They know numeric labels and one image.
pub const WORDINGS: [(&str, &str); 9] = [
    ("ask", ASK),
    ("reason", REASON),
    ("describe", DESCRIBE),
    ("refer", REFER),
    ("phrases", PHRASES),
    ("track", TRACK),
    ("som-bench-labelling", BENCH_LABELLING),
    ("som-bench-referring", BENCH_REFERRING),
    ("som-bench-grounding", BENCH_GROUNDING),
];

const ASK: &str = "\
You answer questions about images. {marks} A label stands on its region, or beside it with a line \
that leads to it. Whenever you speak of a region, name it by its label in brackets, such as \
{example}. Name only labels that are there.
---
{table}

{question}

{form}";

const REASON: &str = "\
You answer questions about images. {marks} A label stands on its region, or beside it with a line \
that leads to it. Whenever you speak of a region, name it by its label in brackets, such as \
{example}. Name only labels that are there.
---
{table}

{question}

First go through the labelled regions that matter and say what each one shows. Then reason step by \
step. Close with one line that begins with \"Answer:\".";

const DESCRIBE: &str = "\
You say what is in the labelled regions of images. {marks} A label stands on its region, or beside \
it with a line that leads to it.
---
{table}

What is in the regions labelled {targets}? {form}";

const REFER: &str = "\
You find what is spoken of in images. {marks} A label stands on its region, or beside it with a \
line that leads to it.
---
{table}

Which regions are meant by each of these expressions?

{expressions}

{form}";

const PHRASES: &str = "\
You find what is spoken of in images. {marks} A label stands on its region, or beside it with a \
line that leads to it.
---
{table}

This sentence is about the image: {sentence}

Find the regions of {phrases}. {form}";

const TRACK: &str = "\
You find objects again in further images. {marks} A label stands on its region, or beside it with a \
line that leads to it. No two regions have the same label.
---
{table}

Find the objects of the first image labelled {targets} in the images after it. {form}";

const BENCH_LABELLING: &str = "\
- For any marks mentioned in your answer, please highlight them with [].
---
I have labeled a bright numeric ID at the center for each visual object in the image. Please \
enumerate their names. You must answer by selecting from the following names: {vocabulary}";

const BENCH_REFERRING: &str = "\
- For any marks mentioned in your answer, please highlight them with [].
---
I have labeled a bright numeric ID at the center for each visual object in the image. Please tell \
me the IDs for: {expressions}.";

const BENCH_GROUNDING: &str = "\
- For any marks mentioned in your answer, please highlight them with [].
---
I have labeled a bright numeric ID at the center for each visual object in the image. Given the \
image showing {sentence}, find the corresponding regions for {phrases}.";
