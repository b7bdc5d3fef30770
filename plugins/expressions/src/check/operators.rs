//! Operators: what they take, and what comes out.

use super::{Checker, coerced, common, node, not};
use crate::{
    kernels::{like::Pattern, list::List},
    mistake::Mistake,
    node::{Node, Step},
    syntax::{Arithmetic, Comparison, Expr},
    types::Type,
    value::Scalar,
};

// === impl Checker ===

impl Checker<'_> {
    /// An operand that must be boolean.
    pub(super) fn boolean(&mut self, expr: &Expr, operator: &str, _: u32) -> Result<Node, Mistake> {
        let value = self.check(expr)?;
        match value.kind {
            Type::Bool | Type::Null => coerced(value, &Type::Bool),
            _ => Err(Mistake::new(value.offset, format!("{operator} takes boolean operands, and this is {}", value.kind.name()))
                .help("compare it with something, as in `x > 0`")),
        }
    }

    pub(super) fn logic(&mut self, operands: &[Expr; 2], operator: &str, offset: u32) -> Result<Node, Mistake> {
        let operands = [self.boolean(&operands[0], operator, offset)?, self.boolean(&operands[1], operator, offset)?];
        let nullable = operands[0].nullable || operands[1].nullable;
        let operands = Box::new(operands);
        node(offset, Type::Bool, nullable, if operator == "AND" { Step::And(operands) } else { Step::Or(operands) })
    }

    pub(super) fn negate(&mut self, value: &Expr, offset: u32) -> Result<Node, Mistake> {
        let value = self.check(value)?;
        match value.kind {
            Type::Int | Type::Float => {}
            Type::Null => return coerced(value, &Type::Float),
            _ => return Err(Mistake::new(offset, format!("- takes a number, and this is {}", value.kind.name()))),
        }
        node(offset, value.kind.clone(), value.nullable, Step::Negate(value.into()))
    }

    /// `x BETWEEN a AND b` is `x >= a AND x <= b`.
    pub(super) fn between(&mut self, operands: &[Expr; 3], negated: bool, offset: u32) -> Result<Node, Mistake> {
        let [value, low, high] = [self.check(&operands[0])?, self.check(&operands[1])?, self.check(&operands[2])?];
        let low = compare(Comparison::GreaterOrEqual, [value.clone(), low], offset)?;
        let high = compare(Comparison::LessOrEqual, [value, high], offset)?;
        let nullable = low.nullable || high.nullable;
        let both = node(offset, Type::Bool, nullable, Step::And(Box::new([low, high])))?;
        if negated { not(both, offset) } else { Ok(both) }
    }

    /// A list of constants is searched; any other is compared with one by one.
    pub(super) fn within(&mut self, value: &Expr, list: &[Expr], negated: bool, offset: u32) -> Result<Node, Mistake> {
        let value = self.check(value)?;
        let list = list.iter().map(|item| self.check(item)).collect::<Result<Vec<_>, _>>()?;
        let mut all = vec![&value];
        all.extend(&list);
        let Some(kind) = common(&all) else {
            let odd = list.iter().find(|item| common(&[&value, item]).is_none()).unwrap_or(&value);
            return Err(Mistake::new(odd.offset, format!("IN compares {} with {}", value.kind.name(), odd.kind.name()))
                .help("write values of one type, or cast"));
        };
        let value = coerced(value, &kind)?;
        let list = list.into_iter().map(|item| coerced(item, &kind)).collect::<Result<Vec<_>, _>>()?;
        let constants: Option<Vec<Scalar>> =
            list.iter().map(|item| if let Step::Constant(scalar) = &item.step { Some(scalar.clone()) } else { None }).collect();
        let found = match constants.and_then(|constants| List::of(&constants)) {
            Some(list) => node(offset, Type::Bool, value.nullable, Step::In(value.into(), list))?,
            None => any_equal(&value, list, offset)?,
        };
        if negated { not(found, offset) } else { Ok(found) }
    }

    pub(super) fn like(
        &mut self,
        operands: &[Expr; 2],
        escape: Option<char>,
        folded: bool,
        negated: bool,
        offset: u32,
    ) -> Result<Node, Mistake> {
        let [value, pattern] = [self.check(&operands[0])?, self.check(&operands[1])?];
        let operator = if folded { "ILIKE" } else { "LIKE" };
        for operand in [&value, &pattern] {
            if !matches!(operand.kind, Type::Text | Type::Null) {
                return Err(Mistake::new(
                    operand.offset,
                    format!("{operator} takes utf8 on both sides, and this is {}", operand.kind.name()),
                )
                .help("cast it: CAST(x AS text)"));
            }
        }
        let pattern = match &pattern.step {
            Step::Constant(Scalar::Text(text)) => Pattern::of(text, escape, folded).map_err(|said| Mistake::new(pattern.offset, said))?,
            Step::Constant(_) => return Ok(Node::constant(offset, Type::Bool, Scalar::Null)),
            _ => {
                return Err(Mistake::new(pattern.offset, format!("the pattern of {operator} is a constant"))
                    .help("contains, starts_with and ends_with take columns on both sides"));
            }
        };
        let value = coerced(value, &Type::Text)?;
        let found = node(offset, Type::Bool, value.nullable, Step::Like(value.into(), pattern))?;
        if negated { not(found, offset) } else { Ok(found) }
    }

    pub(super) fn case(
        &mut self,
        operand: Option<&Expr>,
        branches: &[(Expr, Expr)],
        otherwise: Option<&Expr>,
        offset: u32,
    ) -> Result<Node, Mistake> {
        let operand = operand.map(|operand| self.check(operand)).transpose()?;
        let mut checked = Vec::with_capacity(branches.len());
        for (condition, value) in branches {
            let condition = match &operand {
                None => self.boolean(condition, "WHEN", offset)?,
                Some(operand) => {
                    let wanted = self.check(condition)?;
                    let at = wanted.offset;
                    compare(Comparison::Equal, [operand.clone(), wanted], at)?
                }
            };
            checked.push((condition, self.check(value)?));
        }
        let otherwise = otherwise.map(|value| self.check(value)).transpose()?;
        let values: Vec<&Node> = checked.iter().map(|(_, value)| value).chain(&otherwise).collect();
        let kind = same(&values, "the branches of CASE")?;
        let nullable = otherwise.is_none() || values.iter().any(|value| value.nullable);
        let checked =
            checked.into_iter().map(|(condition, value)| Ok((condition, coerced(value, &kind)?))).collect::<Result<Vec<_>, _>>()?;
        let otherwise = otherwise.map(|value| coerced(value, &kind)).transpose()?.map(Box::new);
        node(offset, kind, nullable, Step::Case(checked, otherwise))
    }
}

