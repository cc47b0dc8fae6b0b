//! JSON Schema of parameters: defaults filled in, mistakes named, text of a command line read.

mod complaint;

use jsonschema::{JsonType, JsonTypeSet, Validator};
use serde_json::Value;

use crate::{Error, ErrorKind, Params, Result};

/// The compiled JSON Schema of an object: what one call, or the options of one instance, may hold.
///
/// A key that `properties` does not name is refused, unless the schema speaks of such keys itself
/// (`additionalProperties` or `patternProperties`).
#[derive(Debug)]
pub struct Schema {
    schema: Value,
    validator: Validator,
}

impl Schema {
    /// Compiles a JSON Schema of an object; draft 2020-12 unless `$schema` says otherwise.
    /// References lead only within the schema.
    ///
    /// # Errors
    /// Invalid, if `schema` is no JSON Schema.
    pub fn compile(schema: &Value) -> Result<Self> {
        if !schema.is_object() {
            return Err(Error::invalid(format!(
                "a JSON Schema must be an object, not {schema}"
            )));
        }
        let validator = jsonschema::validator_for(schema).map_err(|error| {
            let place = match error.instance_path().as_str() {
                "" => "/",
                place => place,
            };
            Error::invalid(format!("malformed JSON Schema: at {place}: {error}"))
        })?;
        Ok(Self {
            schema: schema.clone(),
            validator,
        })
    }

    /// `params` with all defaults filled in, checked against the schema. Integral numbers such as
    /// 3.0 become integers where the schema wants integers.
    ///
    /// `who` opens the message of an error, as in
    /// `segmenter "classic": parameter "level" is 9, but must be at most 6`.
    ///
    /// # Errors
    /// Invalid, naming every unknown key with the known ones, or every wrong value with what is
    /// allowed.
    pub fn resolve(&self, who: &str, params: &Params) -> Result<Params> {
        for key in params.keys() {
            self.property(who, key)?;
        }
        let mut params = params.clone();
        self.complete(&self.schema, &mut params);
        let params = Value::Object(params);
        let mut errors = self.validator.iter_errors(&params);
        // A few at once save round trips; all of them would bury the reader.
        let complaints: Vec<String> = errors
            .by_ref()
            .take(3)
            .map(|error| complaint::sentence(&error))
            .collect();
        if !complaints.is_empty() {
            let more = if errors.next().is_some() {
                "; and more"
            } else {
                ""
            };
            return Err(Error::invalid(format!(
                "{who}: {}{more}",
                complaints.join("; ")
            )));
        }
        drop(errors);
        match params {
            Value::Object(params) => Ok(params),
            _ => Err(Error::internal("parameters are no longer an object")),
        }
    }

    /// The value that `text`, typed on a command line, means for `key`: "3" is a number where the
    /// schema wants one and a string where it wants that. Arrays and objects are written as JSON;
    /// nothing, or "null", is null where that is allowed. The key `a.b` is `b` of the object `a`.
    ///
    /// The range is checked by [`resolve`](Self::resolve).
    ///
    /// # Errors
    /// Invalid, if the key is unknown or `text` means no value of an allowed type.
    pub fn parse_text(&self, who: &str, key: &str, text: &str) -> Result<Value> {
        let property = self.property_of(who, &self.walk(key))?;
        let types = self.types(property, &mut Vec::new());
        let trimmed = text.trim();
        let number = || {
            serde_json::from_str::<Value>(trimmed)
                .ok()
                .filter(Value::is_number)
        };
        let json = || serde_json::from_str::<Value>(trimmed).ok();
        let wanted = |ty, read: &dyn Fn() -> Option<Value>| {
            if types.contains(ty) { read() } else { None }
        };
        wanted(JsonType::Null, &|| {
            matches!(trimmed, "" | "null").then_some(Value::Null)
        })
        .or_else(|| wanted(JsonType::Boolean, &|| trimmed.parse().ok().map(Value::Bool)))
        .or_else(|| wanted(JsonType::Number, &number))
        .or_else(|| {
            wanted(JsonType::Integer, &|| {
                number().map(integral).filter(is_integer)
            })
        })
        .or_else(|| wanted(JsonType::Array, &|| json().filter(Value::is_array)))
        .or_else(|| wanted(JsonType::Object, &|| json().filter(Value::is_object)))
        .or_else(|| wanted(JsonType::String, &|| Some(Value::from(text))))
        .ok_or_else(|| {
            let allowed = complaint::types(types);
            Error::invalid(format!(
                "{who}: parameter {key:?} is {}, but must be {allowed}",
                complaint::shown(&Value::from(text))
            ))
        })
    }

