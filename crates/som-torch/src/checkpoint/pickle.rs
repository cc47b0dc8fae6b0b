//! Which names of Python modules a pickle refers to.
//!
//! A pickle is a program for a small stack machine, and two of its instructions fetch an object by
//! module and name. Unpickling in Python calls what was fetched; nothing here does. The opcodes
//! are those of CPython's `Lib/pickletools.py`.

use std::{collections::HashMap, io::Read};

/// Reads one pickle to its end and refuses it if it names anything but what tensors and plain
/// containers are made of.
pub(super) fn check(pickle: &mut impl Read) -> Result<(), String> {
    Scanner {
        pickle,
        memo: HashMap::new(),
        strings: [None, None],
    }
    .run()
}

/// Modules and names that `torch.save` writes for tensors and for the plain values beside them.
fn is_allowed(module: &str, name: &str) -> bool {
    match module {
        "torch._utils" => {
            name.starts_with("_rebuild_tensor") || name.starts_with("_rebuild_parameter")
        }
        "torch._tensor" => name == "_rebuild_from_type_v2",
        "torch.nn.parameter" => matches!(name, "Parameter" | "Buffer"),
        "torch.storage" => matches!(
            name,
            "TypedStorage" | "UntypedStorage" | "_TypedStorage" | "_UntypedStorage"
        ),
        "torch" => {
            name.ends_with("Storage")
                || matches!(name, "Tensor" | "Size" | "device" | "dtype" | "bool")
                || name.starts_with("float")
                || name.starts_with("bfloat")
                || name.starts_with("int")
                || name.starts_with("uint")
        }
        "collections" => matches!(name, "OrderedDict" | "defaultdict" | "Counter"),
        "builtins" | "__builtin__" => matches!(
            name,
            "set"
                | "frozenset"
                | "dict"
                | "list"
                | "tuple"
                | "int"
                | "float"
                | "bool"
                | "str"
                | "bytes"
                | "bytearray"
                | "complex"
                | "slice"
        ),
        // Numbers that numpy computed, such as the step of a training.
        "numpy" => matches!(name, "dtype" | "ndarray"),
        "numpy.core.multiarray" | "numpy._core.multiarray" => {
            matches!(name, "scalar" | "_reconstruct")
        }
        "_codecs" => name == "encode",
        // The options of a training, as fairseq saves them: attributes and nothing else.
        "argparse" => name == "Namespace",
        _ => false,
    }
}

struct Scanner<'a, R> {
    pickle: &'a mut R,
    /// Strings the pickle put aside, for `STACK_GLOBAL`, which takes its names from the stack.
    memo: HashMap<u32, String>,
    /// The two values pushed last, where they are strings.
    strings: [Option<String>; 2],
}

