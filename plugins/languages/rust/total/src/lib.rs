//! The reference stage `total`: how many values a column has and their sum, by key, in the order in which keys came.

use std::collections::HashMap;

use parshall_light::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    value: String,
    #[serde(default)]
    key: Option<String>,
}

#[derive(Default)]
struct Group {
    key: Option<Vec<u8>>,
    count: i64,
    /// An int64 or a float64, as the column.
    sum: u64,
}

struct Total {
    value: usize,
    whole: bool,
    key: Option<usize>,
    groups: Vec<Group>,
    by_key: HashMap<Vec<u8>, usize>,
    null: Option<usize>,
    told: bool,
}

impl Transform for Total {
    type Config = Config;
    const DESCRIPTION: Description = Description {
        name: "total-rust",
        summary: "Counts and sums an int64 or float64 column, by key",
        config_schema: r#"{"type": "object", "required": ["value"], "additionalProperties": false, "properties": {
            "value": {"type": "string", "description": "An int64 or float64 column"},
            "key": {"type": "string", "description": "A utf8 column; without it, all rows are one group"}}}"#,
        stateful: true,
        ..Description::EMPTY
    };

    fn open(config: Config, inputs: &[Input], restore: Option<&[u8]>) -> Result<(Self, Vec<Port>), StageError> {
        let schema = same_schema(inputs)?;
        let value = schema.index(&config.value, &["l", "g"], "/value")?;
        let format = schema.field(value).format.clone();
        let mut fields = Vec::new();
        let key = config.key.as_ref().map(|key| schema.index(key, &["u"], "/key")).transpose()?;
        fields.extend(config.key.map(|key| Field::new(&key, "u", true)));
        fields.extend([Field::new("count", "l", false), Field::new("sum", &format, false)]);
        let mut total = Total { value, whole: format == "l", key, groups: Vec::new(), by_key: HashMap::new(), null: None, told: false };
        match restore {
            Some(bytes) => total.restore(bytes).ok_or_else(|| StageError::Internal("these bytes are no snapshot of this stage".into()))?,
            None if key.is_none() => drop(total.group(None)),
            None => {}
        }
        Ok((total, Port::out(Schema::new(fields))))
    }

    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        frame.read(&[Some(self.value), self.key].into_iter().flatten().collect::<Vec<_>>())?;
        let values = frame.numbers::<u64>();
        let keys = self.key.map(|_| frame.texts());
        let whole = self.whole;
        for (row, value) in values.values.iter().enumerate() {
            let key = keys.as_ref().filter(|keys| keys.validity.valid(row)).map(|keys| keys.get(row));
            let group = self.group(key);
            if values.validity.valid(row) {
                group.count += 1;
                group.sum = match whole {
                    true => group.sum.wrapping_add(*value),
                    false => (f64::from_bits(group.sum) + f64::from_bits(*value)).to_bits(),
                };
            }
        }
        Ok(Answer::default())
    }

    fn finish(&mut self) -> Result<Option<Answer>, StageError> {
        if std::mem::replace(&mut self.told, true) || self.groups.is_empty() {
            return Ok(None);
        }
        let counts: Vec<i64> = self.groups.iter().map(|group| group.count).collect();
        let sums: Vec<u64> = self.groups.iter().map(|group| group.sum).collect();
        let keys = self.key.map(|_| Made::texts(self.groups.iter().map(|group| group.key.as_deref())));
        let numbers = [Made::numbers(&counts, Validity::default()), Made::numbers(&sums, Validity::default())];
        Ok(Some(Output::fresh(self.groups.len(), keys.into_iter().chain(numbers).collect()).into()))
    }

    fn snapshot(&mut self) -> Result<Vec<u8>, StageError> {
        let mut bytes = self.kind();
        bytes.extend((self.groups.len() as u32).to_le_bytes());
        for group in &self.groups {
            if self.key.is_some() {
                bytes.extend(group.key.as_ref().map_or(NO_KEY, |key| key.len() as u32).to_le_bytes());
                bytes.extend(group.key.iter().flatten());
            }
            bytes.extend(group.count.to_le_bytes());
            bytes.extend(group.sum.to_le_bytes());
        }
        Ok(bytes)
    }
}

const NO_KEY: u32 = u32::MAX;

impl Total {
    fn group(&mut self, key: Option<&[u8]>) -> &mut Group {
        let known = key.map_or(self.null, |key| self.by_key.get(key).copied());
        let index = known.unwrap_or_else(|| {
            let index = self.groups.len();
            self.groups.push(Group { key: key.map(<[u8]>::to_vec), ..Group::default() });
            match key {
                Some(key) => drop(self.by_key.insert(key.to_vec(), index)),
                None => self.null = Some(index),
            }
            index
        });
        &mut self.groups[index]
    }

    // --- snapshots: a form that every language's `total` knows ---

    fn kind(&self) -> Vec<u8> {
        let format = if self.whole { b'l' } else { b'g' };
        [b"total\x01".as_slice(), &[format, if self.key.is_some() { b'k' } else { b'-' }]].concat()
    }

    fn restore(&mut self, bytes: &[u8]) -> Option<()> {
        let mut rest = bytes.strip_prefix(self.kind().as_slice())?;
        let groups = u32::from_le_bytes(take(&mut rest)?);
        for _ in 0..groups {
            let length = if self.key.is_some() { u32::from_le_bytes(take(&mut rest)?) } else { NO_KEY };
            let key = (length != NO_KEY).then(|| rest.split_off(..length as usize)).map_or(Some(None), |key| key.map(Some))?;
            let group = self.group(key);
            group.count = i64::from_le_bytes(take(&mut rest)?);
            group.sum = u64::from_le_bytes(take(&mut rest)?);
        }
        rest.is_empty().then_some(())
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

transform!(Total);
