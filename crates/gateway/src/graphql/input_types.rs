//! The input types of a schema, and what JSON gives them as values: "Input Coercion" of each type
//! (GraphQL specification, September 2025, §3.5 to §3.12).

use std::collections::{BTreeSet, HashMap};

use async_graphql::parser::types::{
    BaseType, InputObjectType, Type, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Name, Value, indexmap::IndexMap};
use serde_json::{Map, Value as Json};

/// Witnesses of types that contain themselves end here.
const WITNESS_DEPTH: usize = 8;

/// The input types of a schema, by name.
#[derive(Debug)]
pub(super) struct InputTypes(HashMap<String, InputKind>);

#[derive(Debug)]
enum InputKind {
    /// Its own parser checks it when it is executed.
    Custom,
    Enum(BTreeSet<String>),
    Object {
        fields: Vec<InputField>,
        /// `@oneOf`: exactly one field is given.
        one_of: bool,
    },
}

#[derive(Debug)]
struct InputField {
    name: Name,
    field_type: Type,
    has_default: bool,
}

/// What a value should have been; [`Mismatch::inside`] says where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    /// From the inside out.
    path: Vec<String>,
    expected: String,
}

impl Mismatch {
    fn expected(what: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            expected: what.into(),
        }
    }

    fn inside(mut self, place: impl Into<String>) -> Self {
        self.path.push(place.into());
        self
    }

    /// For people: where, and what was expected. It does not repeat the value.
    pub(super) fn describe(&self, variable: &str) -> String {
        let place: String = self.path.iter().rev().map(String::as_str).collect();
        format!(
            "The variable \"${variable}{place}\" must be {}.",
            self.expected
        )
    }
}

impl InputTypes {
    /// Reads the schema definition language.
    pub(super) fn of_schema(sdl: &str) -> Result<Self, async_graphql::parser::Error> {
        let document = async_graphql::parser::parse_schema(sdl)?;
        let definitions = document.definitions.into_iter();
        let kinds = definitions.filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => kind(definition.node),
            TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
        });
        Ok(Self(kinds.collect()))
    }

    /// The value that JSON gives a type.
    pub(super) fn coerce(&self, wanted: &Type, given: Json) -> Result<Value, Mismatch> {
        if given.is_null() {
            return if wanted.nullable {
                Ok(Value::Null)
            } else {
                Err(Mismatch::expected("given and not null"))
            };
        }
        match (&wanted.base, given) {
            (BaseType::List(element), Json::Array(items)) => {
                let items = items.into_iter().enumerate().map(|(index, item)| {
                    let coerced = self.coerce(element, item);
                    coerced.map_err(|mismatch| mismatch.inside(format!("[{index}]")))
                });
                Ok(Value::List(items.collect::<Result<_, _>>()?))
            }
            // A value that is no list stands for a list of one (§3.11).
            (BaseType::List(element), given) => Ok(Value::List(vec![self.coerce(element, given)?])),
            (BaseType::Named(name), given) => self.coerce_named(name, given),
        }
    }

    fn coerce_named(&self, name: &Name, given: Json) -> Result<Value, Mismatch> {
        let coerced = match (name.as_str(), given) {
            ("Int", given) => int(&given).map(|number| Value::Number(number.into())),
            ("Float", Json::Number(number)) => Some(Value::Number(number)),
            ("String" | "ID", Json::String(text)) => Some(Value::String(text)),
            ("ID", Json::Number(number)) if !number.is_f64() => {
                Some(Value::String(number.to_string()))
            }
            ("Boolean", Json::Bool(value)) => Some(Value::Boolean(value)),
            ("Float" | "String" | "ID" | "Boolean", _) => None,
            (name, given) => match (self.0.get(name), given) {
                (Some(InputKind::Enum(values)), Json::String(value)) => values
                    .contains(&value)
                    .then(|| Value::Enum(Name::new(value))),
                (Some(InputKind::Object { fields, one_of }), Json::Object(members)) => {
                    return self.coerce_object(fields, *one_of, members);
                }
                (Some(InputKind::Enum(_) | InputKind::Object { .. }), _) => None,
                // An unknown type is for validation to refuse.
                (Some(InputKind::Custom) | None, given) => Value::from_json(given).ok(),
            },
        };
        coerced.ok_or_else(|| Mismatch::expected(format!("of the type {name}")))
    }

    fn coerce_object(
        &self,
        fields: &[InputField],
        one_of: bool,
        mut members: Map<String, Json>,
    ) -> Result<Value, Mismatch> {
        if one_of && (members.len() != 1 || members.values().any(Json::is_null)) {
            return Err(Mismatch::expected("an object with exactly one field"));
        }
        let mut values = IndexMap::with_capacity(members.len());
        for field in fields {
            let place = || format!(".{}", field.name);
            match members.remove(field.name.as_str()) {
                Some(given) => {
                    let coerced = self.coerce(&field.field_type, given);
                    let value = coerced.map_err(|mismatch| mismatch.inside(place()))?;
                    values.insert(field.name.clone(), value);
                }
                None if field.field_type.nullable || field.has_default => {}
                None => return Err(Mismatch::expected("given and not null").inside(place())),
            }
        }
        if members.is_empty() {
            Ok(Value::Object(values))
        } else {
            Err(Mismatch::expected("an object without unknown fields"))
        }
    }

    /// Some valid value of a type. `None` for one of which nothing is known.
    pub(super) fn witness(&self, wanted: &Type) -> Option<Value> {
        self.witness_within(wanted, WITNESS_DEPTH)
    }

    fn witness_within(&self, wanted: &Type, depth: usize) -> Option<Value> {
        let name = match &wanted.base {
            BaseType::List(element) => {
                let element = self.witness_within(element, depth.checked_sub(1)?);
                return Some(Value::List(element.into_iter().collect()));
            }
            BaseType::Named(name) => name.as_str(),
        };
        match name {
            "Int" | "Float" => Some(Value::Number(1.into())),
            "String" | "ID" => Some(Value::String("1".to_owned())),
            "Boolean" => Some(Value::Boolean(true)),
            name => match self.0.get(name)? {
                InputKind::Custom => None,
                InputKind::Enum(values) => {
                    values.first().map(|value| Value::Enum(Name::new(value)))
                }
                InputKind::Object { fields, one_of } => {
                    let depth = depth.checked_sub(1)?;
                    let is_needed = |field: &&InputField| {
                        *one_of || !(field.field_type.nullable || field.has_default)
                    };
                    let count = if *one_of { 1 } else { fields.len() };
                    let needed = fields.iter().filter(is_needed).take(count);
                    let values = needed.map(|field| {
                        let value = self.witness_within(&field.field_type, depth)?;
                        Some((field.name.clone(), value))
                    });
                    Some(Value::Object(values.collect::<Option<_>>()?))
                }
            },
        }
    }
}

