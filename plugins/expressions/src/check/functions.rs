//! Functions by name: how many arguments, of which types.

use parshall_sdk::nearest;

use super::{Checker, coerced, node, operators};
use crate::{
    kernels::{
        calendar::{PARTS, Part, offset_of},
        number, text,
    },
    mistake::Mistake,
    node::{Node, Step},
    syntax::{Comparison, Expr},
    types::Type,
    value::Scalar,
};

/// What a name stands for, and the fewest and most arguments.
#[derive(Clone, Copy)]
enum Known {
    Number(number::Function),
    Text(text::Function),
    Coalesce,
    NullIf,
    DatePart,
    DateTrunc,
}

const FUNCTIONS: [(&str, Known, usize, usize); 28] = [
    ("abs", Known::Number(number::Function::Abs), 1, 1),
    ("round", Known::Number(number::Function::Round), 1, 2),
    ("floor", Known::Number(number::Function::Floor), 1, 1),
    ("ceil", Known::Number(number::Function::Ceil), 1, 1),
    ("ceiling", Known::Number(number::Function::Ceil), 1, 1),
    ("sqrt", Known::Number(number::Function::Sqrt), 1, 1),
    ("lower", Known::Text(text::Function::Lower), 1, 1),
    ("upper", Known::Text(text::Function::Upper), 1, 1),
    ("length", Known::Text(text::Function::Length), 1, 1),
    ("char_length", Known::Text(text::Function::Length), 1, 1),
    ("trim", Known::Text(text::Function::Trim), 1, 2),
    ("btrim", Known::Text(text::Function::Trim), 1, 2),
    ("ltrim", Known::Text(text::Function::TrimLeft), 1, 2),
    ("rtrim", Known::Text(text::Function::TrimRight), 1, 2),
    ("substr", Known::Text(text::Function::Substring), 2, 3),
    ("substring", Known::Text(text::Function::Substring), 2, 3),
    ("concat", Known::Text(text::Function::Concat), 1, usize::MAX),
    ("replace", Known::Text(text::Function::Replace), 3, 3),
    ("starts_with", Known::Text(text::Function::StartsWith), 2, 2),
    ("ends_with", Known::Text(text::Function::EndsWith), 2, 2),
    ("contains", Known::Text(text::Function::Contains), 2, 2),
    ("coalesce", Known::Coalesce, 1, usize::MAX),
    ("ifnull", Known::Coalesce, 2, 2),
    ("nullif", Known::NullIf, 2, 2),
    ("date_part", Known::DatePart, 2, 2),
    ("datepart", Known::DatePart, 2, 2),
    ("date_trunc", Known::DateTrunc, 2, 2),
    ("datetrunc", Known::DateTrunc, 2, 2),
];

// === impl Checker ===

impl Checker<'_> {
    pub(super) fn call(&mut self, name: &str, arguments: &[Expr], offset: u32) -> Result<Node, Mistake> {
        let Some((_, known, least, most)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
            return Err(unknown(name, offset));
        };
        if !(*least..=*most).contains(&arguments.len()) {
            let expected = match (*least, *most) {
                (least, most) if least == most => format!("{least}"),
                (least, usize::MAX) => format!("at least {least}"),
                (least, most) => format!("{least} to {most}"),
            };
            return Err(Mistake::new(offset, format!("{name} takes {expected} arguments, and here are {}", arguments.len())));
        }
        let arguments = arguments.iter().map(|argument| self.check(argument)).collect::<Result<Vec<_>, _>>()?;
        match known {
            Known::Number(function) => of_numbers(name, *function, arguments, offset),
            Known::Text(function) => of_texts(name, *function, arguments, offset),
            Known::Coalesce => coalesce(arguments, offset),
            Known::NullIf => null_if(arguments, offset),
            Known::DatePart | Known::DateTrunc => of_times(name, matches!(known, Known::DatePart), arguments, offset),
        }
    }
}

fn unknown(name: &str, offset: u32) -> Mistake {
    let mistake = Mistake::new(offset, format!("there is no function `{name}`"));
    match nearest(name, FUNCTIONS.iter().map(|(known, ..)| *known)) {
        Some(near) => mistake.help(format!("did you mean `{near}`?")),
        None if ["sum", "count", "avg", "min", "max"].contains(&name) => mistake.help("it is about many rows at once: use std:aggregate"),
        None => mistake.help("the reference of std:filter lists the functions"),
    }
}

/// Of an int64, `abs` is an int64 and the others change nothing. `round` to digits is a float64.
fn of_numbers(name: &str, function: number::Function, mut arguments: Vec<Node>, offset: u32) -> Result<Node, Mistake> {
    for argument in &arguments {
        if !argument.kind.is_number() {
            return Err(wrong(name, "numbers", argument));
        }
    }
    let digits = if arguments.len() == 2 { arguments.pop() } else { None };
    let Some(value) = arguments.pop() else { return Err(unknown(name, offset)) };
    let integer = value.kind == Type::Int && digits.is_none();
    match function {
        number::Function::Abs if integer => {}
        number::Function::Round | number::Function::Floor | number::Function::Ceil if integer => return Ok(value),
        _ => {}
    }
    let kind = if integer && function == number::Function::Abs { Type::Int } else { Type::Float };
    let negative = function == number::Function::Sqrt;
    let mut nullable = negative || value.nullable;
    let mut operands = vec![coerced(value, &kind)?];
    if let Some(digits) = digits {
        if digits.kind == Type::Float {
            return Err(wrong(name, "an int64 number of digits", &digits));
        }
        nullable |= digits.nullable;
        operands.push(coerced(digits, &Type::Int)?);
    }
    node(offset, kind, nullable, Step::Number(function, operands))
}

