//! Types. Every node is checked when the stage is opened, operands are brought to one type, constants are computed.

mod functions;
mod operators;

use arrow_schema::DataType;

use crate::{
    batch::Batch,
    kernels::cast::Cast,
    mistake::Mistake,
    node::{Node, Step},
    scope::Scope,
    syntax::{Expr, Literal, Shape, Target, parse},
    types::Type,
    value::{Scalar, Value},
};

/// The tree of a text, and the columns that it mentions.
pub fn compile(text: &str, scope: &Scope) -> Result<(Node, Vec<usize>), Mistake> {
    let mut checker = Checker { scope, mentions: Vec::new() };
    let root = checker.check(&parse(text)?)?;
    Ok((root, checker.mentions))
}

struct Checker<'a> {
    scope: &'a Scope,
    mentions: Vec<usize>,
}

// === impl Checker ===

impl Checker<'_> {
    fn check(&mut self, expr: &Expr) -> Result<Node, Mistake> {
        let offset = expr.offset;
        match &expr.shape {
            Shape::Literal(literal) => Ok(constant(literal, offset)),
            Shape::Column(name) => self.column(name, offset),
            Shape::Negate(value) => self.negate(value, offset),
            Shape::Not(value) => {
                let value = self.boolean(value, "NOT", offset)?;
                not(value, offset)
            }
            Shape::And(operands) => self.logic(operands, "AND", offset),
            Shape::Or(operands) => self.logic(operands, "OR", offset),
            Shape::Compare(operator, operands) => {
                let operands = [self.check(&operands[0])?, self.check(&operands[1])?];
                operators::compare(*operator, operands, offset)
            }
            Shape::Arithmetic(operator, operands) => {
                let operands = [self.check(&operands[0])?, self.check(&operands[1])?];
                operators::arithmetic(*operator, operands, offset)
            }
            Shape::Join(operands) => {
                let operands = vec![self.check(&operands[0])?, self.check(&operands[1])?];
                functions::join(operands, offset)
            }
            Shape::IsNull { value, negated } => {
                let value = self.check(value)?;
                if let Type::Opaque(DataType::Union(..) | DataType::RunEndEncoded(..) | DataType::Dictionary(..)) = value.kind {
                    // Their nulls are in their children, where nothing here looks.
                    return Err(Mistake::new(value.offset, format!("nothing is asked of {}", value.kind.name())));
                }
                node(offset, Type::Bool, false, Step::IsNull(value.into(), *negated))
            }
            Shape::IsTruth { value, truth, negated } => {
                let value = self.boolean(value, "IS", offset)?;
                node(offset, Type::Bool, false, Step::IsTruth(value.into(), *truth, *negated))
            }
            Shape::Between { operands, negated } => self.between(operands, *negated, offset),
            Shape::In { value, list, negated } => self.within(value, list, *negated, offset),
            Shape::Like { operands, escape, folded, negated } => self.like(operands, *escape, *folded, *negated, offset),
            Shape::Case { operand, branches, otherwise } => self.case(operand.as_deref(), branches, otherwise.as_deref(), offset),
            Shape::Cast { value, to, forgiving } => {
                let value = self.check(value)?;
                let to = target(*to);
                cast(value, to, *forgiving, offset)
            }
            Shape::Call { name, arguments } => self.call(name, arguments, offset),
        }
    }

    fn column(&mut self, name: &str, offset: u32) -> Result<Node, Mistake> {
        let index = self.scope.find(name, offset)?;
        if !self.mentions.contains(&index) {
            self.mentions.push(index);
        }
        let known = self.scope.get(index);
        Ok(Node { offset, kind: known.kind.clone(), nullable: known.nullable, step: Step::Column(index) })
    }
}

fn constant(literal: &Literal, offset: u32) -> Node {
    let (kind, scalar) = match literal {
        Literal::Null => (Type::Null, Scalar::Null),
        Literal::Bool(flag) => (Type::Bool, Scalar::Bool(*flag)),
        Literal::Int(value) => (Type::Int, Scalar::Int(*value)),
        Literal::Float(value) => (Type::Float, Scalar::Float(*value)),
        Literal::Text(text) => (Type::Text, Scalar::Text(text.as_str().into())),
    };
    Node::constant(offset, kind, scalar)
}

fn target(to: Target) -> Type {
    match to {
        Target::Bool => Type::Bool,
        Target::Int => Type::Int,
        Target::Float => Type::Float,
        Target::Text => Type::Text,
        Target::Date => Type::Date,
        Target::Timestamp(unit) => Type::Timestamp(unit, None),
        Target::Instant(unit) => Type::Timestamp(unit, Some("UTC".into())),
    }
}

/// A node, or the constant that it always is.
fn node(offset: u32, kind: Type, nullable: bool, step: Step) -> Result<Node, Mistake> {
    let node = Node { offset, kind, nullable, step };
    if !node.is_foldable() {
        return Ok(node);
    }
    let value = node.evaluate(&Batch::constant(), None).map_err(|failure| Mistake::new(failure.offset, failure.message))?;
    let scalar = match value {
        Value::One(scalar) => scalar,
        many => many.get(0),
    };
    Ok(Node::constant(offset, node.kind, scalar))
}

fn not(value: Node, offset: u32) -> Result<Node, Mistake> {
    node(offset, Type::Bool, value.nullable, Step::Not(value.into()))
}

/// A cast as it was asked for.
fn cast(value: Node, to: Type, forgiving: bool, offset: u32) -> Result<Node, Mistake> {
    if value.kind == to {
        return Ok(value);
    }
    if !Cast::is_possible(&value.kind, &to) {
        return Err(Mistake::new(offset, format!("{} cannot be cast to {}", value.kind.name(), to.name())));
    }
    if (to.is_time() || to == Type::Text) && value.kind.is_time() {
        functions::plain_zone(&value, "a cast", offset)?;
    }
    let steps = Cast { from: &value.kind, to: &to, forgiving, offset };
    let nullable = value.nullable || steps.can_lose();
    node(offset, to, nullable, Step::Cast(value.into(), forgiving))
}

/// A cast that nobody asked for, to a type that holds every value. Its mistakes are the value's.
fn coerced(value: Node, to: &Type) -> Result<Node, Mistake> {
    if value.kind == Type::Null || value.kind == *to {
        return Ok(Node { kind: to.clone(), ..value });
    }
    let (offset, nullable) = (value.offset, value.nullable);
    // Timestamps that differ in nothing but their zone are the same numbers.
    if let (Type::Timestamp(from, _), Type::Timestamp(unit, _)) = (&value.kind, to)
        && from == unit
    {
        return Ok(Node { kind: to.clone(), ..value });
    }
    node(offset, to.clone(), nullable, Step::Cast(value.into(), false))
}

/// The type that all can be brought to. A text that is written out becomes a date beside dates.
fn common(nodes: &[&Node]) -> Option<Type> {
    let literal = |node: &&&Node| node.kind == Type::Text && matches!(node.step, Step::Constant(_));
    let typed = nodes.iter().filter(|node| !literal(node)).map(|node| node.kind.clone());
    let mut typed = typed.collect::<Vec<_>>().into_iter();
    let first = typed.next();
    let rest = first.and_then(|first| typed.try_fold(first, |common, kind| common.common(&kind)));
    let literals = nodes.iter().any(|node| literal(&node));
    match rest {
        Some(kind) if literals && (kind == Type::Null || kind == Type::Text) => Some(Type::Text),
        Some(kind) if literals => kind.is_time().then_some(kind),
        None if literals && nodes.iter().all(|node| literal(&node)) => Some(Type::Text),
        other => other,
    }
}
