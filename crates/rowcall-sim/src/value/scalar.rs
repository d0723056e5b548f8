//! Strings, numbers, booleans and enum members: read from the text if it has a fitting value, otherwise made up.

use serde_json::Value;

use super::conjunction::Conjunction;
use super::number::{Bounds, number};
use super::pattern::Pattern;
use super::{Generator, Location, Obstacle, check, format};
use crate::reading::{Mood, Want};

/// The most members of an enum that are looked for in the text; of a longer list only the first are.
const MEMBERS: usize = 250;

impl<'s> Generator<'s, '_> {
    /// The value of type `name` that the text gives, if it fits.
    pub(super) fn read(&self, name: &str, all: &Conjunction<'s>, location: Location<'s>) -> Option<Value> {
        let property = &location.property;
        match name {
            "boolean" => self.reading.flag(property).map(Value::Bool),
            "integer" | "number" => {
                let whole = name == "integer";
                let said = self.reading.number(property)?;
                Bounds::of(all, whole).fit(said).then(|| number(said, whole))?
            }
            "string" => {
                let rules = Text::of(all);
                let format = rules.formats.first();
                let said = match format.filter(|format| format::make(format, location.chance).is_some()) {
                    Some(format) => self.reading.formatted(format),
                    None => self.reading.text(property),
                };
                let piece = || {
                    rules
                        .patterns
                        .first()
                        .and_then(|_| self.reading.piece(|piece| rules.fit(piece)))
                        .map(str::to_owned)
                };
                said.filter(|said| rules.fit(said)).or_else(piece).map(Value::String)
            }
            _ => None,
        }
    }

    /// A value of type `name` about which the text says nothing.
    pub(super) fn make_up(
        &self,
        name: &str,
        all: &Conjunction<'s>,
        location: Location<'s>,
    ) -> Result<Value, Obstacle> {
        match name {
            "boolean" => Ok(Value::Bool((location.chance.bits() ^ location.salt) & 1 == 1)),
            "integer" | "number" => {
                let likely = match location.property.want() {
                    Some(Want::Age) => (18.0, 80.0),
                    _ => (1.0, 100.0),
                };
                let bounds = Bounds::of(all, name == "integer");
                bounds.make(location.chance, location.salt, likely).ok_or_else(|| {
                    let set = ["multipleOf", "minimum", "exclusiveMinimum"]
                        .into_iter()
                        .find(|word| all.values(word).next().is_some());
                    self.obstacle(set.unwrap_or("maximum"))
                })
            }
            "string" => {
                let rules = Text::of(all);
                if !self.afford(super::PATTERN_WORK * rules.patterns.len()) {
                    return Err(self.obstacle("the size of the schema"));
                }
                rules.make(location).map(Value::String).map_err(|keyword| self.obstacle(keyword))
            }
            _ => Ok(Value::Null),
        }
    }

    /// A member of the enum: one that the text mentions, otherwise any.
    pub(super) fn member(&self, all: &Conjunction<'s>, location: Location<'s>) -> Result<Value, Obstacle> {
        let listed: Vec<&'s Vec<Value>> = all.values("enum").filter_map(Value::as_array).collect();
        let shortest = listed.iter().min_by_key(|members| members.len()).map_or(&[][..], |members| members);
        let constant = all.values("const").next();
        // A member of the only list satisfies that list by construction.
        let settled = if constant.is_none() && listed.len() == 1 { "enum" } else { "" };
        let candidates = constant.into_iter().chain(shortest);
        let fits = |value: &&Value, fuel: &mut usize| {
            all.maps.iter().all(|map| check::holds_flat(self.root, map, value, settled, fuel))
        };
        let fitting: Vec<&Value> = self.judged(|fuel| candidates.filter(|value| fits(value, fuel)).collect());
        if fitting.is_empty() {
            return Err(self.obstacle("enum"));
        }
        if location.salt == 0
            && let Some(said) = self.said_member(&fitting, location)
        {
            return Ok(said.clone());
        }
        let only = fitting.len() == 1;
        if location.optional && !only {
            return Err(Obstacle::Unsaid);
        }
        if location.salt == 0
            && !only
            && let Some(null) = fitting.iter().find(|value| value.is_null())
        {
            return Ok((*null).clone());
        }
        let drawn =
            location.chance.below(fitting.len() as u64).wrapping_add(location.salt) % fitting.len() as u64;
        fitting.get(drawn as usize).map(|value| (*value).clone()).ok_or_else(|| self.obstacle("enum"))
    }

    fn said_member<'v>(&self, members: &[&'v Value], location: Location<'s>) -> Option<&'v Value> {
        let texts: Vec<(&str, &'v Value)> =
            members.iter().take(MEMBERS).filter_map(|member| Some((member.as_str()?, *member))).collect();
        let is = |word: &str| {
            texts.iter().find(|(text, _)| text.eq_ignore_ascii_case(word)).map(|(_, member)| *member)
        };
        let moods: Vec<_> = [Mood::Good, Mood::Bad]
            .into_iter()
            .filter(|mood| mood.words().iter().any(|word| is(word).is_some()))
            .collect();
        let sounds = location.property.want() == Some(Want::Sentiment) || moods.len() == 2;
        if sounds && let Some(member) = self.reading.mood().words().iter().find_map(|word| is(word)) {
            return Some(member);
        }
        let in_text = texts.iter().filter_map(|(text, member)| {
            Some((self.reading.position_of(text)?, usize::MAX - text.len(), *member))
        });
        if let Some((_, _, member)) = in_text.min_by_key(|(at, length, _)| (*at, *length)) {
            return Some(member);
        }
        if let Some(member) = self.reading.equivalents(&location.property).iter().find_map(|word| is(word)) {
            return Some(member);
        }
        let numbers = members.iter().any(|member| member.is_number());
        let said = numbers.then(|| self.reading.number(&location.property))??;
        members.iter().copied().find(|member| member.as_f64() == Some(said))
    }
}

