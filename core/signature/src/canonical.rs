//! Reads `Signature-Input` and dictionaries of byte sequences where they are written as RFC 9651 section 4.1 writes
//! them, borrowing from the field: the common case, in a fraction of the time. Whatever it does not know byte for byte
//! gives `None`, and `structured` reads it; where this module reads, both read the same (a property test says so).

use crate::component::{Builder, Component, Value};
use crate::input::Input;
use crate::parameters::Parameters;
use crate::{COMPONENTS_MAX, LABELS_MAX, PARAMETERS_MAX};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// The members of one `Signature-Input` line.
pub(crate) fn inputs(line: &str) -> Option<Vec<Input<'_>>> {
    let mut cursor = Cursor { text: line, at: 0 };
    let mut inputs: Vec<Input<'_>> = Vec::with_capacity(1);
    loop {
        let input = cursor.input()?;
        if inputs.iter().any(|other| other.label == input.label) {
            return None;
        }
        inputs.push(input);
        if cursor.is_done() {
            return Some(inputs);
        }
        cursor.skip(", ")?;
    }
}

/// Names and base64 texts of one line of a dictionary whose members are all byte sequences.
pub(crate) struct ByteSequences<'a> {
    members: [(&'a str, &'a str); LABELS_MAX],
    count: usize,
}

impl<'a> ByteSequences<'a> {
    /// At most [`LABELS_MAX`] members; the texts are not decoded.
    pub(crate) fn read(line: &'a str) -> Option<Self> {
        let mut cursor = Cursor { text: line, at: 0 };
        let mut all = Self { members: [("", ""); LABELS_MAX], count: 0 };
        loop {
            let name = cursor.key()?;
            cursor.skip("=:")?;
            let encoded = cursor.until(b':')?;
            if all.iter().any(|(other, _)| other == name) {
                return None;
            }
            *all.members.get_mut(all.count)? = (name, encoded);
            all.count += 1;
            if cursor.is_done() {
                return Some(all);
            }
            cursor.skip(", ")?;
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.members.iter().take(self.count).copied()
    }

    /// The bytes under a name, if there is one, where every member is base64 of the one right spelling: the library takes
    /// others too, so `None` at the outer level leaves it to that.
    #[expect(clippy::option_option, reason = "not here, and not under this name, are two answers")]
    pub(crate) fn bytes(&self, name: &str) -> Option<Option<Vec<u8>>> {
        let mut found = None;
        for (own, encoded) in self.iter() {
            let bytes = STANDARD.decode(encoded).ok()?;
            if own == name {
                found = Some(bytes);
            }
        }
        Some(found)
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn is_done(&self) -> bool {
        self.at == self.text.len()
    }

    fn skip(&mut self, expected: &str) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        self.at = rest.starts_with(expected).then_some(self.at + expected.len())?;
        Some(())
    }

    /// Everything up to the next `end`, which is passed.
    fn until(&mut self, end: u8) -> Option<&'a str> {
        let rest = self.text.get(self.at..)?;
        let length = rest.bytes().position(|byte| byte == end)?;
        self.at += length + 1;
        rest.get(..length)
    }

    fn while_in(&mut self, allowed: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.bytes().position(|byte| !allowed(byte)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// RFC 9651 section 3.1.2.
    fn key(&mut self) -> Option<&'a str> {
        if !matches!(self.peek()?, b'a'..=b'z' | b'*') {
            return None;
        }
        Some(self.while_in(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'*')))
    }

    /// A string in which nothing is escaped.
    fn string(&mut self) -> Option<&'a str> {
        self.skip("\"")?;
        let inside = self.while_in(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\');
        self.skip("\"")?;
        Some(inside)
    }

    /// At most 15 digits without a leading zero or sign.
    fn integer(&mut self) -> Option<i64> {
        let digits = self.while_in(|byte| byte.is_ascii_digit());
        let canonical = digits == "0" || !digits.starts_with('0');
        if digits.len() > 15 || !canonical {
            return None;
        }
        digits.parse().ok()
    }