    /// Puts into `params` what `text` means for `key`, as [`parse_text`](Self::parse_text) reads it.
    ///
    /// # Errors
    /// As [`parse_text`](Self::parse_text).
    pub fn assign(&self, who: &str, params: &mut Params, key: &str, text: &str) -> Result<()> {
        let value = self.parse_text(who, key, text)?;
        let Walk { objects, last, .. } = self.walk(key);
        let mut place = params;
        for object in objects {
            let inner = place.entry(object).or_insert_with(|| Params::new().into());
            if !inner.is_object() {
                *inner = Params::new().into();
            }
            place = match inner {
                Value::Object(inner) => inner,
                _ => return Err(Error::internal("parameters are no longer an object")),
            };
        }
        place.insert(last.to_owned(), value);
        Ok(())
    }

    /// True if `properties` names `key`; of `a.b`, if those of the object `a` name `b`.
    pub fn knows(&self, key: &str) -> bool {
        let Walk { object, last, .. } = self.walk(key);
        self.properties(object).any(|(name, _)| name == last)
    }

    /// The keys that `properties` names, in the schema's order.
    pub fn known(&self) -> impl Iterator<Item = &str> {
        self.properties(&self.schema).map(|(key, _)| key)
    }

    /// The schema as it was given.
    pub const fn value(&self) -> &Value {
        &self.schema
    }

    /// The schema of `key`, `true` if only `additionalProperties` or such speaks of it.
    fn property<'a>(&'a self, who: &str, key: &'a str) -> Result<&'a Value> {
        let walk = Walk {
            object: &self.schema,
            objects: Vec::new(),
            last: key,
        };
        self.property_of(who, &walk)
    }

    /// The schema of the key that a walk leads to, as [`property`](Self::property).
    fn property_of<'a>(&'a self, who: &str, walk: &Walk<'a>) -> Result<&'a Value> {
        let &Walk {
            object,
            ref objects,
            last,
        } = walk;
        let mut properties = self.properties(object);
        if let Some((_, property)) = properties.find(|(name, _)| *name == last) {
            return Ok(property);
        }
        let speaks = |keyword| {
            self.follow(object)
                .get(keyword)
                .is_some_and(|rule| *rule != Value::Bool(false))
        };
        if speaks("additionalProperties") || speaks("patternProperties") {
            return Ok(&Value::Bool(true));
        }
        let full = |name: &str| [&objects[..], &[name]].concat().join(".");
        let known: Vec<String> = self
            .properties(object)
            .map(|(name, _)| full(name))
            .collect();
        let known = known.iter().map(String::as_str);
        Err(Error::unknown(ErrorKind::Invalid, "parameter", &full(last), known).at(who))
    }

    /// The way to `key`: through objects as far as there are dots, and objects that are said to have
    /// keys of their own.
    fn walk<'a>(&'a self, key: &'a str) -> Walk<'a> {
        let mut walk = Walk {
            object: &self.schema,
            objects: Vec::new(),
            last: key,
        };
        while let Some((head, rest)) = walk.last.split_once('.') {
            let mut properties = self.properties(walk.object);
            // A key may have a dot in itself.
            let is_here = self
                .properties(walk.object)
                .any(|(name, _)| name == walk.last);
            let inner = properties.find(|(name, _)| *name == head);
            match inner.filter(|(_, inner)| self.follow(inner).get("properties").is_some()) {
                Some((_, inner)) if !is_here => {
                    walk.object = inner;
                    walk.objects.push(head);
                    walk.last = rest;
                }
                _ => break,
            }
        }
        walk
    }

