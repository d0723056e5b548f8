//! Any schema with any value of it: the value in the wire's form satisfies the wire schema, which keeps the provider's
//! rules, and comes back as it was. How a value is brought into the wire's form is written here, apart from the library.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::strict;
use crate::schema::{Dialect, Schema};

/// A schema in the abstract.
#[derive(Debug, Clone)]
enum Model {
    String,
    Integer,
    Number,
    Boolean,
    Anything,
    Enum,
    List(Box<Self>),
    Map(Box<Self>),
    Tuple(Vec<Self>),
    Object(Vec<Field>),
    /// An object that also takes other properties.
    Mixed(Vec<Field>, Box<Self>),
    /// An object in two parts.
    AllOf(Vec<Field>, Vec<Field>),
    Nullable(Box<Self>),
    /// Told apart by a constant.
    Tagged(Vec<Vec<Field>>),
    /// Told apart by which property is there.
    Untagged(Vec<Vec<Field>>),
    /// Told apart by their types.
    Unlike(Box<Self>),
    Referred(Box<Self>),
    /// Referred to with a description beside the reference.
    Described(Box<Self>),
    /// A tree of what is in the root's definition `tree`.
    Tree,
}

#[derive(Debug, Clone)]
struct Field {
    name: String,
    model: Model,
    required: bool,
}

fn models() -> impl Strategy<Value = Model> {
    let leaf = prop::sample::select(vec![
        Model::String,
        Model::Integer,
        Model::Number,
        Model::Boolean,
        Model::Anything,
        Model::Enum,
        Model::Tree,
    ]);
    leaf.prop_recursive(4, 24, 4, |inner| {
        let fields = fields(inner.clone());
        let branches = prop::collection::vec(fields.clone(), 2..4);
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed.clone().prop_map(Model::List),
            boxed.clone().prop_map(Model::Map),
            prop::collection::vec(inner, 1..4).prop_map(Model::Tuple),
            fields.clone().prop_map(Model::Object),
            // `additionalProperties: true` beside named properties is a loss, so that is left out.
            (fields.clone(), boxed.clone())
                .prop_filter("named", |(_, others)| !matches!(**others, Model::Anything))
                .prop_map(|(fields, others)| Model::Mixed(fields, others)),
            (fields.clone(), fields).prop_map(|(one, other)| {
                let other =
                    other.into_iter().map(|field| Field { name: format!("{}_2", field.name), ..field });
                Model::AllOf(one, other.collect())
            }),
            boxed.clone().prop_map(Model::Nullable),
            branches.clone().prop_map(Model::Tagged),
            branches.prop_map(Model::Untagged),
            boxed.clone().prop_map(Model::Unlike),
            boxed.clone().prop_map(Model::Referred),
            boxed.prop_map(Model::Described),
        ]
    })
}

fn fields(inner: impl Strategy<Value = Model> + 'static) -> BoxedStrategy<Vec<Field>> {
    let named = |fields: Vec<(Model, bool)>| {
        let named = fields.into_iter().zip(["a", "b/c", "value", "key"]);
        named.map(|((model, required), name)| Field { name: name.to_owned(), model, required }).collect()
    };
    prop::collection::vec((inner, any::<bool>()), 0..4).prop_map(named).boxed()
}

