//! Which secrets does one sign-in need or leave behind? Named, and never printed.

use std::{collections::BTreeMap, fmt};

use secrecy::{ExposeSecret, SecretString};

/// Secrets by name, such as `token`, `refresh_token`, `password`. The names are not secret; the values do not print.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<String, SecretString>);

impl Secrets {
    /// Those of one name.
    pub fn one(name: &str, value: SecretString) -> Self {
        Self::default().with(name, value)
    }

    /// These and one more; an earlier one of that name is replaced.
    #[must_use]
    pub fn with(mut self, name: &str, value: SecretString) -> Self {
        self.set(name, value);
        self
    }

    /// Sets one.
    pub fn set(&mut self, name: &str, value: SecretString) {
        self.0.insert(name.to_owned(), value);
    }

    /// The one of this name; an empty value counts as none.
    pub fn get(&self, name: &str) -> Option<&SecretString> {
        self.0.get(name).filter(|value| !value.expose_secret().is_empty())
    }

    /// The text of the one of this name. For the place that sends it.
    pub fn expose(&self, name: &str) -> Option<&str> {
        self.get(name).map(ExposeSecret::expose_secret)
    }

    /// Whether a yes-or-no answer of this name is yes.
    pub fn is_yes(&self, name: &str) -> bool {
        self.expose(name) == Some("yes")
    }

    /// Takes the one of this name away.
    pub fn remove(&mut self, name: &str) -> Option<SecretString> {
        self.0.remove(name)
    }

    /// These, with `newer` in the place of those of the same name; empty values of `newer` replace nothing.
    #[must_use]
    pub fn overlaid(mut self, newer: Self) -> Self {
        self.0.extend(newer.0.into_iter().filter(|(_, value)| !value.expose_secret().is_empty()));
        self
    }

    /// Those whose names `keep` wants.
    #[must_use]
    pub fn only(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|name, _| keep(name));
        self
    }

    /// Their names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Each name and value, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether `other` has the same names with the same values.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.iter().zip(other.iter()).all(|((name, value), (other_name, other_value))| {
                name == other_name && value.expose_secret() == other_value.expose_secret()
            })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl FromIterator<(String, SecretString)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (String, SecretString)>>(secrets: I) -> Self {
        Self(secrets.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Secrets;

    #[test]
    fn secrets_do_not_print_and_an_empty_answer_replaces_nothing() {
        let stored = Secrets::one("password", "canary".to_owned().into());
        assert_eq!(format!("{stored:?}"), "{\"password\"}");
        let typed = Secrets::one("password", String::new().into()).with("code", "1".to_owned().into());
        let both = stored.overlaid(typed);
        assert_eq!((both.expose("password"), both.expose("code")), (Some("canary"), Some("1")));
    }
}
