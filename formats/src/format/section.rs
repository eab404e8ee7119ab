//! A table of a format file that is taken apart key by key, so that a key nobody took is an error.

use toml::{Table, Value};

/// What is wrong with a format file: the key and what to write there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) key: String,
    pub(super) problem: String,
}

/// A table and where it stands.
pub(super) struct Section {
    path: String,
    table: Table,
}

impl Section {
    pub(super) fn new(path: &str, table: Table) -> Self {
        Self { path: path.to_owned(), table }
    }

    /// The full name of a key of this table.
    pub(super) fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(super) fn fault(&self, name: &str, problem: impl Into<String>) -> Fault {
        Fault { key: self.key(name), problem: problem.into() }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.table.remove(name)
    }

    pub(super) fn text_if_given(&mut self, name: &str) -> Result<Option<String>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text)),
            Some(_) => Err(self.fault(name, "must be a text that is not empty")),
        }
    }

    pub(super) fn text(&mut self, name: &str) -> Result<String, Fault> {
        self.text_if_given(name)?.ok_or_else(|| self.fault(name, "is missing; write a text"))
    }

    pub(super) fn int_if_given(&mut self, name: &str) -> Result<Option<i64>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Integer(n)) => Ok(Some(n)),
            Some(_) => Err(self.fault(name, "must be a whole number")),
        }
    }

    /// A whole number that fits the type asked for.
    pub(super) fn uint_if_given<T: TryFrom<i64>>(&mut self, name: &str) -> Result<Option<T>, Fault> {
        match self.int_if_given(name)? {
            None => Ok(None),
            Some(n) => T::try_from(n).map(Some).map_err(|_| self.fault(name, "is out of range")),
        }
    }

    pub(super) fn uint<T: TryFrom<i64>>(&mut self, name: &str) -> Result<T, Fault> {
        self.uint_if_given(name)?.ok_or_else(|| self.fault(name, "is missing; write a whole number"))
    }

    /// `false` when the key is not there.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool, Fault> {
        self.flag_if_given(name).map(|given| given.unwrap_or(false))
    }

    pub(super) fn flag_if_given(&mut self, name: &str) -> Result<Option<bool>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Boolean(flag)) => Ok(Some(flag)),
            Some(_) => Err(self.fault(name, "must be true or false")),
        }
    }

    /// A flag that says whether a figure was read at its source: never left out.
    pub(super) fn checked(&mut self) -> Result<bool, Fault> {
        self.flag_if_given("source_checked")?.ok_or_else(|| {
            self.fault("source_checked", "is missing; say true only if it was read at the source")
        })
    }

    /// A list of texts; empty when the key is not there.
    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, Fault> {
        let Some(value) = self.take(name) else { return Ok(Vec::new()) };
        let Value::Array(items) = value else {
            return Err(self.fault(name, "must be a list of texts"));
        };
        items
            .into_iter()
            .map(|item| match item {
                Value::String(text) => Ok(text),
                _ => Err(self.fault(name, "must be a list of texts")),
            })
            .collect()
    }

    /// A table under this one.
    pub(super) fn section(&mut self, name: &str) -> Result<Self, Fault> {
        self.section_if_given(name)?.ok_or_else(|| self.fault(name, "is missing; write a table"))
    }

    pub(super) fn section_if_given(&mut self, name: &str) -> Result<Option<Self>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Table(table)) => Ok(Some(Self::new(&self.key(name), table))),
            Some(_) => Err(self.fault(name, "must be a table")),
        }
    }

    /// The tables of `[[name]]`; empty when there are none.
    pub(super) fn sections(&mut self, name: &str) -> Result<Vec<Self>, Fault> {
        let Some(value) = self.take(name) else { return Ok(Vec::new()) };
        let Value::Array(items) = value else {
            return Err(self.fault(name, "must be a list of tables"));
        };
        items
            .into_iter()
            .enumerate()
            .map(|(index, item)| match item {
                Value::Table(table) => Ok(Self::new(&format!("{}[{}]", self.key(name), index + 1), table)),
                _ => Err(self.fault(name, "must be a list of tables")),
            })
            .collect()
    }

    /// Ends the reading: a key that is left is one this version does not know.
    pub(super) fn finish(self) -> Result<(), Fault> {
        match self.table.keys().next() {
            None => Ok(()),
            Some(key) => Err(self.fault(key, "is not a key of this table; remove it or correct its name")),
        }
    }

    /// Every key with its text, for tables of wordings.
    pub(super) fn all_texts(self) -> Result<std::collections::BTreeMap<String, String>, Fault> {
        let path = self.path;
        self.table
            .into_iter()
            .map(|(key, value)| match value {
                Value::String(text) if !text.trim().is_empty() => Ok((key, text)),
                _ => Err(Fault {
                    key: format!("{path}.{key}"),
                    problem: "must be a text that is not empty".into(),
                }),
            })
            .collect()
    }
}
