use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
};

use url::form_urlencoded;

use super::ApiError;

/// A call's form-encoded parameters, each taken out by its reader; what is left is unknown.
/// Shown, it is canonical: sorted, so that the same parameters make the same text.
#[derive(Clone, Debug)]
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    pub fn parse(text: &[u8]) -> Result<Self, ApiError> {
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            match fields.entry(name.into_owned()) {
                Entry::Vacant(entry) => entry.insert(value.into_owned()),
                Entry::Occupied(entry) => {
                    return Err(ApiError::parameter(
                        "parameter_invalid",
                        entry.key(),
                        "A parameter was given twice",
                    ));
                }
            };
        }
        Ok(Self(fields))
    }

    pub fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    pub fn require(&mut self, name: &str) -> Result<String, ApiError> {
        self.take(name).ok_or_else(|| {
            let message = format!("Missing required param: {name}.");
            ApiError::parameter("parameter_missing", name, message)
        })
    }

    pub fn require_number(&mut self, name: &str, range: (i64, i64)) -> Result<i64, ApiError> {
        let text = self.require(name)?;
        number(name, &text, range)
    }

    /// Takes an optional parameter.
    pub fn take_number(&mut self, name: &str, range: (i64, i64)) -> Result<Option<i64>, ApiError> {
        let text = self.take(name);
        text.map(|text| number(name, &text, range)).transpose()
    }

    /// Takes an optional parameter that can have one value only.
    pub fn take_constant(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        match self.take(name) {
            Some(other) if other != value => Err(ApiError::parameter(
                "parameter_invalid",
                name,
                format!("The payment double knows '{value}' only, not '{other}'"),
            )),
            _ => Ok(()),
        }
    }

    /// Takes every `name[key]`.
    pub fn take_map(&mut self, name: &str) -> BTreeMap<String, String> {
        let key = |field: &str| {
            let key = field.strip_prefix(name)?.strip_prefix('[')?;
            key.strip_suffix(']').map(str::to_owned)
        };
        let map: BTreeMap<_, _> = self
            .0
            .iter()
            .filter_map(|(field, value)| Some((key(field)?, value.clone())))
            .collect();
        self.0.retain(|field, _| key(field).is_none());
        map
    }

    /// Refuses what nobody took.
    pub fn finish(self) -> Result<(), ApiError> {
        match self.0.first_key_value() {
            Some((name, _)) => Err(ApiError::parameter(
                "parameter_unknown",
                name,
                format!("Received unknown parameter: {name}"),
            )),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish();
        f.write_str(&text)
    }
}

fn number(name: &str, text: &str, (min, max): (i64, i64)) -> Result<i64, ApiError> {
    match text.parse() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ => Err(ApiError::parameter(
            "parameter_invalid_integer",
            name,
            format!("Invalid integer: {text}, from {min} to {max}"),
        )),
    }
}