/// The schema of a model; what it refers to goes into `defs`.
fn schema(model: &Model, defs: &mut Map<String, Value>) -> Value {
    let mut refer = |model: &Model| {
        let schema = schema(model, defs);
        let name = format!("d{}", defs.len());
        defs.insert(name.clone(), schema);
        format!("#/$defs/{name}")
    };
    match model {
        Model::String => json!({ "type": "string", "minLength": 1 }),
        Model::Integer => json!({ "type": "integer", "format": "uint8", "minimum": 0 }),
        Model::Number => json!({ "type": "number" }),
        Model::Boolean => json!({ "type": "boolean" }),
        Model::Anything => json!(true),
        Model::Enum => json!({ "enum": ["red", 3, true] }),
        Model::List(item) => json!({ "type": "array", "items": schema(item, defs) }),
        Model::Map(value) => json!({ "type": "object", "additionalProperties": schema(value, defs) }),
        Model::Tuple(items) => {
            let items: Vec<Value> = items.iter().map(|item| schema(item, defs)).collect();
            json!({ "type": "array", "minItems": items.len(), "maxItems": items.len(), "prefixItems": items })
        }
        Model::Object(fields) => object(fields, defs),
        Model::Mixed(fields, others) => {
            let mut object = object(fields, defs);
            object["additionalProperties"] = schema(others, defs);
            object
        }
        Model::AllOf(one, other) => {
            let reference = refer(&Model::Object(other.clone()));
            json!({ "allOf": [object(one, defs), { "$ref": reference }], "title": "Both" })
        }
        Model::Nullable(inner) => {
            json!({ "anyOf": [schema(inner, defs), { "type": "null" }], "default": null })
        }
        Model::Tagged(branches) => {
            let tagged = |(number, fields): (usize, &Vec<Field>)| {
                let mut branch = object(fields, defs);
                branch["properties"]["kind"] = json!({ "const": format!("k{number}") });
                branch["required"].as_array_mut().unwrap().push(json!("kind"));
                branch
            };
            let branches: Vec<Value> = branches.iter().enumerate().map(tagged).collect();
            json!({ "oneOf": branches, "discriminator": { "propertyName": "kind" } })
        }
        Model::Untagged(branches) => {
            let told_apart = |(number, fields): (usize, &Vec<Field>)| {
                let mut branch = object(fields, defs);
                branch["properties"][format!("only{number}")] = json!({ "type": "integer" });
                branch["required"].as_array_mut().unwrap().push(json!(format!("only{number}")));
                branch
            };
            let branches: Vec<Value> = branches.iter().enumerate().map(told_apart).collect();
            json!({ "anyOf": branches })
        }
        Model::Unlike(inner) => {
            let inner = schema(inner, defs);
            let object = json!({ "type": "object", "properties": { "a": inner } });
            json!({ "anyOf": [{ "type": "array", "items": inner }, { "type": "string" }, object] })
        }
        Model::Referred(inner) => json!({ "$ref": refer(inner) }),
        Model::Described(inner) => json!({ "$ref": refer(inner), "description": "a reference" }),
        Model::Tree => {
            let tree = json!({ "$ref": "#/$defs/tree" });
            let kids = json!({ "type": "array", "items": tree });
            let properties = json!({ "n": { "type": "integer" }, "kids": kids, "next": tree });
            defs.insert(
                "tree".to_owned(),
                json!({ "type": "object", "properties": properties, "required": ["n"] }),
            );
            tree
        }
    }
}

fn object(fields: &[Field], defs: &mut Map<String, Value>) -> Value {
    let required: Vec<&str> =
        fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
    let required = json!(required);
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.clone(), schema(&field.model, defs))).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

/// Decisions, from bytes; when they have run out, always the first choice, which is the smallest.
struct Dice(std::vec::IntoIter<u8>);

impl Dice {
    fn roll(&mut self, sides: u8) -> u8 {
        self.0.next().unwrap_or(0) % sides
    }
}