    fn properties<'a>(&'a self, schema: &'a Value) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let properties = self
            .follow(schema)
            .get("properties")
            .and_then(Value::as_object);
        properties
            .into_iter()
            .flatten()
            .map(|(key, property)| (key.as_str(), property))
    }

    /// Fills in the defaults of an object and turns integral numbers into integers.
    fn complete(&self, schema: &Value, object: &mut Params) {
        for (key, property) in self.properties(schema) {
            match object.get_mut(key) {
                Some(value) => self.complete_value(property, value),
                None => {
                    if let Some(value) = self.default(property) {
                        object.insert(key.to_owned(), value);
                    }
                }
            }
        }
    }

    fn complete_value(&self, schema: &Value, value: &mut Value) {
        match value {
            Value::Object(object) => self.complete(schema, object),
            Value::Array(items) => {
                if let Some(schema) = self.follow(schema).get("items") {
                    for item in items {
                        self.complete_value(schema, item);
                    }
                }
            }
            Value::Number(_) => {
                let types = self.types(schema, &mut Vec::new());
                if types.contains(JsonType::Integer) && !types.contains(JsonType::Number) {
                    *value = integral(value.take());
                }
            }
            _ => {}
        }
    }

    /// The default of an absent value. An object without one is made of its properties' defaults,
    /// if these are all it needs.
    fn default(&self, schema: &Value) -> Option<Value> {
        if let Some(default) = self
            .follow(schema)
            .get("default")
            .or_else(|| schema.get("default"))
        {
            let mut default = default.clone();
            self.complete_value(schema, &mut default);
            return Some(default);
        }
        // Not through references: a schema may refer to itself.
        if schema.get("type")? != "object" {
            return None;
        }
        let properties = schema.get("properties")?.as_object()?;
        let object: Params = properties
            .iter()
            .filter_map(|(key, property)| Some((key.clone(), self.default(property)?)))
            .collect();
        let required = schema.get("required").and_then(Value::as_array);
        let complete = required
            .into_iter()
            .flatten()
            .all(|key| key.as_str().is_some_and(|key| object.contains_key(key)));
        (complete && !object.is_empty()).then_some(Value::Object(object))
    }

    /// The types a schema lets through, as far as `type`, `enum`, `const`, `anyOf`, `oneOf` and
    /// `$ref` tell; all of them if nothing is said.
    fn types<'a>(&'a self, schema: &'a Value, followed: &mut Vec<&'a str>) -> JsonTypeSet {
        let union = |types: JsonTypeSet, ty: JsonType| types | ty;
        if let Some(types) = schema.get("type") {
            let names = types
                .as_array()
                .map_or(std::slice::from_ref(types), Vec::as_slice);
            let types = names.iter().filter_map(|name| name.as_str()?.parse().ok());
            return types.fold(JsonTypeSet::empty(), union);
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return values.iter().map(type_of).fold(JsonTypeSet::empty(), union);
        }
        if let Some(value) = schema.get("const") {
            return type_of(value).into();
        }
        if let Some(branches) = schema.get("anyOf").or_else(|| schema.get("oneOf")) {
            let mut types = JsonTypeSet::empty();
            for branch in branches.as_array().into_iter().flatten() {
                types = self.types(branch, followed).iter().fold(types, union);
            }
            return types;
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            if followed.contains(&reference) {
                return JsonTypeSet::empty();
            }
            followed.push(reference);
            if let Some(target) = self.target(reference) {
                return self.types(target, followed);
            }
        }
        JsonTypeSet::all()
    }

    /// Where `$ref` leads, unless it leads in circles.
    fn follow<'a>(&'a self, mut schema: &'a Value) -> &'a Value {
        for _ in 0..8 {
            match schema
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|place| self.target(place))
            {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    }

    fn target(&self, reference: &str) -> Option<&Value> {
        self.schema.pointer(reference.strip_prefix('#')?)
    }
}

/// The way to a key in an object, perhaps one within another.
struct Walk<'a> {
    /// The schema of the object that has it.
    object: &'a Value,
    /// The keys of the objects around it, the outermost first.
    objects: Vec<&'a str>,
    last: &'a str,
}

/// The type of an enumerated value; a number's narrowest.
fn type_of(value: &Value) -> JsonType {
    if is_integer(&integral(value.clone())) {
        JsonType::Integer
    } else {
        JsonType::from(value)
    }
}

/// The same number as an integer, where it is one: JSON knows but one kind of number.
fn integral(value: Value) -> Value {
    match value.as_f64() {
        // Up to 2^53 every integer is exact.
        Some(number) if value.is_f64() && number.fract() == 0.0 && number.abs() <= 9.007e15 => {
            Value::from(number as i64)
        }
        _ => value,
    }
}

fn is_integer(value: &Value) -> bool {
    value.is_i64() || value.is_u64()
}
