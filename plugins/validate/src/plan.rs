//! The configuration checked against the schema: what is read, and what is asked of it.

use parshall_sdk::{ConfigError, prelude::*};
use regex_lite::Regex;

use crate::{
    check::{Allowed, Bound, Check, Test},
    config::{Config, Literal, Rule},
    form::{Between, Form, Value, shortened},
};

/// Everything that follows from configuration and schema.
#[derive(Debug, Default)]
pub struct Plan {
    /// Indices of the input's columns that are read, each once.
    pub reads: Vec<usize>,
    /// Of each: what its values are, and whether they are needed besides which are null.
    pub forms: Vec<(Form, bool)>,
    /// In the order in which they are tried.
    pub checks: Vec<Check>,
    /// Of each check `unique`: what its values are, and what must be the same for a snapshot to be taken up.
    pub unique: Vec<(Form, String)>,
}

/// Makes a plan, or says where the configuration is wrong.
pub fn plan(config: Config, schema: &Schema) -> Result<Plan, StageError> {
    if config.rules.is_empty() {
        let error = StageError::config("/rules", "there is no rule");
        return Err(error.help("for example `{ column = \"id\", not_null = true }`"));
    }
    let mut plan = Plan::default();
    for (index, rule) in config.rules.into_iter().enumerate() {
        let pointer = format!("/rules/{index}");
        let column = column_index(schema, &rule.column, &format!("{pointer}/column"))?;
        let field = schema.field(column);
        let label = match &rule.name {
            None => format!("`{}`", rule.column),
            Some(name) => format!("{name}: `{}`", rule.column),
        };
        Planner { plan: &mut plan, column, field, form: Form::of(field.data_type()), label, pointer }.rule(rule)?;
    }
    Ok(plan)
}

/// One rule on its way into the plan.
struct Planner<'a> {
    plan: &'a mut Plan,
    column: usize,
    field: &'a Field,
    form: Form,
    label: String,
    pointer: String,
}

// === impl Planner ===