/// The requirements for a string.
struct Text<'s> {
    shortest: usize,
    longest: Option<usize>,
    patterns: Vec<Pattern>,
    formats: Vec<&'s str>,
}

impl<'s> Text<'s> {
    fn of(all: &Conjunction<'s>) -> Self {
        Self {
            shortest: all.at_least("minLength"),
            longest: all.at_most("maxLength"),
            patterns: all.strings("pattern").filter_map(Pattern::parse).collect(),
            formats: all.strings("format").collect(),
        }
    }

    fn fit(&self, text: &str) -> bool {
        self.fits_length(text) && self.patterns.iter().all(|pattern| pattern.matches(text))
    }

    fn fits_length(&self, text: &str) -> bool {
        let length = text.chars().count();
        length >= self.shortest && self.longest.is_none_or(|longest| length <= longest)
    }

    /// A made-up string, or the keyword that cannot be satisfied.
    fn make(&self, location: Location<'_>) -> Result<String, &'static str> {
        let chance = location.chance.nth(location.salt);
        let known: Vec<_> =
            self.formats.iter().filter(|format| format::make(format, chance).is_some()).collect();
        if let Some(format) = known.first() {
            let alike = known.iter().all(|other| other == format);
            let candidates = (0..8).filter_map(|n| format::make(format, chance.nth(n)));
            return candidates.into_iter().find(|text| alike && self.fit(text)).ok_or("format");
        }
        if let Some(pattern) = self.patterns.first() {
            let lengths = (self.shortest, self.longest);
            return pattern.example(chance, lengths, |text| self.fit(text)).ok_or("pattern");
        }
        if self.longest.is_some_and(|longest| longest < self.shortest) || self.shortest > 1 << 20 {
            return Err("minLength");
        }
        Ok(self.note(location, &chance.tag()))
    }

    /// `simulated colour 3f2a`, cut or padded to the required length.
    fn note(&self, location: Location<'_>, tag: &str) -> String {
        let words = location.property.words().join(" ");
        let subject = if words.is_empty() || words.len() > 40 { "note" } else { &words };
        let full = format!("simulated {subject} {tag}");
        let longest = self.longest.unwrap_or(usize::MAX);
        let mut text: String =
            if full.chars().count() <= longest { full } else { tag.chars().take(longest).collect() };
        while text.chars().count() < self.shortest {
            text.push_str(tag);
            if text.len() > self.shortest {
                text = text.chars().take(self.shortest).collect();
            }
        }
        text
    }
}