/// The type that all values can be brought to.
pub fn same(values: &[&Node], whose: &str) -> Result<Type, Mistake> {
    let refused = |odd: &Node, first: &Node| {
        Err(Mistake::new(
            odd.offset,
            format!("{whose} have one type, and this is {} where another is {}", odd.kind.name(), first.kind.name()),
        )
        .help("cast one of them"))
    };
    if let Some(opaque) = values.iter().find(|value| matches!(value.kind, Type::Opaque(_))) {
        return Err(untouchable(opaque));
    }
    match common(values) {
        Some(kind) => Ok(kind),
        None => {
            let odd = values.iter().find(|value| common(&[values[0], value]).is_none());
            refused(odd.unwrap_or(&values[values.len() - 1]), values[0])
        }
    }
}

/// That nothing can be computed from a value of this type.
pub fn untouchable(value: &Node) -> Mistake {
    Mistake::new(value.offset, format!("nothing is computed from {}", value.kind.name()))
        .help("IS NULL and IS NOT NULL can be asked of it; std:select converts some types")
}

/// Compares operands of any two types that have a common one.
pub fn compare(operator: Comparison, operands: [Node; 2], offset: u32) -> Result<Node, Mistake> {
    if let Some(opaque) = operands.iter().find(|operand| matches!(operand.kind, Type::Opaque(_))) {
        return Err(untouchable(opaque));
    }
    let [left, right] = &operands;
    let Some(kind) = common(&[left, right]) else {
        let mistake = Mistake::new(offset, format!("{} compares {} with {}", operator.sign(), left.kind.name(), right.kind.name()));
        return Err(match (&left.kind, &right.kind) {
            (Type::Text, kind) | (kind, Type::Text) if kind.is_number() => {
                mistake.help("write a number without quotes, or cast the text: CAST(x AS double)")
            }
            _ => mistake.help("both sides must be of one type: cast one of them"),
        });
    };
    let nullable = left.nullable || right.nullable;
    let [left, right] = operands;
    let operands = [coerced(left, &kind)?, coerced(right, &kind)?];
    node(offset, Type::Bool, nullable, Step::Compare(operator, operands.into()))
}

/// `x = a OR x = b OR …`
fn any_equal(value: &Node, list: Vec<Node>, offset: u32) -> Result<Node, Mistake> {
    let mut any: Option<Node> = None;
    for item in list {
        let equal = compare(Comparison::Equal, [value.clone(), item], offset)?;
        any = Some(match any {
            None => equal,
            Some(before) => {
                let nullable = before.nullable || equal.nullable;
                node(offset, Type::Bool, nullable, Step::Or(Box::new([before, equal])))?
            }
        });
    }
    any.ok_or_else(|| Mistake::new(offset, "the list of IN is empty"))
}

/// Integers stay integers but for `/`, whose quotient is a float, as in DuckDB.
pub fn arithmetic(operator: Arithmetic, operands: [Node; 2], offset: u32) -> Result<Node, Mistake> {
    if let Some(odd) = operands.iter().find(|operand| !operand.kind.is_number()) {
        let [left, right] = &operands;
        let message = format!("{} takes numbers, and here are {} and {}", operator.sign(), left.kind.name(), right.kind.name());
        let mistake = Mistake::new(offset, message);
        return Err(match odd.kind {
            Type::Text if operator == Arithmetic::Add => {
                mistake.help("texts are joined with ||; a number in a text is cast: CAST(x AS double)")
            }
            Type::Text => mistake.help("cast the text: CAST(x AS double)"),
            _ if odd.kind.is_time() => mistake.help("date_part makes numbers of dates: date_part('epoch', x) counts seconds"),
            _ => mistake,
        });
    }
    let both_int = operands.iter().all(|operand| operand.kind == Type::Int);
    let any_null = operands.iter().any(|operand| operand.kind == Type::Null);
    let any_float = operands.iter().any(|operand| operand.kind == Type::Float);
    let divides = operator == Arithmetic::Divide;
    let kind = if !divides && (both_int || any_null && !any_float) { Type::Int } else { Type::Float };
    let by_zero = matches!(operator, Arithmetic::Divide | Arithmetic::Remainder) && !is_nonzero(&operands[1]);
    let nullable = by_zero || operands.iter().any(|operand| operand.nullable);
    let [left, right] = operands;
    let operands = [coerced(left, &kind)?, coerced(right, &kind)?];
    node(offset, kind, nullable, Step::Arithmetic(operator, operands.into()))
}

fn is_nonzero(value: &Node) -> bool {
    match value.step {
        Step::Constant(Scalar::Int(value)) => value != 0,
        Step::Constant(Scalar::Float(value)) => value != 0.0,
        _ => false,
    }
}