impl Planner<'_> {
    /// The checks of a rule, in the documented order.
    fn rule(mut self, rule: Rule) -> Result<(), StageError> {
        let asks = [rule.min.is_some(), rule.max.is_some(), rule.min_length.is_some(), rule.max_length.is_some()];
        if !(rule.not_null || rule.unique || rule.r#in.is_some() || rule.pattern.is_some() || asks.contains(&true)) {
            let error = StageError::config(self.pointer, "the rule asks for nothing");
            return Err(error.help("checks are `not_null`, `min`, `max`, `in`, `min_length`, `max_length`, `pattern` and `unique`"));
        }
        if rule.not_null && may_be_null(self.field) {
            self.add(Test::NotNull, String::new(), false);
        }
        self.range(rule.min.as_ref(), rule.max.as_ref())?;
        if let Some(values) = rule.r#in {
            self.one_of(&values)?;
        }
        self.lengths(rule.min_length, rule.max_length)?;
        if let Some(pattern) = rule.pattern {
            self.text("pattern")?;
            let compiled = Regex::new(&pattern).map_err(|error| self.bad_pattern(&pattern, error))?;
            self.add(Test::Pattern(compiled), shortened(&pattern), true);
        }
        if rule.unique { self.unique() } else { Ok(()) }
    }

    fn add(&mut self, test: Test, wanted: String, values: bool) {
        let column = self.plan.reads.iter().position(|&read| read == self.column).unwrap_or_else(|| {
            self.plan.reads.push(self.column);
            self.plan.forms.push((self.form, false));
            self.plan.reads.len() - 1
        });
        self.plan.forms[column].1 |= values;
        self.plan.checks.push(Check { column, form: self.form, label: self.label.clone(), test, wanted });
    }

    fn range(&mut self, min: Option<&Literal>, max: Option<&Literal>) -> Result<(), StageError> {
        let low = self.bound("min", min, Between::Up)?;
        let high = self.bound("max", max, Between::Down)?;
        let crossed = match (&low, &high) {
            (Some(Value::Int(low)), Some(Value::Int(high))) => low > high,
            (Some(Value::Float(low)), Some(Value::Float(high))) => low > high,
            (Some(Value::Text(low)), Some(Value::Text(high))) => low > high,
            _ => false,
        };
        if let (true, Some(min), Some(max)) = (crossed, min, max) {
            return Err(self.wrong("min", format!("no value is at least {} and at most {}", bare(min), bare(max))));
        }
        if let (Some(low), Some(min)) = (low, min) {
            match low {
                Value::Int(low) if low > i64::MAX.into() => return Err(self.unreachable("min", min)),
                // Every value is as great.
                Value::Int(low) if low < i64::MIN.into() => {}
                low => self.add(Test::Min(bound(low)), bare(min), true),
            }
        }
        if let (Some(high), Some(max)) = (high, max) {
            match high {
                Value::Int(high) if high < i64::MIN.into() => return Err(self.unreachable("max", max)),
                Value::Int(high) if high > i64::MAX.into() => {}
                high => self.add(Test::Max(bound(high)), bare(max), true),
            }
        }
        Ok(())
    }

    fn bound(&self, key: &str, literal: Option<&Literal>, between: Between) -> Result<Option<Value>, StageError> {
        let Some(literal) = literal else { return Ok(None) };
        if !self.form.is_ordered() {
            return Err(self.unfit(key, "numbers, strings, dates and timestamps"));
        }
        self.parse(key, literal, between)
    }

    fn parse(&self, key: &str, literal: &Literal, between: Between) -> Result<Option<Value>, StageError> {
        self.form.parse(literal, between).map_err(|expected| {
            let (name, of) = (self.field.name(), self.field.data_type());
            self.wrong(key, format!("{literal} is not {expected}, as column `{name}` of type {of} wants"))
        })
    }

    fn one_of(&mut self, literals: &[Literal]) -> Result<(), StageError> {
        if literals.is_empty() {
            return Err(self.wrong("in", "no value is allowed by an empty list".into()));
        }
        if self.form == Form::Opaque {
            return Err(self.unfit("in", "booleans, numbers, strings, dates and timestamps"));
        }
        let parse = |(index, literal)| self.parse(&format!("in/{index}"), literal, Between::Never);
        let values = literals.iter().enumerate().map(parse).collect::<Result<Vec<_>, _>>()?;
        let wanted = listed(literals);
        if let Some(allowed) = allowed(self.form, values.into_iter().flatten()) {
            self.add(Test::In(allowed), wanted, true);
        }
        Ok(())
    }

    fn lengths(&mut self, min: Option<usize>, max: Option<usize>) -> Result<(), StageError> {
        if let Some(min) = min {
            self.text("min_length")?;
            if let Some(max) = max.filter(|&max| max < min) {
                return Err(self.wrong("min_length", format!("no text has at least {min} characters and at most {max}")));
            }
            self.add(Test::MinLength(min), min.to_string(), true);
        }
        if let Some(max) = max {
            self.text("max_length")?;
            self.add(Test::MaxLength(max), max.to_string(), true);
        }
        Ok(())
    }

    fn unique(mut self) -> Result<(), StageError> {
        let data_type = self.field.data_type();
        // What is computed with is a float; different numbers must not become the same.
        let wide = matches!(data_type, DataType::Decimal32(digits, _) | DataType::Decimal64(digits, _) | DataType::Decimal128(digits, _) if *digits > 15);
        if self.form == Form::Opaque || wide {
            return Err(self.unfit("unique", "booleans, numbers, strings, dates, timestamps and decimals of up to 15 digits"));
        }
        let set = self.plan.unique.len();
        self.plan.unique.push((self.form, format!("{}: {data_type}", self.field.name())));
        self.add(Test::Unique(set), String::new(), true);
        Ok(())
    }

    fn text(&self, key: &str) -> Result<(), StageError> {
        if matches!(self.form, Form::Text | Form::Null) { Ok(()) } else { Err(self.unfit(key, "strings")) }
    }

    fn bad_pattern(&self, pattern: &str, error: regex_lite::Error) -> StageError {
        StageError::Config(ConfigError {
            pointer: format!("{}/pattern", self.pointer),
            offset: Some(offset(pattern, &error.to_string()) as u32),
            message: format!("{error}"),
            help: None,
        })
    }

    fn wrong(&self, key: &str, message: String) -> StageError {
        StageError::config(format!("{}/{key}", self.pointer), message)
    }

    fn unreachable(&self, key: &str, literal: &Literal) -> StageError {
        self.wrong(key, format!("no value of type {} reaches {}", self.field.data_type(), bare(literal)))
    }

    fn unfit(&self, key: &str, fit: &str) -> StageError {
        let message = format!("column `{}` is of type {}, for which there is no `{key}`", self.field.name(), self.field.data_type());
        self.wrong(key, message).help(format!("it is for {fit}"))
    }
}

