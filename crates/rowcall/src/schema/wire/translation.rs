//! Translates the user's schema into a provider's subset, place by place. `form.rs` translates a single place, and
//! `definition.rs` references.

use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::{Map, Value};

use super::definition::{Definition, Key};
use super::dialect::{self, RootReferences, Rules, Sent};
use super::form::{self, Form};
use super::step::{Step, Steps};
use super::{Effect, Loss, WRAPPER, Wanted, outlook, recursion};
use crate::error::Problem;
use crate::schema::alternatives::{Alternatives, Branch};
use crate::schema::json_type::JsonTypes;
use crate::schema::observed::Observed;
use crate::schema::part::Part;
use crate::schema::place::{Alternative, Place};
use crate::schema::refused;
use crate::schema::satisfiable::too_deep;
use crate::schema::subschemas::target;
use crate::schema::validate::Document;

/// The most places. Some schemas multiply without end when they are translated, and no provider accepts more.
const MOST: usize = 10_000;

/// The deepest nesting of places, including references with their own description.
const DEEPEST: usize = 64;

/// The most alternatives that are compared with one another.
const MOST_COMPARED: usize = 100;

/// The most items of a list that is left open, where no output limit is known.
const UNLIMITED_ITEMS: u64 = 1_000;

/// The step of the root, known before there is one.
pub(super) const ROOT: usize = 0;

/// The step that does nothing.
pub(super) const KEPT: usize = 1;

/// What becomes of a description beside a reference, where providers allow nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    /// It is kept, and what the reference leads to is written out.
    Kept,
    /// It is left out, since too much would be written out.
    LeftOut,
}

/// The result of a translation.
pub(super) struct Translated {
    pub(super) schema: Value,
    pub(super) losses: Vec<Loss>,
    pub(super) steps: Steps,
}

pub(super) struct Translation<'s> {
    pub(super) root: &'s Value,
    pub(super) rules: &'s Rules,
    /// Keywords that are only described.
    described: &'s [String],
    observed: &'s Observed,
    output_limit: Option<u32>,
    pub(super) losses: Vec<Loss>,
    /// The place, keyword and effect of each.
    recorded: HashSet<(String, String, Effect)>,
    pub(super) steps: Vec<Step>,
    pub(super) definitions: Vec<Definition>,
    /// The definition of each place that has one.
    pub(super) defined: HashMap<Key, usize>,
    /// The names of definitions, and how often a name was wanted.
    pub(super) names: HashMap<String, usize>,
    pub(super) waiting: VecDeque<(usize, Place<'s>)>,
    /// The places that are being translated, each within the one before.
    open: Vec<Key>,
    places: usize,
    beside: Beside,
    pub(super) document: Document<'s>,
}

impl<'s> Translation<'s> {
    /// Translates the schema `root`, wrapped in an object if it does not describe one.
    ///
    /// # Errors
    /// A schema that multiplies beyond any provider's limits, that no value can satisfy, or that contains itself in a way that
    /// the provider rejects.
    pub(super) fn of(root: &'s Value, rules: &'s Rules, wanted: &'s Wanted) -> Result<Translated, Problem> {
        match Self::translated(root, rules, wanted, Beside::Kept) {
            Err(problem) if problem == too_many() => Self::translated(root, rules, wanted, Beside::LeftOut),
            translated => translated,
        }
    }

    fn translated(
        root: &'s Value,
        rules: &'s Rules,
        wanted: &'s Wanted,
        beside: Beside,
    ) -> Result<Translated, Problem> {
        let place = Place::new(root, vec![Part::new(String::new(), root)]);
        let mut translation = Self {
            root,
            rules,
            described: &wanted.described,
            observed: &wanted.observed,
            output_limit: wanted.output_limit,
            losses: Vec::new(),
            recorded: HashSet::new(),
            steps: vec![Step::Keep, Step::Keep],
            definitions: Vec::new(),
            defined: HashMap::new(),
            names: HashMap::new(),
            waiting: VecDeque::new(),
            open: Vec::new(),
            places: 0,
            beside,
            document: Document::new(root),
        };
        let wrapped = !outlook::may_be_root(&place, root, rules);
        // A root that is itself a reference keeps its own name.
        let is_own = matches!(place.key().as_slice(), [(pointer, _), ..] if pointer.is_empty());
        if !wrapped && is_own && rules.root_references == RootReferences::Hash {
            translation.define_root(&place);
        }
        let form = translation.held(&place)?.ok_or_else(|| nothing_left(""))?;
        translation.set_step(ROOT, Step::As(form.step));
        let mut schema = if wrapped { translation.wrap(form.schema) } else { form.schema };
        translation.translate_definitions()?;
        translation.add_definitions(&mut schema);
        let first = if wrapped { translation.step(Step::Wrap(ROOT)) } else { ROOT };
        let mut schema = Value::Object(if wrapped { schema } else { form::in_order_of(&place, schema) });
        recursion::settle(&mut schema, rules.recursion, root, &mut translation.losses)?;
        let steps = Steps::new(translation.steps, first, &translation.document);
        Ok(Translated { schema, losses: translation.losses, steps })
    }

