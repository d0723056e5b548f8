//! Generates strings that match a regular expression, and checks whether strings do. Supports the common subset:
//! literals, classes, groups, alternatives, quantifiers, anchors, `\b`; no look-around, no back-references.

mod matching;
mod node;
mod writing;

#[cfg(test)]
mod tests;

use crate::chance::Chance;
use matching::Matcher;
use node::{LONGEST, Node, Set};
use writing::Writer;

/// A parsed regular expression.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    root: Node,
}

const DIGIT: &[(char, char)] = &[('0', '9')];
const WORD: &[(char, char)] = &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')];
const SPACE: &[(char, char)] = &[(' ', ' '), ('\t', '\r'), ('\u{a0}', '\u{a0}')];

/// The deepest nesting of groups.
const DEEPEST: usize = 64;

impl Pattern {
    /// The pattern, if it is in the subset.
    pub(crate) fn parse(source: &str) -> Option<Self> {
        let mut parser = Parser { rest: source, depth: 0 };
        let root = parser.either()?;
        parser.rest.is_empty().then_some(Self { root })
    }

    /// A matching string of `shortest` to `longest` characters for which `fits` is true.
    pub(crate) fn example(
        &self,
        chance: Chance,
        lengths: (usize, Option<usize>),
        fits: impl Fn(&str) -> bool,
    ) -> Option<String> {
        const EXTRAS: [u32; 10] = [2, 0, 1, 4, 8, 16, 32, 64, 256, 1_024];
        let (shortest, longest) = lengths;
        EXTRAS.iter().flat_map(|extra| (0..4).map(move |n| (*extra, n))).find_map(|(extra, n)| {
            let mut text = String::new();
            let mut writer = Writer { chance: chance.nth(u64::from(extra)).nth(n), drawn: 0, extra };
            writer.write(&self.root, &mut text)?;
            let length = text.chars().count();
            let fitting = length >= shortest && longest.is_none_or(|longest| length <= longest);
            (fitting && self.matches(&text) && fits(&text)).then_some(text)
        })
    }

    /// Whether the pattern matches somewhere in `text`.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let mut matcher = Matcher { text: &text, steps: 0, depth: 0 };
        (0..=text.len()).any(|from| matcher.here(&self.root, from, &mut |_, _| true))
    }
}

