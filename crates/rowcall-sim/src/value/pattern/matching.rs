//! Matches a pattern by backtracking.

use super::node::Node;

/// The most steps of a match, and its greatest depth: what follows a node is matched inside it.
const STEPS: usize = 200_000;
const DEPTH: usize = 1_500;

/// Matches by backtracking, and gives up after [`STEPS`].
pub(super) struct Matcher<'t> {
    pub(super) text: &'t [char],
    pub(super) steps: usize,
    pub(super) depth: usize,
}

/// The continuation after a node, given the matcher and the position reached.
type Then<'f> = &'f mut dyn FnMut(&mut Matcher<'_>, usize) -> bool;

impl Matcher<'_> {
    pub(super) fn here(&mut self, node: &Node, at: usize, then: Then<'_>) -> bool {
        self.steps += 1;
        if self.steps > STEPS || self.depth > DEPTH {
            return false;
        }
        self.depth += 1;
        let matched = self.node(node, at, then);
        self.depth -= 1;
        matched
    }

    fn node(&mut self, node: &Node, at: usize, then: Then<'_>) -> bool {
        match node {
            Node::Set(set) => self.text.get(at).is_some_and(|c| set.has(*c)) && then(self, at + 1),
            Node::Sequence(nodes) => self.sequence(nodes, at, then),
            Node::Either(branches) => branches.iter().any(|branch| self.here(branch, at, then)),
            Node::Repeat { what, min, max } => self.repeat(what, (*min, *max), 0, at, then),
            Node::Start => at == 0 && then(self, at),
            Node::End => at == self.text.len() && then(self, at),
            Node::Boundary(wanted) => {
                let word = |at: Option<usize>| {
                    at.and_then(|at| self.text.get(at))
                        .is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_')
                };
                (word(at.checked_sub(1)) != word(Some(at))) == *wanted && then(self, at)
            }
        }
    }

    fn sequence(&mut self, nodes: &[Node], at: usize, then: Then<'_>) -> bool {
        match nodes.split_first() {
            None => then(self, at),
            Some((first, rest)) => self.here(first, at, &mut |matcher, at| matcher.sequence(rest, at, then)),
        }
    }

    fn repeat(
        &mut self,
        what: &Node,
        (min, max): (u32, Option<u32>),
        done: u32,
        at: usize,
        then: Then<'_>,
    ) -> bool {
        // Single characters need no recursion, so that long strings do not exhaust the stack.
        if let Node::Set(set) = what {
            let most = max.map_or(self.text.len(), |max| max as usize);
            let run = self.text.iter().skip(at).take(most).take_while(|c| set.has(**c)).count();
            return (min as usize..=run).rev().any(|count| then(self, at + count));
        }
        let more = max.is_none_or(|max| done < max) && done < 512;
        let again = more
            && self.here(what, at, &mut |matcher, next| {
                (next > at || done < min) && matcher.repeat(what, (min, max), done + 1, next, then)
            });
        again || done >= min && then(self, at)
    }
}