/// A value that satisfies the model's schema.
fn value(model: &Model, dice: &mut Dice) -> Value {
    match model {
        Model::String => json!(["x", "null", "[1]", "é"][usize::from(dice.roll(4))]),
        Model::Integer => json!(dice.roll(255)),
        Model::Number => json!(f64::from(dice.roll(9)) / 2.0),
        Model::Boolean => json!(dice.roll(2) == 1),
        Model::Anything => match dice.roll(4) {
            0 => json!(null),
            1 => json!("text"),
            2 => json!([1, { "key": "a", "value": null }]),
            _ => json!({ "a": { "b": 0.5 } }),
        },
        Model::Enum => [json!("red"), json!(3), json!(true)][usize::from(dice.roll(3))].clone(),
        Model::List(item) => (0..dice.roll(3)).map(|_| value(item, dice)).collect(),
        Model::Map(others) => Value::Object(other_properties(others, dice)),
        Model::Tuple(items) => items.iter().map(|item| value(item, dice)).collect(),
        Model::Object(fields) => Value::Object(properties(fields, dice)),
        Model::Mixed(fields, others) => {
            let mut object = properties(fields, dice);
            object.extend(other_properties(others, dice));
            Value::Object(object)
        }
        Model::AllOf(one, other) => {
            Value::Object(properties(one, dice).into_iter().chain(properties(other, dice)).collect())
        }
        Model::Nullable(inner) => {
            if dice.roll(2) == 0 {
                Value::Null
            } else {
                value(inner, dice)
            }
        }
        Model::Tagged(branches) => {
            let number = usize::from(dice.roll(branches.len() as u8));
            let mut object = properties(&branches[number], dice);
            object.insert("kind".to_owned(), json!(format!("k{number}")));
            Value::Object(object)
        }
        Model::Untagged(branches) => {
            let number = usize::from(dice.roll(branches.len() as u8));
            let mut object = properties(&branches[number], dice);
            object.insert(format!("only{number}"), json!(1));
            Value::Object(object)
        }
        Model::Unlike(inner) => match dice.roll(3) {
            0 => json!("text"),
            1 => (0..dice.roll(3)).map(|_| value(inner, dice)).collect(),
            _ => Value::Object(properties(&[unlike_field(inner)], dice)),
        },
        Model::Referred(inner) | Model::Described(inner) => value(inner, dice),
        Model::Tree => {
            let mut tree = json!({ "n": dice.roll(9) });
            match dice.roll(4) {
                1 => tree["kids"] = (0..dice.roll(3)).map(|_| value(model, dice)).collect(),
                2 => tree["next"] = value(model, dice),
                _ => {}
            }
            tree
        }
    }
}

/// An optional property may be absent, but where null is a value of its own, null and absence are one in the wire's form.
fn properties(fields: &[Field], dice: &mut Dice) -> Map<String, Value> {
    let present = |field: &&Field| field.required || takes_null(&field.model);
    let mut properties = Map::new();
    for field in fields {
        if present(&field) || dice.roll(2) == 1 {
            properties.insert(field.name.clone(), value(&field.model, dice));
        }
    }
    properties
}

fn other_properties(model: &Model, dice: &mut Dice) -> Map<String, Value> {
    (0..dice.roll(3)).map(|number| (format!("x~{number}"), value(model, dice))).collect()
}

fn unlike_field(inner: &Model) -> Field {
    Field { name: "a".to_owned(), model: inner.clone(), required: false }
}

fn takes_null(model: &Model) -> bool {
    match model {
        Model::Anything | Model::Nullable(_) => true,
        Model::Referred(inner) | Model::Described(inner) => takes_null(inner),
        _ => false,
    }
}

/// A value in the wire's form.
fn wired(model: &Model, value: &Value) -> Value {
    match model {
        Model::String | Model::Integer | Model::Number | Model::Boolean | Model::Enum => value.clone(),
        Model::Anything => json!(value.to_string()),
        Model::List(item) => value.as_array().unwrap().iter().map(|value| wired(item, value)).collect(),
        Model::Map(others) => entries(others, value.as_object().unwrap(), &[]),
        Model::Tuple(items) => {
            let items = items.iter().zip(value.as_array().unwrap()).enumerate();
            items
                .map(|(number, (item, value))| (format!("item_{}", number + 1), wired(item, value)))
                .collect()
        }
        Model::Object(fields) => wired_object(fields, value),
        Model::Mixed(fields, others) if fields.is_empty() => entries(others, value.as_object().unwrap(), &[]),
        Model::Mixed(fields, others) => {
            let mut object = wired_object(fields, value);
            object["other_properties"] = entries(others, value.as_object().unwrap(), fields);
            object
        }
        Model::AllOf(one, other) => wired_object(&[one.clone(), other.clone()].concat(), value),
        Model::Nullable(inner) => {
            if value.is_null() {
                Value::Null
            } else {
                wired(inner, value)
            }
        }
        Model::Tagged(branches) => {
            let number =
                branches.iter().enumerate().position(|(number, _)| value["kind"] == format!("k{number}"));
            let mut object = wired_object(&branches[number.unwrap()], value);
            object["kind"] = value["kind"].clone();
            object
        }
        Model::Untagged(branches) => {
            let number =
                (0..branches.len()).find(|number| value.get(format!("only{number}")).is_some()).unwrap();
            let mut object = wired_object(&branches[number], value);
            object[format!("only{number}")] = json!(1);
            object
        }
        Model::Unlike(inner) => match value {
            Value::Array(items) => items.iter().map(|value| wired(inner, value)).collect(),
            Value::Object(_) => wired_object(&[unlike_field(inner)], value),
            _ => value.clone(),
        },
        Model::Referred(inner) | Model::Described(inner) => wired(inner, value),
        Model::Tree => json!({
            "n": value["n"],
            "kids": value.get("kids").map(|kids| wired(&Model::List(Box::new(Model::Tree)), kids)),
            "next": value.get("next").map(|next| wired(&Model::Tree, next)),
        }),
    }
}

