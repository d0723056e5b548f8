//! Tables for the terminal that are also Markdown.

use std::ops::Range;

use comfy_table::{CellAlignment, Table};

/// A table with the columns in `numbers` right-aligned.
pub(crate) fn table(
    header: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
    numbers: Range<usize>,
) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header(header.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(numbers.start).take(numbers.len()) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}
