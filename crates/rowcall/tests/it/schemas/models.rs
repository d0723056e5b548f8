//! Schemas with every construct in any nesting, and their values: each value is converted to the wire form and back in every
//! dialect.

use proptest::prelude::*;
use rowcall::Schema;
use serde_json::{Map, Value, json};

use super::values::Dice;
use super::{DIALECTS, lost_on_the_way, sent};

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
    /// Distinguished by a constant.
    Tagged(Vec<Vec<Field>>),
    /// Distinguished by which property is present.
    Untagged(Vec<Vec<Field>>),
    /// Distinguished by their types.
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
                branch["required"].as_array_mut().expect("a list").push(json!("kind"));
                branch
            };
            let branches: Vec<Value> = branches.iter().enumerate().map(tagged).collect();
            json!({ "oneOf": branches, "discriminator": { "propertyName": "kind" } })
        }
        Model::Untagged(branches) => {
            let with_own_property = |(number, fields): (usize, &Vec<Field>)| {
                let mut branch = object(fields, defs);
                branch["properties"][format!("only{number}")] = json!({ "type": "integer" });
                branch["required"].as_array_mut().expect("a list").push(json!(format!("only{number}")));
                branch
            };
            let branches: Vec<Value> = branches.iter().enumerate().map(with_own_property).collect();
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

/// A value that satisfies the model's schema.
fn value(model: &Model, dice: &mut Dice) -> Value {
    match model {
        Model::String => json!(["x", "null", "[1]", "é"][dice.roll(4)]),
        Model::Integer => json!(dice.roll(255)),
        Model::Number => json!(dice.roll(9) as f64 / 2.0),
        Model::Boolean => json!(dice.roll(2) == 1),
        Model::Anything => match dice.roll(4) {
            0 => json!(null),
            1 => json!("text"),
            2 => json!([1, { "key": "a", "value": null }]),
            _ => json!({ "a": { "b": 0.5 } }),
        },
        Model::Enum => [json!("red"), json!(3), json!(true)][dice.roll(3)].clone(),
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
            let number = dice.roll(branches.len());
            let mut object = properties(&branches[number], dice);
            object.insert("kind".to_owned(), json!(format!("k{number}")));
            Value::Object(object)
        }
        Model::Untagged(branches) => {
            let number = dice.roll(branches.len());
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

fn properties(fields: &[Field], dice: &mut Dice) -> Map<String, Value> {
    let mut properties = Map::new();
    for field in fields {
        if field.required || dice.roll(2) == 1 {
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

/// What only a dialect with such a limit may say of a model's schema.
const REFUSALS: [&str; 4] = [
    "levels of objects",
    "the schema contains itself",
    "alternatives or several types",
    "that are not required",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn every_value_comes_back_as_it_was(model in models(), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let root = root(&model);
        let schema = Schema::from_generated(root.clone()).unwrap();
        let value = value(&model, &mut Dice::new(bytes));
        prop_assert_eq!(schema.violations(&value), vec![], "{} under {}", value, root);
        for dialect in DIALECTS {
            let Some(sent) = sent(&schema, dialect).map_err(TestCaseError::fail)? else {
                let message = schema.wire(dialect).unwrap_err().message;
                prop_assert!(REFUSALS.iter().any(|refusal| message.contains(refusal)), "{} of {}", message, root);
                continue;
            };
            prop_assert_eq!(lost_on_the_way(&schema, &sent, &value), Ok(()), "{:?}", dialect);
        }
        prop_assert_eq!(schema.coerce(value.clone()), value, "under {}", root);
    }

    #[test]
    fn no_value_makes_it_panic(model in models(), other in models(), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let value = value(&other, &mut Dice::new(bytes));
        let (schema, others) = (Schema::from_generated(root(&model)).unwrap(), Schema::from_generated(root(&other)).unwrap());
        for dialect in DIALECTS {
            let (Ok(wire), Ok(others)) = (schema.wire(dialect), others.wire(dialect)) else { continue };
            for value in [&value, &others.express(&value), &json!({ "value": value })] {
                schema.violations(&schema.coerce(wire.restore(value.clone())));
                wire.express(value);
            }
        }
    }
}
