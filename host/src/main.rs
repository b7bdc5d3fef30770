//! The `parshall` command.

use std::process::ExitCode;

// Batches come and go by the megabyte: an allocator that keeps pages saves mapping fresh ones for each.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    parshall::cli::main()
}