struct Parser<'s> {
    rest: &'s str,
    depth: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..)?;
        Some(c)
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn either(&mut self) -> Option<Node> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut branches = vec![self.sequence()?];
        while self.eat("|") {
            branches.push(self.sequence()?);
        }
        self.depth -= 1;
        if branches.len() == 1 { branches.pop() } else { Some(Node::Either(branches)) }
    }

    fn sequence(&mut self) -> Option<Node> {
        let mut nodes = Vec::new();
        while !self.rest.is_empty() && !self.rest.starts_with(['|', ')']) {
            let atom = self.atom()?;
            nodes.push(self.quantified(atom)?);
        }
        Some(Node::Sequence(nodes))
    }

    fn atom(&mut self) -> Option<Node> {
        match self.next()? {
            '(' => {
                let named = self.rest.starts_with("?<")
                    && !self.rest.starts_with("?<=")
                    && !self.rest.starts_with("?<!");
                if named || self.rest.starts_with("?P<") {
                    let end = self.rest.find('>')?;
                    self.rest = self.rest.get(end + 1..)?;
                } else if !self.eat("?:") && self.rest.starts_with('?') {
                    return None;
                }
                let inside = self.either()?;
                self.eat(")").then_some(inside)
            }
            '[' => self.class(),
            '.' => Some(Node::Set(Set { ranges: vec![('\n', '\n'), ('\r', '\r')], negated: true })),
            '^' => Some(Node::Start),
            '$' => Some(Node::End),
            '\\' => match self.next()? {
                'b' => Some(Node::Boundary(true)),
                'B' => Some(Node::Boundary(false)),
                'A' => Some(Node::Start),
                'z' | 'Z' => Some(Node::End),
                c => self.escape(c).map(Node::Set),
            },
            '*' | '+' | '?' => None,
            c => Some(Node::Set(Set::one(c))),
        }
    }

    fn quantified(&mut self, what: Node) -> Option<Node> {
        let (min, max) = match self.rest.chars().next() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => match braces(self.rest) {
                Some((bounds, rest)) => {
                    self.rest = rest;
                    return self.repeat(what, bounds);
                }
                None => return Some(what),
            },
            _ => return Some(what),
        };
        self.next();
        self.repeat(what, (min, max))
    }

    fn repeat(&mut self, what: Node, (min, max): (u32, Option<u32>)) -> Option<Node> {
        self.eat("?");
        let in_bounds =
            min <= LONGEST && max.is_none_or(|max| min <= max) && !self.rest.starts_with(['*', '+']);
        in_bounds.then(|| Node::Repeat { what: Box::new(what), min, max })
    }

    /// The class after `[`.
    fn class(&mut self) -> Option<Node> {
        let mut set = Set { ranges: Vec::new(), negated: self.eat("^") };
        loop {
            let first = match self.next()? {
                ']' => return Some(Node::Set(set)),
                '[' if self.rest.starts_with([':', '=', '.']) => return None,
                '\\' => self
                    .next()
                    .and_then(|c| if c == 'b' { Some(Set::one('\u{8}')) } else { self.escape(c) })?,
                c => Set::one(c),
            };
            if first.negated {
                // `[\D...]` would need the complement inside a union.
                return None;
            }
            let [(low, high)] = first.ranges.as_slice() else {
                set.ranges.extend(first.ranges);
                continue;
            };
            let ranged = low == high && self.rest.starts_with('-') && !self.rest.starts_with("-]");
            if !ranged {
                set.ranges.push((*low, *high));
                continue;
            }
            self.next();
            let last = match self.next()? {
                '\\' => self.next().and_then(|c| self.escape(c))?,
                c => Set::one(c),
            };
            let [(end, same)] = last.ranges.as_slice() else { return None };
            if end != same || end < low {
                return None;
            }
            set.ranges.push((*low, *end));
        }
    }

    fn escape(&mut self, c: char) -> Option<Set> {
        let set = |ranges: &[(char, char)], negated| Some(Set { ranges: ranges.to_vec(), negated });
        match c {
            'd' => set(DIGIT, false),
            'D' => set(DIGIT, true),
            'w' => set(WORD, false),
            'W' => set(WORD, true),
            's' => set(SPACE, false),
            'S' => set(SPACE, true),
            'n' => Some(Set::one('\n')),
            'r' => Some(Set::one('\r')),
            't' => Some(Set::one('\t')),
            'f' => Some(Set::one('\u{c}')),
            'v' => Some(Set::one('\u{b}')),
            'x' => self.code(2),
            'u' => self.code(4),
            c if c.is_ascii_alphanumeric() => None,
            c => Some(Set::one(c)),
        }
    }

    fn code(&mut self, digits: usize) -> Option<Set> {
        let (code, rest) = self.rest.split_at_checked(digits)?;
        self.rest = rest;
        let all_hex = code.bytes().all(|b| b.is_ascii_hexdigit());
        all_hex.then(|| u32::from_str_radix(code, 16).ok().and_then(char::from_u32).map(Set::one))?
    }
}

/// The bounds of `{2}`, `{2,}` or `{2,5}` at the start of `rest`, and the remaining text.
fn braces(rest: &str) -> Option<((u32, Option<u32>), &str)> {
    let (inside, rest) = rest.strip_prefix('{')?.split_once('}')?;
    let (min, max) = match inside.split_once(',') {
        None => (inside.parse().ok()?, Some(inside.parse().ok()?)),
        Some((min, "")) => (min.parse().ok()?, None),
        Some((min, max)) => (min.parse().ok()?, Some(max.parse().ok()?)),
    };
    Some(((min, max), rest))
}