fn wired_object(fields: &[Field], value: &Value) -> Value {
    let wire = |field: &Field| match value.get(&field.name) {
        None => Value::Null,
        Some(Value::Null) if !field.required => Value::Null,
        Some(value) => wired(&field.model, value),
    };
    fields.iter().map(|field| (field.name.clone(), wire(field))).collect()
}

fn entries(model: &Model, object: &Map<String, Value>, named: &[Field]) -> Value {
    let others = object.iter().filter(|(name, _)| !named.iter().any(|field| field.name == **name));
    others.map(|(name, value)| json!({ "key": name, "value": wired(model, value) })).collect()
}

/// Whether the schema's root is an object in both forms, so that it needs no wrapping.
fn is_plain_object(model: &Model) -> bool {
    match model {
        Model::Object(_) | Model::AllOf(..) | Model::Tree => true,
        Model::Mixed(fields, _) => !fields.is_empty(),
        Model::Referred(inner) | Model::Described(inner) => is_plain_object(inner),
        _ => false,
    }
}

fn root(model: &Model) -> Value {
    let mut defs = Map::new();
    match schema(model, &mut defs) {
        Value::Object(mut root) => {
            root.insert("$defs".to_owned(), Value::Object(defs));
            Value::Object(root)
        }
        boolean => boolean,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn every_value_comes_back_as_it_was(model in models(), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let root = root(&model);
        let schema = Schema::from_json(root.clone()).unwrap();
        let value = value(&model, &mut Dice(bytes.into_iter()));
        prop_assert_eq!(schema.violations(&value), vec![], "{} under {}", value, root);
        let wire = match schema.wire(Dialect::OpenAiStrict) {
            Ok(wire) => wire,
            Err(problem) => {
                prop_assert!(problem.message.contains("levels of objects"), "{}", problem);
                return Ok(());
            }
        };
        prop_assert_eq!(strict::faults(&wire.schema), Vec::<String>::new(), "from {}", root);
        let inner = wired(&model, &value);
        let sent = if is_plain_object(&model) { inner } else { json!({ "value": inner }) };
        let violations = Schema::from_json(wire.schema.clone()).unwrap().violations(&sent);
        prop_assert_eq!(violations, vec![], "{} under {} from {}", sent, wire.schema, root);
        prop_assert_eq!(wire.restore(sent.clone()), value.clone(), "{} under {} from {}", sent, wire.schema, root);
        prop_assert!(!wire.is_identity() || sent == value);
        prop_assert_eq!(schema.coerce(value.clone()), value, "under {}", root);
    }

    #[test]
    fn no_value_makes_it_panic(model in models(), other in models(), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let value = value(&other, &mut Dice(bytes.into_iter()));
        let schema = Schema::from_json(root(&model)).unwrap();
        if let Ok(wire) = schema.wire(Dialect::OpenAiStrict) {
            for value in [wired(&other, &value), json!({ "value": wired(&other, &value) }), value] {
                schema.violations(&schema.coerce(wire.restore(value)));
            }
        }
    }
}
