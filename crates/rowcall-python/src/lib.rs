//! The extension module `rowcall._rowcall`: the engine for the Python layer. `python/rowcall` has what users see; the
//! library processes the rows.

mod account;
mod bell;
mod call;
mod clock;
mod command;
mod delivery;
mod estimating;
mod events;
mod extractor;
mod failure;
mod feed;
mod file_run;
mod json;
mod keywords;
mod notices;
mod outcome;
mod progress;
mod report;
mod rerun;
mod rows;
mod runtime;
mod settings;
mod stats;
mod steering;
mod table;
mod validation;
mod validator;

use pyo3::prelude::*;

/// A row's memory is allocated on one thread and freed on another, for which the C library's allocator takes a sixth
/// of the total time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The engine of rowcall. Use the package `rowcall`, not this module, which may change at any time.
#[pymodule]
mod _rowcall {
    #[pymodule_export]
    use crate::account::Account;
    #[pymodule_export]
    use crate::bell::Bell;
    #[pymodule_export]
    use crate::call::Call;
    #[pymodule_export]
    use crate::command::command;
    #[pymodule_export]
    use crate::estimating::Estimating;
    #[pymodule_export]
    use crate::events::Events;
    #[pymodule_export]
    use crate::extractor::Core;
    #[pymodule_export]
    use crate::feed::Feeder;
    #[pymodule_export]
    use crate::outcome::{Outcome, Usage};
    #[pymodule_export]
    use crate::report::report;
    #[pymodule_export]
    use crate::table::TableRun;
    #[pymodule_export]
    use crate::validation::Rules;
    #[pymodule_export]
    use crate::validator::Validator;

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "the name that Python uses for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
