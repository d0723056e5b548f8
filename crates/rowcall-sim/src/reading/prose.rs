//! Splits a text into its informative sentences, without the instructions around them. Separates instructions from
//! content; the content is interpreted elsewhere.

use std::ops::Range;

use super::age;
use super::lexicon::{INSTRUCTIONS, LABELS};
use super::words::{Kind, Token, tokens};

/// The longest sentence in tokens. A longer one is cut, so that looking around in one stays cheap.
const LONGEST: usize = 256;

/// The tokens of a text and the ranges that form its informative sentences.
#[derive(Debug)]
pub(super) struct Prose<'t> {
    pub(super) text: &'t str,
    pub(super) tokens: Vec<Token<'t>>,
    pub(super) sentences: Vec<Range<usize>>,
}

impl<'t> Prose<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let tokens = tokens(text);
        let all: Vec<_> = sentences(&tokens).map(|sentence| without_lead(&tokens, sentence)).collect();
        let is_informative = |sentence: &&Range<usize>| !is_order(&tokens, sentence);
        let informative: Vec<_> =
            all.iter().filter(is_informative).filter(|each| !each.is_empty()).cloned().collect();
        let sentences = if informative.is_empty() { all } else { informative };
        Self { text, tokens, sentences }
    }

    /// The token at `at`, if it is in `sentence`.
    pub(super) fn get(&self, sentence: &Range<usize>, at: usize) -> Option<&Token<'t>> {
        self.tokens.get(at).filter(|_| sentence.contains(&at))
    }

    /// The text from the first token of `range` to its last.
    pub(super) fn span(&self, range: Range<usize>) -> &'t str {
        let (Some(first), Some(last)) =
            (self.tokens.get(range.start), self.tokens.get(range.end.wrapping_sub(1)))
        else {
            return "";
        };
        self.text.get(first.start..last.end()).unwrap_or("")
    }

    /// The first informative sentence, with its final mark.
    pub(super) fn first_sentence(&self) -> &'t str {
        let Some(sentence) = self.sentences.first() else { return "" };
        let mark =
            self.tokens.get(sentence.end).is_some_and(|token| token.kind == Kind::End && token.text != "\n");
        self.span(sentence.start..sentence.end + usize::from(mark))
    }
}

fn sentences(tokens: &[Token<'_>]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    let ends = tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::End).map(|(at, _)| at);
    let whole = ends.chain([tokens.len()]).map(move |end| std::mem::replace(&mut start, end + 1)..end);
    whole.flat_map(|sentence| {
        let end = sentence.end;
        sentence.step_by(LONGEST).map(move |from| from..end.min(from + LONGEST))
    })
}

/// Strips `[row 3]`, list marks, and the words before the colon of `Extract the person:` or `Text:`.
fn without_lead(tokens: &[Token<'_>], mut sentence: Range<usize>) -> Range<usize> {
    if slice(tokens, &sentence).first().is_some_and(|first| first.is("[")) {
        let close = slice(tokens, &sentence).iter().position(|token| token.is("]"));
        sentence.start += close.map_or(0, |at| at + 1);
    }
    while let Some(colon) = slice(tokens, &sentence).iter().position(|token| token.is(":")) {
        let lead = sentence.start..sentence.start + colon;
        if !is_order(tokens, &lead) && !is_label(tokens, &lead) {
            break;
        }
        sentence.start += colon + 1;
    }
    sentence
}

fn slice<'a, 't>(tokens: &'a [Token<'t>], range: &Range<usize>) -> &'a [Token<'t>] {
    tokens.get(range.clone()).unwrap_or(&[])
}

/// Whether these tokens instruct the model and say nothing about a person.
fn is_order(tokens: &[Token<'_>], range: &Range<usize>) -> bool {
    let words = slice(tokens, range);
    let first = words.iter().find(|token| token.kind == Kind::Word);
    first.is_some_and(|word| word.among(&INSTRUCTIONS)) && age::clear(words).is_none()
}

fn is_label(tokens: &[Token<'_>], range: &Range<usize>) -> bool {
    let words: Vec<_> = slice(tokens, range).iter().filter(|token| token.kind == Kind::Word).collect();
    (1..=6).contains(&words.len()) && words.iter().all(|word| word.among(&LABELS))
}
