//! The compiled tree: every node has a type, operands are of the kinds that its kernel takes.

use arrow_buffer::BooleanBuffer;

use crate::{
    batch::Batch,
    kernels::{arithmetic, boolean, calendar::Part, cast, choose, compare, like::Pattern, list::List, number, text, time},
    mistake::Failure,
    syntax::{Arithmetic, Comparison},
    types::Type,
    value::{Scalar, Value},
};

/// One step of a computation.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it stands in the text, in bytes.
    pub offset: u32,
    pub kind: Type,
    /// Whether it can come out null.
    pub nullable: bool,
    pub step: Step,
}

/// What a node does.
#[derive(Clone, Debug)]
pub enum Step {
    Column(usize),
    Constant(Scalar),
    Not(Box<Node>),
    And(Box<[Node; 2]>),
    Or(Box<[Node; 2]>),
    /// Operands of one type.
    Compare(Comparison, Box<[Node; 2]>),
    /// Operands of the node's own type.
    Arithmetic(Arithmetic, Box<[Node; 2]>),
    Negate(Box<Node>),
    IsNull(Box<Node>, bool),
    IsTruth(Box<Node>, bool, bool),
    In(Box<Node>, List),
    Like(Box<Node>, Pattern),
    /// Conditions and values, the last of which may go without a condition.
    Case(Vec<(Node, Node)>, Option<Box<Node>>),
    Coalesce(Vec<Node>),
    /// To the node's own type.
    Cast(Box<Node>, bool),
    Number(number::Function, Vec<Node>),
    Text(text::Function, Vec<Node>),
    DatePart(Part, Box<Node>),
    DateTrunc(Part, Box<Node>),
}

/// The rows that a value is wanted in; elsewhere nothing can fail. Absent: in all.
pub type Active<'a> = Option<&'a BooleanBuffer>;

// === impl Node ===

impl Node {
    pub fn constant(offset: u32, kind: Type, scalar: Scalar) -> Self {
        Self { offset, kind, nullable: scalar == Scalar::Null, step: Step::Constant(scalar) }
    }

    /// Computes it for every row.
    pub fn evaluate(&self, batch: &Batch, active: Active) -> Result<Value, Failure> {
        let rows = batch.rows();
        match &self.step {
            Step::Column(index) => Ok(batch.column(*index)),
            Step::Constant(scalar) => Ok(Value::One(scalar.clone())),
            Step::Not(value) => Ok(boolean::not(value.evaluate(batch, active)?)),
            Step::And(operands) => match operands[0].evaluate(batch, active)? {
                Value::One(Scalar::Bool(false)) => Ok(Value::One(Scalar::Bool(false))),
                left => Ok(boolean::and(left, operands[1].evaluate(batch, active)?)),
            },
            Step::Or(operands) => match operands[0].evaluate(batch, active)? {
                Value::One(Scalar::Bool(true)) => Ok(Value::One(Scalar::Bool(true))),
                left => Ok(boolean::or(left, operands[1].evaluate(batch, active)?)),
            },
            Step::Compare(operator, operands) => {
                let operands = [operands[0].evaluate(batch, active)?, operands[1].evaluate(batch, active)?];
                strict(operands, |[left, right]| Ok(compare::compare(*operator, left, right)))
            }
            Step::Arithmetic(operator, operands) => {
                let operands = [operands[0].unwidened(batch, active)?, operands[1].unwidened(batch, active)?];
                strict(operands, |[left, right]| arithmetic::compute(*operator, &self.kind, left, right, self.offset, active))
            }
            Step::Negate(value) => {
                strict([value.evaluate(batch, active)?], |[value]| arithmetic::negate(value, &self.kind, self.offset, active))
            }
            Step::IsNull(value, negated) => Ok(boolean::is_null(&value.evaluate(batch, active)?, *negated)),
            Step::IsTruth(value, truth, negated) => Ok(boolean::is_truth(value.evaluate(batch, active)?, *truth, *negated)),
            Step::In(value, list) => strict([value.evaluate(batch, active)?], |[value]| Ok(list.holds(value))),
            Step::Like(value, pattern) => strict([value.evaluate(batch, active)?], |[value]| Ok(pattern.matches(value))),
            Step::Case(branches, otherwise) => self.case(branches, otherwise.as_deref(), batch, active),
            Step::Coalesce(operands) => self.coalesce(operands, batch, active),
            Step::Cast(value, forgiving) => {
                let wanted = cast::Cast { from: &value.kind, to: &self.kind, forgiving: *forgiving, offset: self.offset };
                strict([value.evaluate(batch, active)?], |[value]| wanted.apply(value, active))
            }
            Step::Number(function, operands) => {
                let operands = operands.iter().map(|operand| operand.evaluate(batch, active)).collect::<Result<Vec<_>, _>>()?;
                function.apply(&operands, rows, self.offset, active)
            }
            Step::Text(function, operands) => {
                let operands = operands.iter().map(|operand| operand.evaluate(batch, active)).collect::<Result<Vec<_>, _>>()?;
                function.apply(&operands, rows, self.offset)
            }
            Step::DatePart(part, value) => {
                strict([value.evaluate(batch, active)?], |[operand]| Ok(time::date_part(*part, &value.kind, operand)))
            }
            Step::DateTrunc(part, value) => {
                strict([value.evaluate(batch, active)?], |[operand]| Ok(time::date_trunc(*part, &value.kind, operand)))
            }
        }
    }

