//! Pickles of plain data: numbers, texts, lists, tuples and dictionaries of protocols 0 to 5.
//!
//! What would import, call or build anything is refused by its name, so that nothing is executed.
//! Values lie in one table and refer to one another by their places: a pickle that repeats a value
//! takes no more room, and none is walked recursively. Source of the opcodes: `pickletools.py` of
//! CPython.

mod machine;
mod text;

use self::machine::Machine;

/// What is wrong, and at which byte.
pub(super) type Failure = (usize, String);

/// A value in the table.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    /// None, floats, and whatever else nobody asks for.
    Other,
    Number(i64),
    Text(String),
    /// Lists and tuples.
    List(Vec<usize>),
    Dict(Vec<(usize, usize)>),
}

/// A pickle that was read.
#[derive(Debug)]
pub(super) struct Pickle {
    nodes: Vec<Node>,
    root: usize,
}

/// One value of a pickle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    pickle: &'a Pickle,
    place: usize,
}

impl Pickle {
    /// Reads a pickle.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Failure> {
        let (nodes, root) = Machine::run(bytes)?;
        Ok(Self { nodes, root })
    }

    pub(super) const fn root(&self) -> Value<'_> {
        Value {
            pickle: self,
            place: self.root,
        }
    }

    const fn value(&self, place: usize) -> Value<'_> {
        Value {
            pickle: self,
            place,
        }
    }
}

impl<'a> Value<'a> {
    fn node(self) -> Option<&'a Node> {
        self.pickle.nodes.get(self.place)
    }

    /// The number, if it is one and not negative.
    pub(super) fn number(self) -> Option<u64> {
        match self.node()? {
            Node::Number(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    pub(super) fn text(self) -> Option<&'a str> {
        match self.node()? {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn list(self) -> Option<impl ExactSizeIterator<Item = Value<'a>>> {
        match self.node()? {
            Node::List(items) => Some(items.iter().map(move |&place| self.pickle.value(place))),
            _ => None,
        }
    }

    /// What a dictionary has under `key`; of several the last.
    pub(super) fn get(self, key: &str) -> Option<Value<'a>> {
        match self.node()? {
            Node::Dict(pairs) => pairs
                .iter()
                .rev()
                .find(|(name, _)| self.pickle.value(*name).text() == Some(key))
                .map(|&(_, value)| self.pickle.value(value)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn first(bytes: &[u8]) -> Result<Option<String>, Failure> {
        let pickle = Pickle::read(bytes)?;
        let first = pickle.root().list().and_then(|mut items| items.next());
        Ok(first.and_then(|item| item.text().map(str::to_owned)))
    }

    #[test]
    fn texts_of_all_protocols_are_the_same() {
        let texts: [&[u8]; 7] = [
            b"(lp0\nS'caf\\xc3\\xa9'\np1\na.",
            b"(lp0\nVcaf\\u00e9\np1\na.",
            b"\x80\x02]q\x00U\x05caf\xc3\xa9q\x01a.",
            b"\x80\x02]q\x00T\x05\0\0\0caf\xc3\xa9a.",
            b"\x80\x02]q\x00X\x05\0\0\0caf\xc3\xa9a.",
            b"\x80\x04\x95\x0b\0\0\0\0\0\0\0]\x94\x8c\x05caf\xc3\xa9\x94a.",
            b"\x80\x02(U\x05caf\xc3\xa9l.",
        ];
        for text in texts {
            assert_eq!(first(text).unwrap().as_deref(), Some("café"), "{text:?}");
        }
    }

    #[test]
    fn numbers_of_all_kinds_are_the_same() {
        let numbers: [&[u8]; 7] = [
            b"I300\n.",
            b"L300L\n.",
            b"J\x2c\x01\0\0.",
            b"M\x2c\x01.",
            b"\x8a\x02\x2c\x01.",
            b"\x8b\x02\0\0\0\x2c\x01.",
            b"L300\n.",
        ];
        for number in numbers {
            let pickle = Pickle::read(number).unwrap();
            assert_eq!(pickle.root().number(), Some(300), "{number:?}");
        }
    }

    #[test]
    fn code_is_refused_by_name() {
        let pickles: [(&[u8], &str); 5] = [
            (b"cos\nsystem\n(S'true'\ntR.", "GLOBAL"),
            (b"(S'true'\nios\nsystem\n.", "INST"),
            (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "STACK_GLOBAL"),
            (b"\x80\x02]\x82\x01.", "EXT1"),
            (b"Pid\n.", "PERSID"),
        ];
        for (pickle, name) in pickles {
            let (_, why) = Pickle::read(pickle).unwrap_err();
            assert!(why.contains(name), "{why}");
        }
    }

    #[test]
    fn what_breaks_off_is_told_with_its_place() {
        let (at, why) = Pickle::read(b"(lp0\nS'abc'").unwrap_err();
        assert_eq!(at, 5, "{why}");
        assert!(Pickle::read(b"").is_err());
        assert!(Pickle::read(b"a.").is_err());
        assert!(Pickle::read(b"\x80\x02X\xff\xff\xff\x7fabc").is_err());
    }

    #[test]
    fn a_list_in_itself_is_read() {
        let pickle = Pickle::read(b"(lp0\ng0\na.").unwrap();
        let inner = pickle.root().list().unwrap().next().unwrap();
        assert_eq!(inner.list().unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Pickle::read(&bytes);
        }
    }
}
