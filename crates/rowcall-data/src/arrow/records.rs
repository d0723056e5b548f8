//! Record batches as rows: each row's record is the JSON text of its values. `carried.rs` and `exact.rs` see to it that they
//! can be read back.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_json::{EncoderOptions, writer::make_encoder};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema, SchemaRef};
use rowcall::{Hint, Problem, Row};

use super::carried::{carried, lowered};
use super::exact::Exact;
use super::schema_text;
use crate::input::{Feed, Rows, Rules, push_value};
use crate::layout::is_own;

/// Batches of rows, as they are read.
pub(crate) type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// A reader of batches as a feed of rows.
pub(crate) struct BatchFeed {
    name: String,
    batches: Batches,
    header: Vec<String>,
    schema: SchemaRef,
    rules: Rules,
    rows: Rows,
    /// How many rows were read, to name them in messages.
    read: u64,
    ended: bool,
    problem: Option<Problem>,
}

impl BatchFeed {
    /// A feed of `batches`, which all have this schema.
    ///
    /// # Errors
    /// A name that is there twice or that the output adds, and a type that cannot be carried.
    pub(crate) fn new(
        name: &str,
        schema: &SchemaRef,
        batches: Batches,
        rules: Rules,
    ) -> Result<Self, Problem> {
        let mut names: Vec<&str> = Vec::new();
        for field in schema.fields() {
            if names.contains(&field.name().as_str()) {
                let message = format!("{name}: two columns are called `{}`", field.name());
                return Err(Problem::new(message).hint("rename one of them"));
            }
            if carried(field.data_type()).is_err() {
                let message = format!(
                    "{name}: the column `{}` has the type `{}`, which cannot be carried to an output",
                    field.name(),
                    field.data_type()
                );
                return Err(Problem::new(message).hint("leave the column out, or cast it to another type"));
            }
            names.push(field.name());
        }
        let is_output = rules.is_output(names.iter().copied());
        let kept: Vec<FieldRef> =
            schema.fields().iter().filter(|field| !(is_output && is_own(field.name()))).cloned().collect();
        if let Some(problem) =
            rules.clash("the input's column", kept.iter().map(|field| field.name().as_str()))
        {
            return Err(Problem { message: format!("{name}: {}", problem.message), ..problem });
        }
        let header = kept.iter().map(|field| field.name().clone()).collect();
        Ok(Self {
            name: name.to_owned(),
            batches,
            header,
            schema: Arc::new(Schema::new_with_metadata(kept, schema.metadata().clone())),
            rules,
            rows: Rows::default(),
            read: 0,
            ended: false,
            problem: None,
        })
    }

    fn push(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let table = lowered(batch)?;
        let options =
            EncoderOptions::default().with_explicit_nulls(true).with_encoder_factory(Arc::new(Exact));
        let field: FieldRef = Arc::new(Field::new("row", DataType::Struct(table.fields().clone()), false));
        let mut encoder = make_encoder(&field, &table, &options)?;
        let mut text = Vec::new();
        for at in 0..batch.num_rows() {
            text.clear();
            encoder.encode(at, &mut text);
            self.read += 1;
            push_value(&text, format_args!("row {}", self.read), &self.rules, &mut self.rows);
        }
        Ok(())
    }
}

impl Feed for BatchFeed {
    fn step(&mut self) -> bool {
        if self.ended {
            return false;
        }
        let pushed = match self.batches.next() {
            None => {
                self.ended = true;
                Ok(())
            }
            Some(batch) => batch.and_then(|batch| self.push(&batch)),
        };
        if let Err(error) = pushed {
            self.ended = true;
            self.problem = Some(Problem::new(format!("cannot read {}: {}", self.name, reason(&error))));
        }
        !self.ended
    }

    fn header(&self) -> Option<&[String]> {
        Some(&self.header)
    }

    fn record_schema(&self) -> Option<String> {
        Some(schema_text::to_text(&self.schema))
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
        self.problem.take()
    }
}

/// The library's message without the name of its own error.
pub(crate) fn reason(error: &ArrowError) -> String {
    let text = error.to_string();
    let known =
        ["Parquet argument error: ", "Parquet error: ", "External: ", "Parser error: ", "Ipc error: "];
    let mut text = text.as_str();
    while let Some(rest) = known.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        text = rest;
    }
    text.to_owned()
}
