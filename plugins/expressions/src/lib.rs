//! SQL expressions over Arrow columns. [`Expression::compile`] reads the text, checks it against a [`Scope`] and folds
//! what is constant; [`Expression::evaluate`] runs a small tree of kernels over one [`Batch`].
//!
//! From the text inwards: `syntax` makes a tree with a byte offset on every node, `check` gives every node a type and
//! makes it a `Node`, `kernels` compute. Values are of four physical kinds only (bits, int64, float64, UTF-8), so that
//! each kernel is compiled once or twice and a component stays small.
//!
//! `sqlparser` splits the text into tokens and `winnow` parses them. The parser of `sqlparser` itself, measured at 1.3 MB of
//! WebAssembly in any component that calls it, is not linked in, as an expression may hold any statement there.

mod batch;
mod check;
mod expression;
mod kernels;
mod mistake;
mod node;
mod receive;
mod scope;
mod send;
mod syntax;
#[cfg(test)]
mod tests;
mod types;
mod value;

pub use batch::Batch;
pub use expression::Expression;
pub use mistake::{Failure, Mistake};
pub use scope::Scope;
pub use value::Value;
