//! What a build without the feature `spreadsheets` says about spreadsheets.

use std::fs::File;

use rowcall::Problem;

use crate::input::{Feed, Rules};
use crate::lacking::lacking;

pub(crate) fn feed(name: &str, _: File, _: &Rules) -> Result<(Box<dyn Feed>, u64), Problem> {
    Err(lacking(name, "a spreadsheet", "spreadsheets"))
}
