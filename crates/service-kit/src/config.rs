//! Settings from a commented default file, then a file of the operator's, then the environment,
//! then the command line. The default file names every key and shows its type, so it is also the
//! schema: an unknown key or a value of another type is refused. All errors are told at once.

use std::{fmt, path::Path};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// `PLUMBLINE__SERVER__PORT=8081` sets `server.port`.
const PREFIX: &str = "PLUMBLINE__";

/// What is wrong with one setting, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Dotted, for example `server.port`; or the file that can't be read.
    pub key: String,
    pub problem: String,
    pub remedy: String,
}

impl ConfigError {
    pub fn new(
        key: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            key: key.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }
}

/// Everything that is wrong, one line each.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the configuration is not valid:")?;
        for ConfigError {
            key,
            problem,
            remedy,
        } in &self.0
        {
            writeln!(f, "  {key}: {problem}. {remedy}.")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// Collects the layers; later ones win.
pub struct Loader {
    defaults: Table,
    settings: Table,
    errors: Vec<ConfigError>,
}

impl Loader {
    /// Starts from the default file, which is part of the program.
    pub fn new(defaults: &str) -> Result<Self, toml::de::Error> {
        let defaults: Table = defaults.parse()?;
        Ok(Self {
            settings: defaults.clone(),
            defaults,
            errors: Vec::new(),
        })
    }

    #[must_use]
    pub fn file(mut self, path: &Path) -> Self {
        let table = std::fs::read_to_string(path)
            .map_err(|error| error.to_string())
            .and_then(|text| text.parse::<Table>().map_err(|error| error.to_string()));
        match table {
            Ok(table) => merge(&mut self.settings, table, "", &mut self.errors),
            Err(problem) => self.errors.push(ConfigError::new(
                path.display().to_string(),
                problem.trim_end().to_owned(),
                "Name a readable TOML file, or leave --config out",
            )),
        }
        self
    }

    /// Takes the variables that begin with `PLUMBLINE__`.
    #[must_use]
    pub fn environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        for (name, text) in variables {
            if let Some(path) = name.strip_prefix(PREFIX) {
                let key = path.to_ascii_lowercase().replace("__", ".");
                self = self.set(&key, &text);
            }
        }
        self
    }

    /// Sets one dotted key from text.
    #[must_use]
    pub fn set(mut self, key: &str, text: &str) -> Self {
        match slot(&mut self.settings, key) {
            None => self.errors.push(unknown(key)),
            Some(value) => match from_text(value, text) {
                Some(parsed) => *value = parsed,
                None => self.errors.push(wrong_type(key, value)),
            },
        }
        self
    }

    /// The settings, once `validate` finds nothing wrong with them; else all errors at once.
    pub fn finish<T: DeserializeOwned>(
        mut self,
        validate: impl FnOnce(&T) -> Vec<ConfigError>,
    ) -> Result<T, ConfigErrors> {
        loop {
            let settings = Value::Table(self.settings.clone());
            match serde_path_to_error::deserialize::<_, T>(settings) {
                Ok(settings) => {
                    self.errors.extend(validate(&settings));
                    return if self.errors.is_empty() {
                        Ok(settings)
                    } else {
                        Err(ConfigErrors(self.errors))
                    };
                }
                Err(error) => {
                    let key = error.path().to_string();
                    let problem = error.inner().message().trim_end().to_owned();
                    let default = slot(&mut self.defaults, &key).map(|value| value.clone());
                    let remedy = match &default {
                        Some(default) => format!("For example {default}"),
                        None => "See config.default.toml".to_owned(),
                    };
                    self.errors.push(ConfigError::new(&key, problem, remedy));
                    if !self.reset(&key, default) {
                        return Err(ConfigErrors(self.errors));
                    }
                }
            }
        }
    }

    /// Puts the default in the place of a value that can't be right, so that what is wrong with
    /// the others is found too. `false`: there is none, or it is what can't be right.
    fn reset(&mut self, key: &str, default: Option<Value>) -> bool {
        match (slot(&mut self.settings, key), default) {
            (Some(value), Some(default)) if *value != default => {
                *value = default;
                true
            }
            _ => false,
        }
    }
}

/// Every key of a settings file, dotted, with its value as TOML.
#[must_use]
pub fn keys(settings: &Table) -> Vec<(String, String)> {
    let mut keys = Vec::new();
    for (name, value) in settings {
        match value {
            Value::Table(inner) => {
                keys.extend(
                    self::keys(inner)
                        .into_iter()
                        .map(|(k, v)| (format!("{name}.{k}"), v)),
                );
            }
            value => keys.push((name.clone(), value.to_string())),
        }
    }
    keys
}

fn merge(into: &mut Table, from: Table, path: &str, errors: &mut Vec<ConfigError>) {
    for (name, value) in from {
        let key = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        match (into.get_mut(&name), value) {
            (None, _) => errors.push(unknown(&key)),
            (Some(Value::Table(inner)), Value::Table(value)) => merge(inner, value, &key, errors),
            (Some(slot), value) if slot.same_type(&value) => *slot = value,
            (Some(slot), _) => errors.push(wrong_type(&key, slot)),
        }
    }
}

fn slot<'a>(settings: &'a mut Table, key: &str) -> Option<&'a mut Value> {
    let (first, rest) = key
        .split_once('.')
        .map_or((key, None), |(first, rest)| (first, Some(rest)));
    match (settings.get_mut(first)?, rest) {
        (Value::Table(inner), Some(rest)) => slot(inner, rest),
        (Value::Table(_), None) | (_, Some(_)) => None,
        (value, None) => Some(value),
    }
}

