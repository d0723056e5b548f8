//! Reads people and things from a short text: what it says for a property of a schema. It knows English sentences in
//! general and none in particular; whatever the text does not say is made up elsewhere.

mod age;
mod found;
mod lexicon;
mod mood;
mod name;
mod occupation;
mod proper;
mod prose;
mod want;
mod words;

#[cfg(test)]
mod tests;

use std::cell::{Cell, OnceCell};

pub(crate) use mood::Mood;
pub(crate) use want::{Property, Want};

use age::Age;
use found::Figure;
use name::Name;
use prose::Prose;
use words::{Kind, Token};

/// The most of a text that is read, in bytes.
const READ_AT_MOST: usize = 64 << 10;

/// Words for types, which an instruction may add to a property's name.
const TYPE_WORDS: &[&str] = &[
    "string", "str", "integer", "int", "number", "float", "boolean", "bool", "array", "list", "object",
    "null", "text",
];

/// A text, read lazily.
#[derive(Debug)]
pub(crate) struct Reading<'t> {
    prose: Prose<'t>,
    name: OnceCell<Option<Name>>,
    figures: OnceCell<Vec<Figure>>,
    /// The informative words in lower case, for comparison with an enum's members.
    said: OnceCell<Vec<String>>,
    figures_taken: Cell<usize>,
}

