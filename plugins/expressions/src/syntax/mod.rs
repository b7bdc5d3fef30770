//! From text to tree. `sqlparser` splits the text into tokens; its parser, which takes 1.2 MB of WebAssembly because an
//! expression may hold any query, is not compiled in. The grammar of expressions alone is in `parse`.

mod case;
mod names;
mod parse;
mod tokens;
mod tree;

pub use parse::parse;
pub use tree::{Arithmetic, Comparison, Expr, Literal, Shape, Target};