    /// The value, but whole numbers that are to become floats and nothing else: arithmetic makes them floats on its way.
    fn unwidened(&self, batch: &Batch, active: Active) -> Result<Value, Failure> {
        match &self.step {
            Step::Cast(value, _) if self.kind == Type::Float && value.kind == Type::Int => value.evaluate(batch, active),
            _ => self.evaluate(batch, active),
        }
    }

    /// What a branch would compute in rows that are not its own is neither kept nor able to fail.
    fn case(&self, branches: &[(Node, Node)], otherwise: Option<&Node>, batch: &Batch, active: Active) -> Result<Value, Failure> {
        let rows = batch.rows();
        let mut left = active.cloned().unwrap_or_else(|| BooleanBuffer::new_set(rows));
        let mut chosen = Vec::with_capacity(branches.len() + 1);
        for (condition, value) in branches {
            let hits = &left & &boolean::truths(&condition.evaluate(batch, Some(&left))?, rows);
            left = &left & &!&hits;
            let value = value.evaluate(batch, Some(&hits))?;
            chosen.push((hits, value));
        }
        if let Some(otherwise) = otherwise {
            let value = otherwise.evaluate(batch, Some(&left))?;
            chosen.push((left, value));
        }
        Ok(choose::choose(&self.kind, &chosen, rows))
    }

    fn coalesce(&self, operands: &[Node], batch: &Batch, active: Active) -> Result<Value, Failure> {
        let rows = batch.rows();
        let mut left = active.cloned().unwrap_or_else(|| BooleanBuffer::new_set(rows));
        let mut chosen = Vec::with_capacity(operands.len());
        for operand in operands {
            let value = operand.evaluate(batch, Some(&left))?;
            let hits = &left & &boolean::truths(&boolean::is_null(&value, true), rows);
            left = &left & &!&hits;
            chosen.push((hits, value));
            if left.count_set_bits() == 0 {
                break;
            }
        }
        Ok(choose::choose(&self.kind, &chosen, rows))
    }

    /// Whether it has operands and all of them are constant.
    pub fn is_foldable(&self) -> bool {
        let constant = |node: &Node| matches!(node.step, Step::Constant(_));
        match &self.step {
            Step::Column(_) | Step::Constant(_) => false,
            Step::Not(value)
            | Step::Negate(value)
            | Step::IsNull(value, _)
            | Step::IsTruth(value, ..)
            | Step::In(value, _)
            | Step::Like(value, _)
            | Step::Cast(value, _)
            | Step::DatePart(_, value)
            | Step::DateTrunc(_, value) => constant(value),
            Step::And(both) | Step::Or(both) | Step::Compare(_, both) | Step::Arithmetic(_, both) => both.iter().all(constant),
            Step::Case(branches, otherwise) => {
                branches.iter().all(|(condition, value)| constant(condition) && constant(value))
                    && otherwise.as_deref().is_none_or(constant)
            }
            Step::Coalesce(operands) | Step::Number(_, operands) | Step::Text(_, operands) => operands.iter().all(constant),
        }
    }
}

/// Null when an operand is null for all rows. Operands that are all single values are computed with once.
fn strict<const N: usize>(mut operands: [Value; N], kernel: impl FnOnce(&[Value; N]) -> Result<Value, Failure>) -> Result<Value, Failure> {
    if operands.iter().any(Value::is_null) {
        return Ok(Value::NULL);
    }
    if operands.iter().any(|operand| matches!(operand, Value::Many(_))) {
        return kernel(&operands);
    }
    operands[0] = operands[0].repeated(1);
    Ok(Value::One(kernel(&operands)?.get(0)))
}
