//! The stack machine that a pickle is a program of.

use std::collections::HashMap;

use super::{Failure, Node, text};

/// The machine between two opcodes.
pub(super) struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<usize>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u64, usize>,
}

impl<'a> Machine<'a> {
    /// Runs a pickle to its end: the values, and the place of the result.
    pub(super) fn run(bytes: &'a [u8]) -> Result<(Vec<Node>, usize), Failure> {
        let mut machine = Self {
            bytes,
            at: 0,
            nodes: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
        };
        loop {
            let at = machine.at;
            let failure = |why| (at, why);
            let opcode = machine.byte().map_err(failure)?;
            if opcode == b'.' {
                let root = machine.pop().map_err(failure)?;
                return Ok((machine.nodes, root));
            }
            machine.step(opcode).map_err(failure)?;
        }
    }

    fn step(&mut self, opcode: u8) -> Result<(), String> {
        match opcode {
            // PROTO, FRAME
            0x80 => self.take(1).map(drop),
            0x95 => self.take(8).map(drop),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'0' => self.pop().map(drop),
            b'1' => self.pop_mark().map(drop),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
                Ok(())
            }
            // None, False, True, floats
            b'N' => self.push(Node::Other),
            0x88 => self.push(Node::Number(1)),
            0x89 => self.push(Node::Number(0)),
            b'F' => self.line().map(drop).and_then(|()| self.push(Node::Other)),
            b'G' => self.take(8).map(drop).and_then(|()| self.push(Node::Other)),
            b'I' | b'L' | b'J' | b'K' | b'M' | 0x8a | 0x8b => self.number(opcode),
            b'S' | b'V' | b'T' | b'U' | b'X' | 0x8c | 0x8d | b'B' | b'C' | 0x8e => {
                self.text(opcode)
            }
            b']' | b')' => self.push(Node::List(Vec::new())),
            b'l' | b't' => {
                let items = self.pop_mark()?;
                self.push(Node::List(items))
            }
            0x85..=0x87 => {
                let count = usize::from(opcode - 0x84);
                let start = self.stack.len().checked_sub(count).ok_or(TOO_FEW)?;
                let items = self.stack.split_off(start);
                self.push(Node::List(items))
            }
            b'}' => self.push(Node::Dict(Vec::new())),
            b'd' => {
                let items = self.pop_mark()?;
                self.push(Node::Dict(pairs(&items)))
            }
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])
            }
            b'e' => {
                let items = self.pop_mark()?;
                self.append(&items)
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set(&[key, value])
            }
            b'u' => {
                let items = self.pop_mark()?;
                self.set(&items)
            }
            b'p' | b'q' | b'r' | 0x94 | b'g' | b'h' | b'j' => self.remember(opcode),
            other => Err(refused(other)),
        }
    }

    fn number(&mut self, opcode: u8) -> Result<(), String> {
        let number = match opcode {
            b'I' | b'L' => {
                let line = self.line()?;
                let text = std::str::from_utf8(line).unwrap_or("");
                let text = text.strip_suffix('L').unwrap_or(text).trim();
                text.parse().map_err(|_| format!("{text:?} is no number"))?
            }
            b'J' => i64::from(i32::from_le_bytes(self.array()?)),
            b'K' => i64::from(self.byte()?),
            b'M' => i64::from(u16::from_le_bytes(self.array()?)),
            _ => {
                let length = if opcode == 0x8a {
                    usize::from(self.byte()?)
                } else {
                    u32::from_le_bytes(self.array()?) as usize
                };
                let bytes = self.take(length)?;
                if length > 8 {
                    return Err("a number is longer than 8 bytes".to_owned());
                }
                let sign = bytes
                    .last()
                    .map_or(0, |last| if *last > 0x7f { 0xff } else { 0 });
                let mut whole = [sign; 8];
                whole[..length].copy_from_slice(bytes);
                i64::from_le_bytes(whole)
            }
        };
        self.push(Node::Number(number))
    }

    fn text(&mut self, opcode: u8) -> Result<(), String> {
        let text = match opcode {
            b'S' => text::quoted(self.line()?)?,
            b'V' => text::raw_unicode(self.line()?)?,
            _ => {
                let length = match opcode {
                    b'U' | b'C' | 0x8c => u64::from(self.byte()?),
                    b'T' | b'X' | b'B' => u64::from(u32::from_le_bytes(self.array()?)),
                    _ => u64::from_le_bytes(self.array()?),
                };
                let length = usize::try_from(length).map_err(|_| BREAKS_OFF)?;
                text::of_bytes(self.take(length)?.to_vec())
            }
        };
        self.push(Node::Text(text))
    }

    /// Puts the topmost value into the memo, or gets one from it.
    fn remember(&mut self, opcode: u8) -> Result<(), String> {
        let key = match opcode {
            b'p' | b'g' => {
                let line = self.line()?;
                let text = std::str::from_utf8(line).unwrap_or("").trim();
                text.parse()
                    .map_err(|_| format!("{text:?} is no place in the memo"))?
            }
            b'q' | b'h' => u64::from(self.byte()?),
            b'r' | b'j' => u64::from(u32::from_le_bytes(self.array()?)),
            _ => self.memo.len() as u64,
        };
        if matches!(opcode, b'g' | b'h' | b'j') {
            let place = self.memo.get(&key).copied();
            let place = place.ok_or_else(|| format!("the memo has nothing at {key}"))?;
            self.stack.push(place);
        } else {
            let top = self.top()?;
            self.memo.insert(key, top);
        }
        Ok(())
    }

    fn push(&mut self, node: Node) -> Result<(), String> {
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
        Ok(())
    }

    fn append(&mut self, items: &[usize]) -> Result<(), String> {
        match self.top().map(|top| self.nodes.get_mut(top))? {
            Some(Node::List(list)) => {
                list.extend_from_slice(items);
                Ok(())
            }
            _ => Err("items are appended to what is no list".to_owned()),
        }
    }

    fn set(&mut self, items: &[usize]) -> Result<(), String> {
        match self.top().map(|top| self.nodes.get_mut(top))? {
            Some(Node::Dict(dict)) => {
                dict.extend(pairs(items));
                Ok(())
            }
            _ => Err("items are set in what is no dictionary".to_owned()),
        }
    }

    fn top(&self) -> Result<usize, String> {
        self.stack.last().copied().ok_or_else(|| TOO_FEW.to_owned())
    }

    fn pop(&mut self) -> Result<usize, String> {
        self.stack.pop().ok_or_else(|| TOO_FEW.to_owned())
    }

    fn pop_mark(&mut self) -> Result<Vec<usize>, String> {
        let mark = self.marks.pop().ok_or("there is no mark on the stack")?;
        if mark > self.stack.len() {
            return Err(TOO_FEW.to_owned());
        }
        Ok(self.stack.split_off(mark))
    }

    fn byte(&mut self) -> Result<u8, String> {
        self.array().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let bytes = self.take(N)?;
        bytes
            .first_chunk()
            .copied()
            .ok_or_else(|| BREAKS_OFF.to_owned())
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        let taken = rest.get(..length).ok_or(BREAKS_OFF)?;
        self.at += length;
        Ok(taken)
    }

    /// Up to the next line feed, which is left out.
    fn line(&mut self) -> Result<&'a [u8], String> {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        let length = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .ok_or(BREAKS_OFF)?;
        let line = self.take(length + 1)?;
        // In text mode on Windows lines end in two characters.
        let line = &line[..length];
        Ok(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

const TOO_FEW: &str = "more values are taken from the stack than there are";
const BREAKS_OFF: &str = "the pickle breaks off (is the file whole?)";

/// Keys and values in turns; a last key without value is dropped.
fn pairs(items: &[usize]) -> Vec<(usize, usize)> {
    let (pairs, _) = items.as_chunks();
    pairs.iter().map(|&[key, value]| (key, value)).collect()
}

/// Why an opcode is not followed.
fn refused(opcode: u8) -> String {
    let name = match opcode {
        b'c' => "GLOBAL",
        0x93 => "STACK_GLOBAL",
        b'R' => "REDUCE",
        b'i' => "INST",
        b'o' => "OBJ",
        b'b' => "BUILD",
        0x81 | 0x92 => "NEWOBJ",
        0x82 => "EXT1",
        0x83 => "EXT2",
        0x84 => "EXT4",
        b'P' | b'Q' => "PERSID",
        _ => return format!("{opcode:#04x} is no opcode of plain data (is this the right file?)"),
    };
    format!("{name} would run code, which plain references do not need: the file is not read")
}