    fn value(&mut self) -> Option<Value<'a>> {
        if self.peek() != Some(b'=') {
            return Some(Value::Flag(true));
        }
        self.at += 1;
        match self.peek()? {
            b'"' => self.string().map(|text| Value::Text(Cow::Borrowed(text))),
            b'0'..=b'9' => self.integer().map(Value::Integer),
            _ => None,
        }
    }

    fn component(&mut self) -> Option<Component<'a>> {
        let start = self.at;
        let name = self.string()?;
        if self.peek() != Some(b';') {
            return Some(Component::plain(name, self.text.get(start..self.at)?));
        }
        let mut builder = Builder::new(Cow::Borrowed(name));
        let mut seen: [&str; 4] = [""; 4];
        let mut slots = seen.iter_mut();
        let mut count = 0_usize;
        while self.peek() == Some(b';') {
            self.at += 1;
            let key = self.key()?;
            *slots.next()? = key;
            count += 1;
            builder.parameter(key, self.value()?);
        }
        if count > 1 && has_duplicates(&seen, count) {
            return None;
        }
        Some(builder.build(Cow::Borrowed(self.text.get(start..self.at)?)))
    }

    fn input(&mut self) -> Option<Input<'a>> {
        let label = self.key()?;
        self.skip("=")?;
        let start = self.at;
        self.skip("(")?;
        let components = self.components()?;
        let parameters = self.parameters()?;
        let text = self.text.get(start..self.at)?;
        Some(Input { label: Cow::Borrowed(label), components, parameters, text: Cow::Borrowed(text) })
    }

    fn components(&mut self) -> Option<Vec<Component<'a>>> {
        let mut components = Vec::with_capacity(8);
        if self.peek()? == b')' {
            self.at += 1;
            return Some(components);
        }
        loop {
            components.push(self.component()?);
            if components.len() > COMPONENTS_MAX {
                return None;
            }
            if self.peek()? == b')' {
                self.at += 1;
                return Some(components);
            }
            self.skip(" ")?;
        }
    }

    fn parameters(&mut self) -> Option<Parameters<'a>> {
        let mut parameters = Parameters::default();
        let mut seen: [&str; PARAMETERS_MAX] = [""; PARAMETERS_MAX];
        let mut slots = seen.iter_mut();
        let mut count = 0_usize;
        while self.peek() == Some(b';') {
            self.at += 1;
            let key = self.key()?;
            *slots.next()? = key;
            count += 1;
            let value = self.value()?;
            parameters.take(key, value).ok()?;
        }
        (!has_duplicates(&seen, count)).then_some(parameters)
    }
}

fn has_duplicates(seen: &[&str], count: usize) -> bool {
    let seen = seen.iter().take(count);
    seen.clone().enumerate().any(|(at, key)| seen.clone().skip(at + 1).any(|other| other == key))
}

#[cfg(test)]
mod tests {
    use super::{ByteSequences, inputs};
    use crate::structured;
    use proptest::prelude::*;

    /// Whatever is read here is read there, and the same. True where it was read here.
    fn same_inputs(line: &str) -> bool {
        let Some(fast) = inputs(line) else { return false };
        let slow = structured::inputs(std::iter::once(line)).expect(line);
        assert_eq!(fast.len(), slow.len(), "{line}");
        for (fast, slow) in fast.iter().zip(&slow) {
            assert_eq!((&fast.label, &fast.text), (&slow.label, &slow.text), "{line}");
            assert_eq!(fast.parameters, slow.parameters, "{line}");
            assert_eq!(fast.components.len(), slow.components.len(), "{line}");
            for (fast, slow) in fast.components.iter().zip(&slow.components) {
                assert!(fast.is(slow) && fast.text() == slow.text(), "{line}: {fast:?} {slow:?}");
            }
        }
        true
    }

    fn same_bytes(line: &str) -> bool {
        let Some(members) = ByteSequences::read(line) else { return false };
        let fast: Option<Vec<_>> =
            members.iter().map(|(name, _)| Some((name.to_owned(), members.bytes(name)??))).collect();
        let Some(fast) = fast else { return false };
        let slow = structured::signatures(std::iter::once(line)).expect(line);
        assert_eq!(fast, slow, "{line}");
        assert_eq!(members.bytes("none"), Some(None));
        true
    }

