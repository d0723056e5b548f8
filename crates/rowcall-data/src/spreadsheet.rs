//! Spreadsheets as rows: the first sheet, with its first row of cells as the header. calamine reads the cells; a sheet is in memory
//! as a whole.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use calamine::{Data, Ods, Range, Reader, Sheets, Xlsx};
use rowcall::{Hint, Problem, Row, Setting};

use crate::input::{Feed, Rows, Rules, push_value, reason};
use crate::layout::is_own;
use crate::record;

/// How many rows of cells are made into rows at once.
const PIECE: usize = 256;

/// The feed of the first sheet in `file`, and how many rows it has.
///
/// # Errors
/// A file that is not a spreadsheet or is protected by a password, a sheet without cells, and a header that cannot be used.
pub(crate) fn feed(name: &str, mut file: File, rules: &Rules) -> Result<(Box<dyn Feed>, u64), Problem> {
    let mut head = [0; 38];
    let is_zip = file.read_exact(&mut head).is_ok() && head.starts_with(b"PK");
    // OpenDocument's archives have this entry first.
    let is_ods = head.ends_with(b"mimetype");
    file.seek(SeekFrom::Start(0))
        .map_err(|error| Problem::new(format!("cannot read {name}: {}", reason(&error))))?;
    if !is_zip {
        let is_protected = head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]);
        let (text, hint) = if is_protected {
            (
                "is protected by a password, or is an old `.xls` file",
                Hint::from("save it as `.xlsx` without a password"),
            )
        } else {
            ("is not a spreadsheet", Hint::from("name its real format with ").with(Setting::InputFormat))
        };
        return Err(Problem::new(format!("{name} {text}")).hint(hint));
    }
    let unreadable = |error: calamine::Error| Problem::new(format!("cannot read {name}: {error}"));
    let file = BufReader::new(file);
    let book = if is_ods {
        Ods::new(file).map(Sheets::Ods).map_err(calamine::Error::Ods)
    } else {
        Xlsx::new(file).map(Sheets::Xlsx).map_err(calamine::Error::Xlsx)
    };
    let mut book = book.map_err(unreadable)?;
    let sheets = book.sheet_names();
    let Some(sheet) = sheets.first() else {
        return Err(Problem::new(format!("{name} has no sheet")));
    };
    if sheets.len() > 1 {
        rules.notes.say(format!("{name} has {} sheets; the first, `{sheet}`, is read", sheets.len()));
    }
    let cells = book.worksheet_range(sheet).map_err(unreadable)?;
    let header = header(name, &cells, rules)?;
    let first_line = cells.start().map_or(0, |(row, _)| u64::from(row)) + 2;
    let rows = cells.height().saturating_sub(1);
    let is_output = rules.is_output(header.iter().map(|(_, name)| name.as_str()));
    let names = header.iter().map(|(_, name)| name.clone()).filter(|name| !(is_output && is_own(name)));
    let sheet = Sheet {
        cells,
        names: names.collect(),
        header,
        rules: rules.clone(),
        rows: Rows::default(),
        next: 1,
        first_line,
    };
    Ok((Box::new(sheet), rows as u64))
}

struct Sheet {
    cells: Range<Data>,
    header: Vec<(usize, String)>,
    /// The names of the columns that rows have.
    names: Vec<String>,
    rules: Rules,
    rows: Rows,
    /// The next row of cells, counted from the header.
    next: usize,
    /// The number of the first row below the header in the spreadsheet.
    first_line: u64,
}

/// The columns with their names; those without a name and without a cell are not columns.
fn header(name: &str, cells: &Range<Data>, rules: &Rules) -> Result<Vec<(usize, String)>, Problem> {
    let no_header = || {
        Problem::new(format!("{name} has no header, expected a first row with column names"))
            .hint("delete what is above the table")
    };
    let first = cells.rows().next().ok_or_else(no_header)?;
    let mut header: Vec<(usize, String)> = Vec::new();
    for (at, cell) in first.iter().enumerate() {
        let is_empty = || cells.rows().all(|row| row.get(at).is_none_or(|cell| *cell == Data::Empty));
        let text = text(cell).trim().to_owned();
        let column = match text.as_str() {
            "" if is_empty() => continue,
            "" => format!("column_{}", at + 1),
            text => text.to_owned(),
        };
        if header.iter().any(|(_, known)| *known == column) {
            let message = format!("{name}: the column `{column}` appears twice in the header");
            return Err(Problem::new(message).hint("give one of them another name"));
        }
        header.push((at, column));
    }
    if header.is_empty() {
        return Err(no_header());
    }
    let names = || header.iter().map(|(_, name)| name.as_str());
    let is_output = rules.is_output(names());
    if let Some(problem) =
        rules.clash("the input's column", names().filter(|name| !(is_output && is_own(name))))
    {
        return Err(Problem { message: format!("{name}: {}", problem.message), ..problem });
    }
    Ok(header)
}

/// The text of a cell of the header.
fn text(cell: &Data) -> String {
    match cell {
        Data::String(text) => text.clone(),
        other => value(other).trim_matches('"').to_owned(),
    }
}

/// A cell as JSON. Whole numbers have no fraction: a spreadsheet has floats only.
fn value(cell: &Data) -> String {
    match cell {
        Data::Empty => "null".to_owned(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => record::quoted(text),
        Data::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        Data::Float(number) => serde_json::to_string(number).unwrap_or_else(|_| "null".to_owned()),
        Data::Int(number) => number.to_string(),
        Data::Bool(value) => value.to_string(),
        Data::DateTime(time) => time_of(time),
        Data::Error(error) => record::quoted(&error.to_string()),
    }
}

/// A date, a time, both, or a duration. They are one number of days; its format says whether it is a duration, and its fraction
/// whether there is a time.
fn time_of(time: &calamine::ExcelDateTime) -> String {
    let days = time.as_f64();
    if time.is_duration() {
        return record::quoted(&format!("PT{}S", (days * 86_400.0).round()));
    }
    let (year, month, day, hour, minute, second, millisecond) = time.to_ymd_hms_milli();
    let fraction = if millisecond == 0 { String::new() } else { format!(".{millisecond:03}") };
    let clock = format!("{hour:02}:{minute:02}:{second:02}{fraction}");
    let date = format!("{year:04}-{month:02}-{day:02}");
    record::quoted(&if days < 1.0 {
        clock
    } else if days.fract() == 0.0 {
        date
    } else {
        format!("{date}T{clock}")
    })
}

impl Feed for Sheet {
    fn step(&mut self) -> bool {
        let last = (self.next + PIECE).min(self.cells.height());
        for at in self.next..last {
            let mut record = String::from("{");
            for (column, name) in &self.header {
                if record.len() > 1 {
                    record.push(',');
                }
                record.push_str(&record::quoted(name));
                record.push(':');
                record.push_str(&self.cells.get((at, *column)).map_or_else(|| "null".to_owned(), value));
            }
            record.push('}');
            let line = self.first_line + at as u64 - 1;
            push_value(record.as_bytes(), format_args!("row {line}"), &self.rules, &mut self.rows);
        }
        self.next = last;
        self.next < self.cells.height()
    }

    fn header(&self) -> Option<&[String]> {
        Some(&self.names)
    }

    fn rows(&self) -> &[Row] {
        self.rows.waiting()
    }

    fn clash_hint(&self) -> Option<Hint> {
        self.rows.clash_hint()
    }

    fn take_rows(&mut self) -> Vec<Row> {
        self.rows.take()
    }

    fn take_problem(&mut self) -> Option<Problem> {
        None
    }
}