impl<R: Read> Scanner<'_, R> {
    fn run(mut self) -> Result<(), String> {
        loop {
            match self.byte()? {
                // STOP
                b'.' => return Ok(()),
                // GLOBAL, INST
                b'c' | b'i' => {
                    let (module, name) = (self.line()?, self.line()?);
                    allow(&module, &name)?;
                    self.push(None);
                }
                // STACK_GLOBAL
                0x93 => {
                    let [Some(module), Some(name)] = &self.strings else {
                        return Err("refers to a Python object by a computed name".to_owned());
                    };
                    allow(module, name)?;
                    self.push(None);
                }
                // EXT1, EXT2, EXT4, NEXT_BUFFER, READONLY_BUFFER
                0x82..=0x84 | 0x97 | 0x98 => {
                    return Err("uses Python's extension registry or outside buffers".to_owned());
                }
                // Strings: UNICODE, BINUNICODE, SHORT_BINUNICODE, BINUNICODE8
                b'V' => self.string(None)?,
                b'X' => self.string(Some(4))?,
                0x8c => self.string(Some(1))?,
                0x8d => self.string(Some(8))?,
                // PUT, BINPUT, LONG_BINPUT, MEMOIZE
                b'p' => {
                    let index = self.line()?.trim().parse().map_err(|_| malformed())?;
                    self.remember(index);
                }
                b'q' => {
                    let index = self.number(1)? as u32;
                    self.remember(index);
                }
                b'r' => {
                    let index = self.number(4)? as u32;
                    self.remember(index);
                }
                0x94 => self.remember(self.memo.len() as u32),
                // GET, BINGET, LONG_BINGET
                b'g' => {
                    let index = self.line()?.trim().parse().map_err(|_| malformed())?;
                    self.recall(index);
                }
                b'h' => {
                    let index = self.number(1)? as u32;
                    self.recall(index);
                }
                b'j' => {
                    let index = self.number(4)? as u32;
                    self.recall(index);
                }
                // Values with a line of text: FLOAT, INT, LONG, PERSID, STRING
                b'F' | b'I' | b'L' | b'P' | b'S' => {
                    self.line()?;
                    self.push(None);
                }
                // Values of a fixed length: BININT1, BININT2, BININT, BINFLOAT
                b'K' => self.skip_value(1)?,
                b'M' => self.skip_value(2)?,
                b'J' => self.skip_value(4)?,
                b'G' => self.skip_value(8)?,
                // Values that begin with their length: SHORT_BINSTRING, SHORT_BINBYTES, LONG1;
                // BINSTRING, BINBYTES, LONG4; BINBYTES8, BYTEARRAY8
                b'U' | b'C' | 0x8a => self.skip_counted(1)?,
                b'T' | b'B' | 0x8b => self.skip_counted(4)?,
                0x8e | 0x96 => self.skip_counted(8)?,
                // PROTO, FRAME
                0x80 => self.skip(1)?,
                0x95 => self.skip(8)?,
                // What only moves or builds values.
                b'('
                | b'0'
                | b'1'
                | b'2'
                | b'N'
                | b'Q'
                | b'R'
                | b'a'
                | b'b'
                | b'd'
                | b'}'
                | b'e'
                | b'l'
                | b']'
                | b'o'
                | b's'
                | b't'
                | b')'
                | b'u'
                | 0x81
                | 0x85..=0x89
                | 0x8f..=0x92 => {
                    self.push(None);
                }
                opcode => return Err(format!("0x{opcode:02x} is no pickle instruction")),
            }
        }
    }

    fn push(&mut self, value: Option<String>) {
        let [_, last] = std::mem::take(&mut self.strings);
        self.strings = [last, value];
    }

    /// Puts the last value aside. Only strings matter, but indices count every value.
    fn remember(&mut self, index: u32) {
        let value = self.strings[1].clone().unwrap_or_default();
        self.memo.insert(index, value);
    }

    fn recall(&mut self, index: u32) {
        let value = self
            .memo
            .get(&index)
            .filter(|value| !value.is_empty())
            .cloned();
        self.push(value);
    }

    fn string(&mut self, length_bytes: Option<usize>) -> Result<(), String> {
        let text = match length_bytes {
            None => self.line()?,
            Some(bytes) => {
                let length = self.number(bytes)?;
                let mut text = Vec::new();
                self.pickle
                    .by_ref()
                    .take(length)
                    .read_to_end(&mut text)
                    .map_err(|_| ends_early())?;
                if text.len() as u64 != length {
                    return Err(ends_early());
                }
                String::from_utf8_lossy(&text).into_owned()
            }
        };
        self.push(Some(text));
        Ok(())
    }

    fn skip_value(&mut self, bytes: u64) -> Result<(), String> {
        self.skip(bytes)?;
        self.push(None);
        Ok(())
    }

    fn skip_counted(&mut self, length_bytes: usize) -> Result<(), String> {
        let length = self.number(length_bytes)?;
        self.skip_value(length)
    }

    fn skip(&mut self, bytes: u64) -> Result<(), String> {
        let skipped = std::io::copy(&mut self.pickle.by_ref().take(bytes), &mut std::io::sink())
            .map_err(|_| ends_early())?;
        if skipped == bytes {
            Ok(())
        } else {
            Err(ends_early())
        }
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.number(1)? as u8)
    }

    /// An unsigned little-endian number.
    fn number(&mut self, bytes: usize) -> Result<u64, String> {
        let mut number = [0; 8];
        self.pickle
            .read_exact(&mut number[..bytes])
            .map_err(|_| ends_early())?;
        Ok(u64::from_le_bytes(number))
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => return Ok(String::from_utf8_lossy(&line).into_owned()),
                byte => line.push(byte),
            }
        }
    }
}

fn allow(module: &str, name: &str) -> Result<(), String> {
    if is_allowed(module, name) {
        return Ok(());
    }
    Err(format!(
        "refused: it refers to Python's {module}.{name}, which is neither a tensor nor a plain container"
    ))
}

fn ends_early() -> String {
    "its pickle is cut off".to_owned()
}

fn malformed() -> String {
    "its pickle is malformed".to_owned()
}