/// An integer of 32 bits, also one written with a point (§3.5.1).
fn int(given: &Json) -> Option<i32> {
    let whole = |number: f64| (number.fract() == 0.0).then_some(number);
    match given.as_i64() {
        Some(number) => i32::try_from(number).ok(),
        None => {
            let number = given.as_f64().and_then(whole)?;
            let fits = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number);
            #[allow(clippy::cast_possible_truncation, reason = "it is whole and in range")]
            fits.then_some(number as i32)
        }
    }
}

fn kind(definition: TypeDefinition) -> Option<(String, InputKind)> {
    let name = definition.name.node.to_string();
    let has_one_of = definition
        .directives
        .iter()
        .any(|directive| directive.node.name.node == "oneOf");
    let kind = match definition.kind {
        TypeKind::Scalar => InputKind::Custom,
        TypeKind::Enum(values) => {
            let values = values.values.into_iter();
            InputKind::Enum(
                values
                    .map(|value| value.node.value.node.to_string())
                    .collect(),
            )
        }
        TypeKind::InputObject(InputObjectType { fields }) => InputKind::Object {
            fields: fields
                .into_iter()
                .map(|field| InputField {
                    name: field.node.name.node,
                    field_type: field.node.ty.node,
                    has_default: field.node.default_value.is_some(),
                })
                .collect(),
            one_of: has_one_of,
        },
        TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_) => return None,
    };
    Some((name, kind))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const SCHEMA: &str = "
        scalar Moment
        enum Colour { RED GREEN }
        input Line { product: ID!, quantity: Int! = 1, colours: [Colour!], note: String }
        input Cart { lines: [Line!]!, gift: Cart }
        input Choice @oneOf { name: String, number: Int }
        type Query { a(cart: Cart, choice: Choice, at: Moment): Int }
    ";

    fn types() -> InputTypes {
        InputTypes::of_schema(SCHEMA).unwrap()
    }

    fn coerce(wanted: &str, given: Json) -> Result<Json, String> {
        let wanted = Type::new(wanted).unwrap();
        let coerced = types().coerce(&wanted, given);
        let described = coerced.map_err(|mismatch| mismatch.describe("v"))?;
        Ok(described.into_json().unwrap())
    }

    #[test]
    fn scalars_take_what_the_specification_lets_them() {
        for (wanted, given, value) in [
            ("Int", json!(7), json!(7)),
            ("Int", json!(7.0), json!(7)),
            ("Float!", json!(7), json!(7)),
            ("ID", json!(7), json!("7")),
            ("ID", json!("x"), json!("x")),
            ("String", json!(null), json!(null)),
            ("[Int!]!", json!(7), json!([7])),
            ("[[Int]]", json!([[1, null], 2]), json!([[1, null], [2]])),
            ("Colour", json!("RED"), json!("RED")),
            ("Moment", json!({"any": 1}), json!({"any": 1})),
        ] {
            assert_eq!(coerce(wanted, given), Ok(value), "{wanted}");
        }
        for (wanted, given) in [
            ("Int", json!(2_147_483_648_i64)),
            ("Int", json!(1.5)),
            ("Int", json!("7")),
            ("Int", json!(1e300)),
            ("Float", json!("1")),
            ("Float", json!(true)),
            ("String", json!(7)),
            ("ID", json!(1.5)),
            ("ID", json!(true)),
            ("Boolean", json!(1)),
            ("String!", json!(null)),
            ("[Int!]", json!([1, null])),
            ("Colour", json!("BLUE")),
            ("Colour", json!(1)),
        ] {
            assert!(coerce(wanted, given.clone()).is_err(), "{wanted} {given}");
        }
    }

    #[test]
    fn objects_are_checked_member_by_member_and_the_place_is_named() {
        let cart = |line: Json| coerce("Cart!", json!({"lines": [{"product": "p"}, line]}));
        let line = json!({"product": 7, "colours": "RED", "note": null});
        let whole = json!({"lines": [
            {"product": "p"}, {"product": "7", "colours": ["RED"], "note": null},
        ]});
        assert_eq!(cart(line), Ok(whole));
        assert_eq!(
            cart(json!({"product": "p", "quantity": "many"})),
            Err("The variable \"$v.lines[1].quantity\" must be of the type Int.".to_owned())
        );
        assert_eq!(
            cart(json!({"quantity": 1})),
            Err("The variable \"$v.lines[1].product\" must be given and not null.".to_owned())
        );
        assert_eq!(
            cart(json!({"product": "p", "prodcut": "p"})),
            Err(
                "The variable \"$v.lines[1]\" must be an object without unknown fields.".to_owned()
            )
        );
        assert!(coerce("Cart", json!([])).is_err());
    }

    #[test]
    fn exactly_one_of_a_choice_is_given() {
        assert_eq!(
            coerce("Choice", json!({"name": "x"})),
            Ok(json!({"name": "x"}))
        );
        for given in [
            json!({}),
            json!({"name": null}),
            json!({"name": "x", "number": 1}),
        ] {
            assert!(coerce("Choice", given.clone()).is_err(), "{given}");
        }
    }

    #[test]
    fn a_witness_is_a_value_of_its_type() {
        let types = types();
        for wanted in [
            "Int!", "[ID!]!", "Colour", "Line", "Cart!", "Choice!", "[[Cart]]",
        ] {
            let wanted = Type::new(wanted).unwrap();
            let witness = types.witness(&wanted).unwrap();
            let json = witness.into_json().unwrap();
            assert!(
                types.coerce(&wanted, json.clone()).is_ok(),
                "{wanted} {json}"
            );
        }
        assert_eq!(types.witness(&Type::new("Moment!").unwrap()), None);
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            "[a-zA-Z]{0,6}".prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let key = prop::sample::select(vec!["lines", "product", "quantity", "gift", "x"]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::hash_map(key, inner, 0..4).prop_map(|members| {
                    members
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect()
                }),
            ]
        })
    }

    proptest! {
        /// What coercion lets through coerces again, to the same.
        #[test]
        fn coercing_twice_changes_nothing(given in any_json()) {
            let types = types();
            for wanted in ["Cart!", "[Line]", "Colour", "Int", "[ID!]", "Choice"] {
                let wanted = Type::new(wanted).unwrap();
                if let Ok(once) = types.coerce(&wanted, given.clone()) {
                    let twice = types.coerce(&wanted, once.clone().into_json().unwrap());
                    prop_assert_eq!(twice, Ok(once));
                }
            }
        }
    }
}
