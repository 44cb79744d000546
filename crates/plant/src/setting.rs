//! Reading a table of settings: every key is asked for by name, and what is left over is refused.

use crate::error::PlantError;

/// One value of a settings table, as a rig file can hold it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A truth value.
    Bool(bool),
    /// A number; integers arrive as floats.
    Number(f64),
    /// A text.
    Text(String),
    /// A list of numbers.
    List(Vec<f64>),
    /// A list of pairs of numbers.
    Pairs(Vec<(f64, f64)>),
    /// A table inside the table.
    Table(Vec<(String, Value)>),
}

impl Value {
    fn describe(&self) -> String {
        match self {
            Value::Bool(value) => value.to_string(),
            Value::Number(value) => value.to_string(),
            Value::Text(value) => format!("{value:?}"),
            Value::List(values) => format!("{values:?}"),
            Value::Pairs(pairs) => format!("{pairs:?}"),
            Value::Table(_) => "a table".to_owned(),
        }
    }
}

/// Reads one table; call `finish` last, it refuses the keys nobody asked for.
pub struct Reader<'a> {
    place: String,
    table: &'a [(String, Value)],
    asked: Vec<&'static str>,
    in_force: Vec<(String, Value)>,
}

impl<'a> Reader<'a> {
    /// Starts reading `table`, which belongs to `place` (a device's name, or a table inside it).
    pub fn new(place: &str, table: &'a [(String, Value)]) -> Reader<'a> {
        Reader {
            place: place.to_owned(),
            table,
            asked: Vec::new(),
            in_force: Vec::new(),
        }
    }

    /// The name errors give for this table.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The value under `key`, if it is there.
    pub fn value(&mut self, key: &'static str) -> Option<&'a Value> {
        self.asked.push(key);
        self.table
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// A number in `[low, high]`, or `default` if the key is absent.
    ///
    /// # Errors
    /// `SettingWrong` if it is no number or outside the range.
    pub fn number(
        &mut self,
        key: &'static str,
        default: f64,
        (low, high): (f64, f64),
    ) -> Result<f64, PlantError> {
        let number = match self.value(key) {
            None => default,
            Some(Value::Number(x)) if x.is_finite() && *x >= low && *x <= high => *x,
            Some(other) => {
                return Err(self.wrong(key, other, &format!("a number from {low} to {high}")));
            }
        };
        self.note(key, Value::Number(number));
        Ok(number)
    }

    /// Numbers in `[low, high]`, or `default` if the key is absent.
    ///
    /// # Errors
    /// `SettingWrong` if it is no list of numbers or one is outside the range.
    pub fn list(
        &mut self,
        key: &'static str,
        default: &[f64],
        (low, high): (f64, f64),
    ) -> Result<Vec<f64>, PlantError> {
        let inside = |x: &f64| x.is_finite() && *x >= low && *x <= high;
        let list = match self.value(key) {
            None => default.to_vec(),
            Some(Value::List(list)) if list.iter().all(inside) => list.clone(),
            Some(other) => {
                let expected = format!("a list of numbers from {low} to {high}");
                return Err(self.wrong(key, other, &expected));
            }
        };
        self.note(key, Value::List(list.clone()));
        Ok(list)
    }

    /// A number in `[low, high]` that has no default.
    ///
    /// # Errors
    /// `SettingMissing`, `SettingWrong`.
    pub fn required(&mut self, key: &'static str, range: (f64, f64)) -> Result<f64, PlantError> {
        if !self.table.iter().any(|(name, _)| name == key) {
            return Err(PlantError::SettingMissing {
                place: self.place.clone(),
                key: key.into(),
            });
        }
        self.number(key, f64::NAN, range)
    }

    /// A truth value, or `default` if the key is absent.
    ///
    /// # Errors
    /// `SettingWrong` if it is of another type.
    pub fn flag(&mut self, key: &'static str, default: bool) -> Result<bool, PlantError> {
        let flag = match self.value(key) {
            None => default,
            Some(Value::Bool(value)) => *value,
            Some(other) => return Err(self.wrong(key, other, "true or false")),
        };
        self.note(key, Value::Bool(flag));
        Ok(flag)
    }

    /// The position of a text in `words`, or 0 if the key is absent.
    ///
    /// # Errors
    /// `SettingWrong` if it is none of the words.
    pub fn word(&mut self, key: &'static str, words: &[&str]) -> Result<usize, PlantError> {
        let at = match self.value(key) {
            None => 0,
            Some(found) => {
                let at = match found {
                    Value::Text(text) => words.iter().position(|word| word == text),
                    _ => None,
                };
                let expected = || format!("one of {}", words.join(", "));
                at.ok_or_else(|| self.wrong(key, found, &expected()))?
            }
        };
        self.note(key, Value::Text(words[at].to_owned()));
        Ok(at)
    }

    /// What belongs to a text, or to the first of `words` if the key is absent.
    ///
    /// # Errors
    /// `SettingWrong` if it is none of the words.
    pub fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&str, T)],
    ) -> Result<T, PlantError> {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        Ok(words[self.word(key, &names)?].1)
    }

    /// The table under `key`; an absent one reads as empty.
    ///
    /// # Errors
    /// `SettingWrong` if it is of another type.
    pub fn table(&mut self, key: &'static str) -> Result<&'a [(String, Value)], PlantError> {
        match self.value(key) {
            None => Ok(&[]),
            Some(Value::Table(inner)) => Ok(inner),
            Some(other) => Err(self.wrong(key, other, "a table")),
        }
    }

    /// The error for a value of the wrong type or range.
    pub fn wrong(&self, key: &str, found: &Value, expected: &str) -> PlantError {
        PlantError::SettingWrong {
            place: self.place.clone(),
            key: key.to_owned(),
            found: found.describe(),
            expected: expected.to_owned(),
        }
    }

    /// Notes the value in force under a key, given or by default.
    pub fn note(&mut self, key: &'static str, value: Value) {
        self.in_force.push((key.to_owned(), value));
    }

    /// The values in force that were read so far, given or by default.
    pub fn in_force(&self) -> &[(String, Value)] {
        &self.in_force
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// `SettingUnknown` for the first key nobody asked for, with the nearest known key.
    pub fn finish(self) -> Result<(), PlantError> {
        let stray = self
            .table
            .iter()
            .find(|(name, _)| !self.asked.contains(&name.as_str()));
        let Some((key, _)) = stray else { return Ok(()) };
        let near = self
            .asked
            .iter()
            .map(|known| (distance(known, key), *known))
            .min();
        let near_miss = near
            .filter(|(d, _)| *d <= 3)
            .map(|(_, known)| known.to_owned());
        Err(PlantError::SettingUnknown {
            place: self.place,
            key: key.clone(),
            near_miss,
        })
    }
}

/// How many letters must be put in, taken out or changed to make one word from the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