/// Positions of `substr` are int64; `concat` takes whatever can be written as text; all else is text.
fn of_texts(name: &str, function: text::Function, arguments: Vec<Node>, offset: u32) -> Result<Node, Mistake> {
    use text::Function::*;
    let mut operands = Vec::with_capacity(arguments.len());
    for (index, argument) in arguments.into_iter().enumerate() {
        let wanted = if function == Substring && index > 0 { Type::Int } else { Type::Text };
        operands.push(match &argument.kind {
            kind if *kind == wanted || *kind == Type::Null => coerced(argument, &wanted)?,
            Type::Opaque(_) => return Err(operators::untouchable(&argument)),
            _ if function == Concat => {
                let at = argument.offset;
                super::cast(argument, Type::Text, false, at)?
            }
            _ => return Err(wrong(name, &wanted.name(), &argument)),
        });
    }
    let nullable = function != Concat && operands.iter().any(|operand| operand.nullable);
    let kind = match function {
        Length => Type::Int,
        StartsWith | EndsWith | Contains => Type::Bool,
        _ => Type::Text,
    };
    node(offset, kind, nullable, Step::Text(function, operands))
}

/// `||`
pub fn join(operands: Vec<Node>, offset: u32) -> Result<Node, Mistake> {
    if let [left, right] = operands.as_slice()
        && [left, right].iter().any(|operand| !matches!(operand.kind, Type::Text | Type::Null))
    {
        return Err(Mistake::new(offset, format!("|| joins utf8, and here are {} and {}", left.kind.name(), right.kind.name()))
            .help("concat(a, b) writes any type as text; so does CAST(x AS text)"));
    }
    of_texts("||", text::Function::Join, operands, offset)
}

fn coalesce(arguments: Vec<Node>, offset: u32) -> Result<Node, Mistake> {
    let kind = operators::same(&arguments.iter().collect::<Vec<_>>(), "the arguments of coalesce")?;
    let nullable = arguments.iter().all(|argument| argument.nullable);
    let arguments = arguments.into_iter().map(|argument| coerced(argument, &kind)).collect::<Result<Vec<_>, _>>()?;
    node(offset, kind, nullable, Step::Coalesce(arguments))
}

/// `nullif(a, b)` is `CASE WHEN a = b THEN NULL ELSE a END`.
fn null_if(arguments: Vec<Node>, offset: u32) -> Result<Node, Mistake> {
    let Ok([value, other]) = <[Node; 2]>::try_from(arguments) else { return Err(unknown("nullif", offset)) };
    let kind = value.kind.clone();
    let equal = operators::compare(Comparison::Equal, [value.clone(), other], offset)?;
    let null = Node::constant(offset, kind.clone(), Scalar::Null);
    node(offset, kind, true, Step::Case(vec![(equal, null)], Some(value.into())))
}

fn of_times(name: &str, part_of: bool, arguments: Vec<Node>, offset: u32) -> Result<Node, Mistake> {
    let Ok([part, value]) = <[Node; 2]>::try_from(arguments) else { return Err(unknown(name, offset)) };
    let part = part_named(name, &part, part_of)?;
    match value.kind {
        Type::Date | Type::Timestamp(..) => plain_zone(&value, name, value.offset)?,
        Type::Null => return Ok(Node::constant(offset, if part_of { Type::Int } else { Type::Null }, Scalar::Null)),
        _ => return Err(wrong(name, "a date32 or a timestamp", &value).help("cast a text: CAST(x AS timestamp)")),
    }
    let nullable = value.nullable;
    if part_of {
        return node(offset, Type::Int, nullable, Step::DatePart(part, value.into()));
    }
    node(offset, value.kind.clone(), nullable, Step::DateTrunc(part, value.into()))
}

fn part_named(name: &str, part: &Node, part_of: bool) -> Result<Part, Mistake> {
    let Step::Constant(Scalar::Text(text)) = &part.step else {
        return Err(Mistake::new(part.offset, format!("{name} is told the part in quotes, as in {name}('month', x)")));
    };
    let allowed = PARTS.iter().filter(|(_, part)| part_of || !matches!(part, Part::DayOfWeek | Part::DayOfYear | Part::Epoch));
    let wanted = text.to_ascii_lowercase();
    if let Some((_, part)) = allowed.clone().find(|(known, _)| *known == wanted) {
        return Ok(*part);
    }
    let names: Vec<&str> = allowed.map(|(known, _)| *known).collect();
    let mistake = Mistake::new(part.offset, format!("{name} knows no part `{text}`"));
    Err(match nearest(&wanted, names.iter().copied()) {
        Some(near) => mistake.help(format!("did you mean `{near}`?")),
        None => mistake.help(format!("the parts are {}", names.join(", "))),
    })
}

/// Without the history of time zones, only those of a fixed offset can be seen on a clock.
pub fn plain_zone(value: &Node, whose: &str, offset: u32) -> Result<(), Mistake> {
    let Type::Timestamp(_, Some(zone)) = &value.kind else { return Ok(()) };
    if offset_of(zone).is_some() {
        return Ok(());
    }
    Err(Mistake::new(offset, format!("{whose} needs to know the hour in {zone}, and zones of regions are not known here"))
        .help("bring the column to UTC or to a fixed offset first"))
}

fn wrong(name: &str, wanted: &str, argument: &Node) -> Mistake {
    if let Type::Opaque(_) = argument.kind {
        return operators::untouchable(argument);
    }
    let mistake = Mistake::new(argument.offset, format!("{name} takes {wanted}, and this is {}", argument.kind.name()));
    if wanted == "utf8" { mistake.help("cast it: CAST(x AS text)") } else { mistake }
}
