//! Writes a matching string for a pattern.

use super::node::{LONGEST, Node, Set};
use crate::chance::Chance;

/// Writes a string that matches a node.
pub(super) struct Writer {
    pub(super) chance: Chance,
    pub(super) drawn: u64,
    /// The most repetitions beyond the minimum.
    pub(super) extra: u32,
}

impl Writer {
    fn draw(&mut self) -> Chance {
        self.drawn += 1;
        self.chance.nth(self.drawn)
    }

    pub(super) fn write(&mut self, node: &Node, text: &mut String) -> Option<()> {
        if text.len() > LONGEST as usize * 4 {
            return None;
        }
        match node {
            Node::Set(set) => text.push(set.draw(self.draw())?),
            Node::Sequence(nodes) => nodes.iter().try_for_each(|node| self.write(node, text))?,
            Node::Either(branches) => {
                let drawn = self.draw().below(branches.len() as u64) as usize;
                self.write(branches.get(drawn)?, text)?;
            }
            Node::Repeat { what, min, max } => {
                let room = max.unwrap_or(LONGEST).saturating_sub(*min).min(self.extra);
                let few = self.extra <= 2;
                let extra = if few { self.draw().below(u64::from(room) + 1) as u32 } else { room };
                (0..min + extra).try_for_each(|_| self.write(what, text))?;
            }
            Node::Start | Node::End | Node::Boundary(_) => {}
        }
        Some(())
    }
}

impl Set {
    /// A character of the set, an ordinary one if possible.
    fn draw(&self, chance: Chance) -> Option<char> {
        if !self.negated {
            let (low, high) = self.ranges.get(chance.below(self.ranges.len() as u64) as usize)?;
            let width = u64::from(u32::from(*high) - u32::from(*low)) + 1;
            return char::from_u32(u32::from(*low) + chance.nth(1).below(width) as u32).or(Some(*low));
        }
        let ordinary =
            ('a'..='z').chain('A'..='Z').chain('0'..='9').chain(' '..='~').chain('\u{e0}'..='\u{ff}');
        let fitting: Vec<_> = ordinary.filter(|c| self.has(*c)).take(26).collect();
        fitting.get(chance.below(fitting.len() as u64) as usize).copied()
    }
}