    #[test]
    fn what_is_written_strictly_takes_this_way() {
        for line in [
            r#"sig=()"#,
            r#"sig=("@method" "@authority" "@path" "@query" "content-type");created=1700000000;expires=1700000060;keyid="a";alg="ed25519";nonce="AA-_";tag="t""#,
            r#"sig1=("@query-param";name="Pet" "a";sf "b";key="c";req "d";bs);created=0, *b=("@status");x"#,
        ] {
            assert!(same_inputs(line), "{line}");
        }
        assert!(same_bytes("sig=:AAAA:, b=::"));
    }

    #[test]
    fn what_is_not_is_left_to_the_library() {
        for line in [
            "",
            "sig",
            "sig=",
            "sig=(",
            "sig=( )",
            r#"sig=("a"  "b")"#,
            r#"sig=("a\"")"#,
            "sig=();a=?1",
            "sig=();a=-1",
            "sig=();a=01",
            "sig=();a=1.0",
            "sig=(a)",
            "sig=();a=1;a=1",
            "sig=(),sig2=()",
            "sig=(), sig=()",
            "sig=();a=:AA:",
            "sig=();a=1000000000000000",
            r#"sig=("a";b;b)"#,
            "sig=();nonce=1",
            "sig=() ",
            " sig=()",
            "Sig=()",
            "sig=(); a",
        ] {
            assert!(inputs(line).is_none(), "{line}");
        }
        for line in ["", "a", "a=:", "a=:AA:", "a=:AB==:", "a=::;x", "a=::,b=::", "a=::, a=::", "a=:AA-_:"] {
            assert!(!same_bytes(line), "{line}");
        }
    }

    /// Pieces of the grammar in any order, with an eye to those that come close.
    fn line() -> impl Strategy<Value = String> {
        let parameter = prop_oneof![
            4 => "(created|expires|a|b\\*|x-1)(=(0|[1-9][0-9]{0,15}|-1|01|1\\.5|[?][01]|t|:AAAA:|@1))?",
            4 => "(nonce|keyid|alg|tag|key|name|x)=\"[ -~]{0,6}\"",
            2 => "sf|bs|req|tr",
        ];
        let parameters = proptest::collection::vec(parameter, 0..4)
            .prop_map(|all| all.iter().map(|one| format!(";{one}")).collect::<String>());
        let name = prop_oneof![
            "\"@(method|path|query|authority|target-uri|status|query-param|x)\"",
            "\"[a-zA-Z-]{1,8}\"",
            "\"[ -~]{0,4}\"",
            "[a-z]",
        ];
        let component = (name, parameters.clone()).prop_map(|(name, parameters)| name + &parameters);
        let list = proptest::collection::vec(component, 0..4).prop_map(|all| format!("({})", all.join(" ")));
        let member = ("[a-z*][a-z0-9._*-]{0,3}", list, parameters)
            .prop_map(|(label, list, parameters)| format!("{label}={list}{parameters}"));
        let lines = proptest::collection::vec(member, 1..3).prop_map(|all| all.join(", "));
        (lines, proptest::option::weighted(0.3, (any::<usize>(), "[ -~]{0,2}"))).prop_map(|(line, edit)| {
            let Some((at, text)) = edit else { return line };
            let at = at % (line.len() + 1);
            let (head, tail) = line.split_at(at);
            format!("{head}{text}{}", tail.get(text.len() % 2..).unwrap_or_default())
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn both_ways_read_the_same_inputs(line in line()) {
            same_inputs(&line);
        }

        #[test]
        fn both_ways_read_the_same_bytes(line in "([a-z*]{1,2}=:[A-Za-z0-9+/]{0,9}={0,2}:[, ]{0,2}){1,3}|[a-z=:, A/+]{0,20}") {
            same_bytes(&line);
        }
    }

    /// The properties above would say nothing if few of their lines were read here.
    #[test]
    fn many_of_the_lines_above_take_this_way() {
        use proptest::strategy::ValueTree as _;
        use proptest::test_runner::TestRunner;
        let mut runner = TestRunner::deterministic();
        let taken =
            (0..500).filter(|_| same_inputs(&line().new_tree(&mut runner).unwrap().current())).count();
        assert!(taken > 50, "{taken} of 500");
    }
}
