//! The tree of an expression as it is written.

use arrow_schema::TimeUnit;

/// A node and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// In bytes: of an operator itself, of anything else where it begins.
    pub offset: u32,
    /// Nodes from here to the farthest leaf, this one included.
    pub depth: u16,
    pub shape: Shape,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    Literal(Literal),
    Column(String),
    Negate(Box<Expr>),
    Not(Box<Expr>),
    And(Box<[Expr; 2]>),
    Or(Box<[Expr; 2]>),
    Compare(Comparison, Box<[Expr; 2]>),
    Arithmetic(Arithmetic, Box<[Expr; 2]>),
    /// `||`
    Join(Box<[Expr; 2]>),
    IsNull {
        value: Box<Expr>,
        negated: bool,
    },
    IsTruth {
        value: Box<Expr>,
        truth: bool,
        negated: bool,
    },
    Between {
        operands: Box<[Expr; 3]>,
        negated: bool,
    },
    In {
        value: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    Like {
        operands: Box<[Expr; 2]>,
        escape: Option<char>,
        folded: bool,
        negated: bool,
    },
    Case {
        operand: Option<Box<Expr>>,
        branches: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Cast {
        value: Box<Expr>,
        to: Target,
        forgiving: bool,
    },
    Call {
        name: String,
        arguments: Vec<Expr>,
    },
}

/// A value that is written out.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

/// What a value is cast to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Bool,
    Int,
    Float,
    Text,
    Date,
    Timestamp(TimeUnit),
    /// With a time zone, which is UTC.
    Instant(TimeUnit),
}

/// An operator that compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// An operator that computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

// === impl Shape ===

impl Shape {
    /// Nodes from the operands to the farthest leaf.
    pub fn height(&self) -> u16 {
        let deepest = |operands: &[Expr]| operands.iter().map(|operand| operand.depth).max().unwrap_or(0);
        match self {
            Self::Literal(_) | Self::Column(_) => 0,
            Self::Negate(value) | Self::Not(value) => value.depth,
            Self::IsNull { value, .. } | Self::IsTruth { value, .. } | Self::Cast { value, .. } => value.depth,
            Self::And(operands) | Self::Or(operands) | Self::Join(operands) | Self::Like { operands, .. } => deepest(&**operands),
            Self::Compare(_, operands) | Self::Arithmetic(_, operands) => deepest(&**operands),
            Self::Call { arguments, .. } => deepest(arguments),
            // These become comparisons and what joins them.
            Self::Between { operands, .. } => deepest(&**operands) + 1,
            Self::In { value, list, .. } => value.depth.max(deepest(list)) + 1,
            Self::Case { operand, branches, otherwise } => {
                let branches = branches.iter().map(|(condition, value)| condition.depth.max(value.depth));
                branches.chain(operand.iter().chain(otherwise).map(|part| part.depth)).max().unwrap_or(0)
            }
        }
    }
}

// === impl Comparison ===

impl Comparison {
    pub fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Unequal => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The operator that says the same with the operands exchanged.
    pub fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }
}

// === impl Arithmetic ===

impl Arithmetic {
    pub fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}