/// Reads text as a value of the same type as the default's; a list is separated by commas, or, in
/// brackets, written as in TOML.
fn from_text(default: &Value, text: &str) -> Option<Value> {
    match default {
        Value::String(_) => Some(Value::String(text.to_owned())),
        Value::Integer(_) => text.parse().ok().map(Value::Integer),
        Value::Float(_) => text.parse().ok().map(Value::Float),
        Value::Boolean(_) => text.parse().ok().map(Value::Boolean),
        Value::Array(_) if text.trim_start().starts_with('[') => {
            text.parse().ok().filter(Value::is_array)
        }
        Value::Array(_) => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            Some(Value::Array(
                items.map(|item| Value::String(item.to_owned())).collect(),
            ))
        }
        Value::Datetime(_) | Value::Table(_) => None,
    }
}

fn unknown(key: &str) -> ConfigError {
    ConfigError::new(
        key,
        "there is no such setting",
        "See config.default.toml for all of them",
    )
}

fn wrong_type(key: &str, default: &Value) -> ConfigError {
    let expected = match default {
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
        Value::String(_) | Value::Datetime(_) => "a text",
    };
    ConfigError::new(
        key,
        format!("it must be {expected}"),
        format!("For example {default}"),
    )
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    const DEFAULTS: &str = "
        [server]
        port = 8080
        public = false
        proxies = []
        [broker]
        url = 'memory:'
    ";

    #[derive(Debug, PartialEq, Deserialize)]
    struct Settings {
        server: Server,
        broker: Broker,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Server {
        port: u16,
        public: bool,
        proxies: Vec<String>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Broker {
        url: String,
    }

    fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn the_environment_overrides_and_keeps_the_types_of_the_defaults() {
        let settings: Settings = Loader::new(DEFAULTS)
            .unwrap()
            .environment(variables(&[
                ("PLUMBLINE__SERVER__PORT", "9"),
                ("PLUMBLINE__SERVER__PUBLIC", "true"),
                ("PLUMBLINE__SERVER__PROXIES", "10.0.0.1, 10.0.0.2"),
                ("HOME", "/root"),
            ]))
            .set("broker.url", "amqp://localhost")
            .finish(|_| vec![])
            .unwrap();
        assert_eq!(settings.server.port, 9);
        assert!(settings.server.public);
        assert_eq!(settings.server.proxies, ["10.0.0.1", "10.0.0.2"]);
        assert_eq!(settings.broker.url, "amqp://localhost");
    }

    #[test]
    fn a_list_of_tables_comes_from_a_file_or_as_toml_from_the_environment() {
        const DEFAULTS: &str = "providers = []";
        #[derive(Debug, PartialEq, Deserialize)]
        struct Settings {
            providers: Vec<Provider>,
        }
        #[derive(Debug, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Provider {
            name: String,
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[[providers]]\nname = 'a'").unwrap();
        let loader = || Loader::new(DEFAULTS).unwrap();
        let from_file: Settings = loader().file(file.path()).finish(|_| vec![]).unwrap();
        let text = r#"[{name = "a"}]"#;
        let from_text: Settings = loader().set("providers", text).finish(|_| vec![]).unwrap();
        assert_eq!(from_file, from_text);

        let unknown = loader().set("providers", r#"[{name = "a", nome = "b"}]"#);
        let errors = unknown.finish::<Settings>(|_| vec![]).unwrap_err();
        assert_eq!(errors.0[0].key, "providers[0].nome");
        let malformed = loader()
            .set("providers", "[{name = ")
            .finish::<Settings>(|_| vec![]);
        assert_eq!(malformed.unwrap_err().0[0].key, "providers");
    }

    #[test]
    fn all_errors_are_told_at_once_with_key_problem_and_remedy() {
        let errors = Loader::new(DEFAULTS)
            .unwrap()
            .environment(variables(&[
                ("PLUMBLINE__SERVER__PORT", "many"),
                ("PLUMBLINE__SERVER__COLOUR", "red"),
                ("PLUMBLINE__SERVER", "x"),
            ]))
            .finish::<Settings>(|_| vec![ConfigError::new("broker.url", "it is away", "Start it")])
            .unwrap_err();
        let text = errors.to_string();
        assert_eq!(errors.0.len(), 4, "{text}");
        assert!(
            text.contains("server.port: it must be a whole number. For example 8080."),
            "{text}"
        );
        assert!(
            text.contains("server.colour: there is no such setting."),
            "{text}"
        );
        assert!(text.contains("broker.url: it is away. Start it."), "{text}");
    }

    #[test]
    fn a_file_is_checked_against_the_defaults_too() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[server]\nport = '1'\n[serer]\nport = 1").unwrap();
        let loader = Loader::new(DEFAULTS).unwrap().file(file.path());
        let errors = loader.finish::<Settings>(|_| vec![]).unwrap_err();
        let keys: Vec<_> = errors.0.iter().map(|error| error.key.as_str()).collect();
        assert_eq!(keys, ["serer", "server.port"]);
    }

    #[test]
    fn a_value_out_of_its_types_range_is_refused() {
        let loader = Loader::new(DEFAULTS).unwrap().set("server.port", "70000");
        let error = |_: &Settings| vec![ConfigError::new("broker.url", "it is away", "Start it")];
        let text = loader.finish(error).unwrap_err().to_string();
        assert!(
            text.contains("server.port: invalid value: integer `70000`"),
            "{text}"
        );
        assert!(text.contains("broker.url: it is away"), "{text}");
    }
}