/// Whether a column can have nulls. What a dictionary or a run points at may be null whatever the field says.
fn may_be_null(field: &Field) -> bool {
    let nested = matches!(field.data_type(), DataType::Dictionary(..) | DataType::RunEndEncoded(..) | DataType::Union(..) | DataType::Null);
    field.is_nullable() || nested
}

/// Of a value that fits.
fn bound(value: Value) -> Bound {
    match value {
        Value::Int(value) => Bound::Int(value.clamp(i64::MIN.into(), i64::MAX.into()) as i64),
        Value::Float(value) => Bound::Float(value),
        Value::Text(value) => Bound::Text(value),
        Value::Bool(value) => Bound::Int(value.into()),
    }
}

/// Nothing for a column of nothing but nulls.
fn allowed(form: Form, values: impl Iterator<Item = Value>) -> Option<Allowed> {
    let mut allowed = match form {
        Form::Null | Form::Opaque => return None,
        Form::Bool => Allowed::Bool([false; 2]),
        Form::Float => Allowed::Float(Vec::new()),
        Form::Text => Allowed::Text(Vec::new()),
        Form::Int | Form::Unsigned | Form::Date | Form::Time { .. } => Allowed::Int(Vec::new()),
    };
    for value in values {
        match (&mut allowed, value) {
            (Allowed::Bool(either), Value::Bool(value)) => either[usize::from(value)] = true,
            (Allowed::Float(list), Value::Float(value)) => list.push(value),
            (Allowed::Text(list), Value::Text(value)) => place(list, value),
            // What the column cannot hold cannot be met.
            (Allowed::Int(list), Value::Int(value)) => i64::try_from(value).into_iter().for_each(|value| place(list, value)),
            _ => {}
        }
    }
    Some(allowed)
}

/// Adds to a sorted list. A sort of its own for each type would weigh more than it is worth.
fn place<T: Ord>(list: &mut Vec<T>, value: T) {
    if let Err(at) = list.binary_search(&value) {
        list.insert(at, value);
    }
}

/// A bound for a person: dates without quotes.
fn bare(literal: &Literal) -> String {
    match literal {
        Literal::Text(text) if text.starts_with(|first: char| first.is_ascii_digit()) => shortened(text),
        other => other.to_string(),
    }
}

/// What is allowed, for a person: as much as is worth reading.
fn listed(literals: &[Literal]) -> String {
    let mut text = String::new();
    for (index, literal) in literals.iter().enumerate() {
        let next = literal.to_string();
        if index > 0 && text.len() + next.len() > 60 {
            text.push_str(&format!(", … ({} in all)", literals.len()));
            break;
        }
        text.push_str(if index > 0 { ", " } else { "" });
        text.push_str(&next);
    }
    text
}

/// Where in a pattern a mistake is. The library does not say; it is where the shortest beginning ends from which on all
/// make the same mistake.
fn offset(pattern: &str, said: &str) -> usize {
    let same = |end: &usize| Regex::new(&pattern[..*end]).is_err_and(|error| error.to_string() == said);
    let ends = pattern.char_indices().map(|(start, letter)| (start, start + letter.len_utf8()));
    let ends: Vec<_> = ends.collect();
    ends.iter().rev().take_while(|(_, end)| same(end)).last().map_or(0, |(start, _)| *start)
}
