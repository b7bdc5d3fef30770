//! From text to tree. `sqlparser` splits the text into tokens and `winnow` parses them; what is here is the language itself:
//! its operators and how tightly they bind, what stands between them, and the names of types.

mod names;
mod operands;
mod operators;
mod parse;
mod tokens;
mod tree;

pub use parse::parse;
pub use tree::{Arithmetic, Comparison, Expr, Literal, Shape, Target};