    fn wrap(&self, schema: Map<String, Value>) -> Map<String, Value> {
        let mut wrapped = Map::from_iter([("type".to_owned(), Value::from("object"))]);
        self.close(&mut wrapped, Map::from_iter([(WRAPPER.to_owned(), Value::Object(schema))]));
        wrapped
    }

    pub(super) fn step(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    pub(super) fn set_step(&mut self, number: usize, step: Step) {
        if let Some(slot) = self.steps.get_mut(number) {
            *slot = step;
        }
    }

    /// Records that the provider does not enforce `keyword`.
    pub(super) fn lose(&mut self, path: &str, keyword: &str, note: String) {
        self.record(path, keyword, note, Effect::Checked);
    }

    /// Records that some values which are valid cannot be answered.
    pub(super) fn narrow(&mut self, path: &str, keyword: &str, note: String) {
        self.record(path, keyword, note, Effect::Narrowed);
    }

    pub(super) fn record(&mut self, path: &str, keyword: &str, note: String, effect: Effect) {
        if self.recorded.insert((path.to_owned(), keyword.to_owned(), effect)) {
            self.losses.push(Loss { path: path.to_owned(), keyword: keyword.to_owned(), note, effect });
        }
    }

    /// How `keyword` with this value is sent for values of `types`. `longest` is the length that a string may have at most.
    pub(super) fn sent(&self, keyword: &str, value: &Value, types: JsonTypes, longest: Option<u64>) -> Sent {
        if self.described.iter().any(|each| each == keyword) {
            return Sent::Described;
        }
        let line = dialect::line(self.rules, self.observed, keyword, value, types);
        line.map_or(Sent::Described, |line| line.sent(value, types, longest))
    }

    /// The most items of a list that the user's schema leaves open, if there is such a bound.
    pub(super) fn most_items(&self) -> Option<u64> {
        // An item takes two tokens at least: itself and a comma.
        let held = self.output_limit.map_or(UNLIMITED_ITEMS, |limit| u64::from(limit / 2).max(1));
        self.rules.bounds.items.map(|most| most.min(held))
    }

    /// The form of a place where all of `parts` hold; `None` if nothing can stand there.
    pub(super) fn place(&mut self, parts: Vec<Part<'s>>) -> Result<Option<Form>, Problem> {
        let place = match parts.as_slice() {
            [part] => match self.reference_of(part).and_then(|reference| target(self.root, reference)) {
                Some((pointer, schema)) => return self.reference(&pointer, schema),
                None => Place::new(self.root, parts),
            },
            _ => Place::new(self.root, parts),
        };
        self.held(&place)
    }

    /// Where `part` leads, if it is sent as a reference.
    fn reference_of(&self, part: &Part<'s>) -> Option<&'s str> {
        match self.beside {
            Beside::Kept => part.reference(),
            Beside::LeftOut => part.described_reference(),
        }
    }

    /// Counts one more place.
    ///
    /// # Errors
    /// If there are too many.
    pub(super) fn count(&mut self) -> Result<(), Problem> {
        self.places += 1;
        if self.places > MOST { Err(too_many()) } else { Ok(()) }
    }

    pub(super) fn held(&mut self, place: &Place<'s>) -> Result<Option<Form>, Problem> {
        self.count()?;
        if self.open.len() > DEEPEST {
            return Err(too_deep());
        }
        let key = place.key();
        if !key.is_empty() && self.open.contains(&key) {
            return Ok(Some(self.refer(place)));
        }
        self.open.push(key);
        let form = match place.alternatives(self.root) {
            Some(alternatives) => self.union(place, alternatives),
            None => self.form(place),
        };
        self.open.pop();
        form
    }

    /// Alternatives become `anyOf`, whatever they were; those that nothing satisfies are left out. Where they could be
    /// taken for one another, the whole becomes text.
    pub(super) fn union(
        &mut self,
        place: &Place<'s>,
        alternatives: Vec<Alternative<'s>>,
    ) -> Result<Option<Form>, Problem> {
        if outlook::of_all(&alternatives, self.root, self.rules).muddled {
            return Ok(Some(self.text(place)?));
        }
        self.lose_exclusion(place, &alternatives);
        let (mut schemas, mut branches) = (Vec::new(), Vec::new());
        for (pointer, parts) in alternatives {
            let branch = Place::new(self.root, parts.clone());
            let (tags, users) = (branch.tags(self.root), branch.accepted(self.root));
            if let Some(form) = self.place(parts)? {
                let branch = Branch::new(Some(pointer), form.types, tags, form.step);
                branches.push(branch.of_users(users));
                schemas.push(Value::Object(form.schema));
            }
        }
        Ok((!branches.is_empty()).then(|| self.chosen(place, schemas, branches)))
    }

    /// Records that only one of several alternatives may hold, where a value could satisfy two.
    fn lose_exclusion(&mut self, place: &Place<'s>, alternatives: &[Alternative<'s>]) {
        let Some((pointer, _)) = alternatives.first() else { return };
        let Some((holder, number)) = pointer.rsplit_once('/') else { return };
        if !holder.ends_with("/oneOf") || number.parse::<usize>().is_err() {
            return;
        }
        let places: Vec<Place<'s>> =
            alternatives.iter().map(|(_, parts)| Place::new(self.root, parts.clone())).collect();
        let pairs = places.iter().enumerate();
        let mut pairs = pairs.flat_map(|(at, one)| places.iter().skip(at + 1).map(move |other| (one, other)));
        let compared = alternatives.len() <= MOST_COMPARED;
        if !compared || pairs.any(|(one, other)| one.may_share(other, self.root)) {
            let note =
                "that no second alternative may hold is not enforced by the provider; it is checked locally";
            let path = holder.strip_suffix("/oneOf").unwrap_or(place.pointer()).to_owned();
            self.lose(&path, "oneOf", note.to_owned());
        }
    }

    /// The form of a place with these alternatives.
    pub(super) fn chosen(&mut self, place: &Place<'s>, schemas: Vec<Value>, branches: Vec<Branch>) -> Form {
        let types = branches.iter().fold(JsonTypes::NONE, |all, branch| all | branch.types);
        let mut schema = Map::new();
        form::describe(&mut schema, place, &form::default_note(place));
        schema.insert("anyOf".to_owned(), Value::Array(schemas));
        let step = self.step(Step::Choose(Alternatives::new(branches)));
        Form { schema: form::in_order_of(place, schema), types, step }
    }

    /// Whether null may stand where all of `parts` hold.
    pub(super) fn takes_null(&self, parts: &[Part<'s>]) -> Result<bool, Problem> {
        let place = Place::new(self.root, parts.to_vec());
        if !place.accepted(self.root).includes(JsonTypes::NULL) {
            return Ok(false);
        }
        // Two alternatives of which only one may hold can both be for null, and then neither is.
        let excludes =
            |part: &Part<'_>| ["oneOf", "not", "if"].iter().any(|keyword| part.get(keyword).is_some());
        if !place.parts().iter().any(excludes) {
            return Ok(true);
        }
        for part in parts {
            if !self.document.at(&part.pointer)?.is_valid(&Value::Null) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The schema multiplies.
fn too_many() -> Problem {
    Problem::new(format!("the schema takes more than {MOST} schemas to write out"))
        .hint("refer to a definition without a description or other keywords beside the `$ref`")
}

/// No value can stand at `pointer`.
pub(super) fn nothing_left(pointer: &str) -> Problem {
    refused(pointer, "its parts contradict one another, so that no value satisfies all of them")
        .hint("check `allOf`, and what stands beside `$ref`, `anyOf` and `oneOf`")
}