impl<'t> Reading<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let mut end = text.len().min(READ_AT_MOST);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let prose = Prose::of(text.get(..end).unwrap_or(""));
        Self {
            prose,
            name: OnceCell::new(),
            figures: OnceCell::new(),
            said: OnceCell::new(),
            figures_taken: Cell::new(0),
        }
    }

    /// The string that the text gives for a property.
    pub(crate) fn text(&self, property: &Property<'_>) -> Option<String> {
        let said = self.labelled(property).filter(|said| !TYPE_WORDS.contains(&said.to_lowercase().as_str()));
        said.or_else(|| self.wanted(property.want()?)).filter(|said| !said.trim().is_empty())
    }

    /// The number that the text gives for a property: by its meaning, near its name, or the next unused one.
    pub(crate) fn number(&self, property: &Property<'_>) -> Option<f64> {
        let labelled = self.labelled(property).and_then(|said| {
            let said = found::figures(&said, &words::tokens(&said));
            said.first().map(|figure| figure.value)
        });
        labelled
            .or_else(|| self.wanted_number(property))
            .or_else(|| self.near(property, |_| true))
            .or_else(|| self.next_figure())
    }

    /// Whether the text affirms or denies a property: the words of its name occur, plainly or negated.
    pub(crate) fn flag(&self, property: &Property<'_>) -> Option<bool> {
        if let Some(said) = self.labelled(property) {
            match said.to_lowercase().as_str() {
                "yes" | "true" => return Some(true),
                "no" | "false" => return Some(false),
                _ => {}
            }
        }
        let words = property.words();
        let is_significant =
            |word: &&String| word.len() > 2 && !["has", "are", "was", "the"].contains(&word.as_str());
        let at = words
            .iter()
            .filter(is_significant)
            .find_map(|word| self.informative_tokens().position(|(_, token)| token.is(word)))?;
        let before: Vec<_> = self.informative_tokens().take(at).map(|(_, token)| token).collect();
        let denied =
            before.iter().rev().take(3).any(|token| {
                token.is_any(&["not", "no", "never", "without"]) || token.lower.ends_with("n't")
            });
        Some(!denied)
    }

    /// The position of `member` of an enum in the text, word for word in any case.
    pub(crate) fn position_of(&self, member: &str) -> Option<usize> {
        let wanted: Vec<_> =
            words::tokens(member).into_iter().flat_map(|token| split(&token.lower)).collect();
        if wanted.is_empty() {
            return None;
        }
        let said = self
            .said
            .get_or_init(|| self.informative_tokens().flat_map(|(_, token)| split(&token.lower)).collect());
        said.windows(wanted.len()).position(|window| window == wanted.as_slice())
    }

    /// The members of an enum that match what the text says about the property, best first.
    pub(crate) fn equivalents(&self, property: &Property<'_>) -> Vec<String> {
        match property.want() {
            Some(Want::Language) => {
                self.language().map_or(vec![], |(name, code)| vec![name.to_owned(), code.to_owned()])
            }
            _ => self.text(property).into_iter().collect(),
        }
    }

    pub(crate) fn mood(&self) -> Mood {
        mood::mood(&self.prose.tokens)
    }

    /// What the text contains in one of JSON Schema's formats.
    pub(crate) fn formatted(&self, format: &str) -> Option<String> {
        let text = self.prose.text;
        match format {
            "email" | "idn-email" => found::email(text).map(str::to_owned),
            "uri" | "url" | "iri" | "uri-reference" => {
                found::url(text).filter(|url| url.starts_with("http")).map(str::to_owned)
            }
            "date" => {
                found::date(text).map(|(_, (year, month, day))| format!("{year:04}-{month:02}-{day:02}"))
            }
            "date-time" => found::date_time(text).map(str::to_owned),
            _ => None,
        }
    }

    /// The first informative sentence.
    pub(crate) fn first_sentence(&self) -> &'t str {
        self.prose.first_sentence()
    }

    /// The first piece of text between spaces for which `fits` is true, without punctuation around it.
    pub(crate) fn piece(&self, fits: impl Fn(&str) -> bool) -> Option<&'t str> {
        let pieces = self.prose.text.split_whitespace();
        pieces
            .map(|piece| piece.trim_matches(|c: char| !c.is_alphanumeric()))
            .take(500)
            .find(|piece| !piece.is_empty() && fits(piece))
    }

    fn wanted(&self, want: Want) -> Option<String> {
        let text = self.prose.text;
        let person = || self.name().map(|name| &name.range);
        let said = match want {
            Want::Name => self.full_name(),
            Want::FirstName => self.full_name()?.split_whitespace().next(),
            Want::LastName => last_name(self.full_name()?),
            Want::Age => return self.age().map(|age| age.years.to_string()),
            Want::Occupation => occupation::find(&self.prose, self.name()),
            Want::Organisation => proper::organisation(&self.prose, person()),
            Want::Thing => proper::thing(&self.prose, person()).or_else(|| self.full_name()),
            Want::City => proper::city(&self.prose, person()),
            Want::Country => proper::country(&self.prose),
            Want::Email => found::email(text),
            Want::Phone => found::phone(text),
            Want::Url => found::url(text),
            Want::Date => found::date(text).map(|(said, _)| said),
            Want::Amount | Want::Quantity => return None,
            Want::Currency => self.currency(),
            Want::Sentiment => self.mood().words().first().copied(),
            Want::Language => self.language().map(|(name, _)| name),
            Want::Title => {
                proper::quoted(text).or_else(|| Some(self.first_sentence().trim_end_matches(['.', '!', '?'])))
            }
            Want::Sentence => Some(self.first_sentence()),
        };
        said.map(str::to_owned)
    }

    fn age(&self) -> Option<Age> {
        age::find(&self.prose.tokens, &self.prose.sentences)
    }

    fn wanted_number(&self, property: &Property<'_>) -> Option<f64> {
        match property.want()? {
            Want::Age => self.age().map(|age| age.years.into()),
            Want::Amount => {
                let priced = |figure: &&Figure| figure.currency.is_some();
                let near = self.near(property, priced).or_else(|| self.near(property, |_| true));
                near.or_else(|| self.figures().iter().find(priced).map(|figure| figure.value))
            }
            Want::Quantity => {
                let counts = |figure: &&Figure| figure.counts && figure.value.fract() == 0.0;
                let near = self.near(property, |_| true);
                near.or_else(|| self.figures().iter().find(counts).map(|figure| figure.value))
            }
            _ => None,
        }
    }

    /// The fitting figure nearest to a word of the property's name, at most 24 bytes away.
    fn near(&self, property: &Property<'_>, fits: impl Fn(&&Figure) -> bool) -> Option<f64> {
        let words = property.words();
        let alike = |token: &Token<'_>| {
            words.iter().any(|word| {
                word.len() > 2
                    && (token.is(word)
                        || token.lower.strip_suffix('s') == Some(word)
                        || word.strip_suffix('s') == Some(&token.lower))
            })
        };
        let offsets: Vec<_> = self
            .informative_tokens()
            .filter(|(_, token)| alike(token))
            .map(|(_, token)| token.start)
            .take(64)
            .collect();
        let distance = |figure: &Figure| offsets.iter().map(|offset| offset.abs_diff(figure.start)).min();
        let near = self.figures().iter().filter(fits).filter_map(|figure| Some((distance(figure)?, figure)));
        near.filter(|(distance, _)| *distance <= 24)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, figure)| figure.value)
    }

    fn next_figure(&self) -> Option<f64> {
        let taken = self.figures_taken.get();
        let figure = self.figures().get(taken)?;
        self.figures_taken.set(taken + 1);
        Some(figure.value)
    }

    fn currency(&self) -> Option<&'static str> {
        let beside = self.figures().iter().find_map(|figure| figure.currency);
        beside.or_else(|| self.informative_tokens().find_map(|(_, token)| found::currency(&token.lower)))
    }

    fn language(&self) -> Option<(&'static str, &'static str)> {
        mood::language(&self.prose.tokens)
    }

    fn full_name(&self) -> Option<&'t str> {
        self.name().map(|name| self.prose.span(name.range.clone()))
    }

    fn name(&self) -> Option<&Name> {
        self.name.get_or_init(|| name::find(&self.prose)).as_ref()
    }

    fn figures(&self) -> &[Figure] {
        self.figures.get_or_init(|| {
            let all = found::figures(self.prose.text, &self.prose.tokens);
            let starts: Vec<_> = self.informative_tokens().map(|(_, token)| token.start).collect();
            let is_informative = |figure: &Figure| starts.binary_search(&figure.start).is_ok();
            all.into_iter().filter(is_informative).collect()
        })
    }

    /// The tokens of the informative sentences, with their indexes.
    fn informative_tokens(&self) -> impl Iterator<Item = (usize, &Token<'t>)> {
        let ranges = self.prose.sentences.iter().cloned();
        ranges.flatten().filter_map(|at| Some((at, self.prose.tokens.get(at)?)))
    }

    /// The text after the property's own name and a colon, up to the next separator.
    fn labelled(&self, property: &Property<'_>) -> Option<String> {
        let words = property.words();
        if words.is_empty() {
            return None;
        }
        for sentence in &self.prose.sentences {
            let get = |at: usize| self.prose.get(sentence, at);
            for at in sentence.clone() {
                let whole = get(at).is_some_and(|token| split(&token.lower) == words);
                let in_words =
                    words.iter().enumerate().all(|(n, word)| get(at + n).is_some_and(|token| token.is(word)));
                if !whole && !in_words {
                    continue;
                }
                let mut next = at + if whole { 1 } else { words.len() };
                next += usize::from(get(next).is_some_and(|token| token.is("\"")));
                if !get(next).is_some_and(|token| token.is_any(&[":", "="])) {
                    continue;
                }
                next += 1 + usize::from(get(next + 1).is_some_and(|token| token.is("\"")));
                let ends = |at: usize| {
                    get(at).is_none_or(|token| {
                        token.kind == Kind::Mark && token.is_any(&[",", ";", "|", "\"", "}"])
                    })
                };
                let end = (next..sentence.end).find(|at| ends(*at)).unwrap_or(sentence.end);
                return Some(self.prose.span(next..end).trim().to_owned()).filter(|said| !said.is_empty());
            }
        }
        None
    }
}

fn split(word: &str) -> Vec<String> {
    word.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The name without its first part. Particles stay with the surname; `Jr.` does not count as one.
fn last_name(full: &str) -> Option<&str> {
    let start = full.find(char::is_whitespace)?;
    let rest = full.get(start..)?.trim_start();
    let mut parts: Vec<_> = rest.split_whitespace().collect();
    while parts.last().is_some_and(|last| lexicon::SUFFIXES.has(last.to_lowercase().as_str())) {
        parts.pop();
    }
    let particle = parts.iter().position(|part| lexicon::PARTICLES.has(part));
    let first = parts.get(particle.unwrap_or(parts.len().checked_sub(1)?))?;
    let last = parts.last()?;
    let offset = |part: &str| part.as_ptr() as usize - full.as_ptr() as usize;
    full.get(offset(first)..offset(last) + last.len())
}
