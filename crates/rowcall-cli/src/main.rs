//! The binary `rowcall`: hands its arguments to the library and its exit code to the system.

use std::process::ExitCode;

/// The thread that writes the journal frees what others have allocated, which the usual allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    rowcall_cli::main(std::env::args_os())
}
