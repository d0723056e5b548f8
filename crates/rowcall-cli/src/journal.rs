//! The journal of a run: where it is, when a run may resume it, and what it remembers of the command that made it.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use indicatif::HumanCount;
use rowcall::journal::{Contents, Existing, Records};
use rowcall::schema::Observed;
use rowcall::{Client, Error, Extractor, Hint, JournalOptions, Mode, Problem, Protocol, Result, Setting};
use rowcall_data::{Input, Layout, OutputFormat};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::args::{Concurrency, JournalArguments, RunArguments, Switch};
use crate::command::export::{Values, check_copied, check_failed, check_own};
use crate::files::{Files, has_content, location};
use crate::guard::FirstRows;
use crate::printing;
use crate::progress::Progress;
use crate::server_probe::Assumed;
use crate::summary::counted;

/// The extension that a journal adds to the name of its output.
const EXTENSION: &str = "journal";

/// What a journal remembers of the run that made it, so that its output can be rebuilt and its failed rows asked again.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Memo {
    /// As the user named it, so that a rerun can start the same simulator.
    pub model: String,
    /// The server's address, unless it is the provider's own or may hold a secret.
    pub base_url: Option<String>,
    /// The protocol, if the user chose one.
    pub protocol: Option<Protocol>,
    /// The name of the schema's dialect, if the user chose one.
    pub dialect: Option<String>,
    /// What a probe observed of the server.
    pub observed: Observed,
    /// How the schema is sent, if the user chose a mode.
    pub mode: Option<Mode>,
    /// Whether each of several equal rows is asked about.
    pub no_dedup: bool,
    /// The limits and retries of the latest run, by the names of their options.
    pub options: BTreeMap<String, String>,
    /// The journal's own absolute path: a journal found elsewhere was moved or copied.
    pub journal: Option<PathBuf>,
    /// The input's absolute path, unless it is a stream.
    pub input: Option<PathBuf>,
    /// The output's absolute path.
    pub output: Option<PathBuf>,
    /// The name of the output's format, if the path does not imply it.
    pub output_format: Option<String>,
    /// The absolute path of the file for failed rows.
    pub failed: Option<PathBuf>,
    /// The field that holds the whole value.
    pub into: Option<String>,
    /// Whether the output says what each row took.
    pub meta: bool,
    /// The columns that a CSV starts with.
    pub columns: Vec<String>,
    /// The types of these columns, if they have any.
    pub record_schema: Option<String>,
    /// The field of which each element has a row of the output.
    pub explode: Option<String>,
    /// How many rows of the input each part of the output has, if the user said so.
    pub part_rows: Option<NonZeroU64>,
    /// The folder that relative image paths start from, if there are images.
    pub folder: Option<PathBuf>,
    /// The Python model that validated values beside the schema, which the command line does not have.
    pub validated_by: Option<String>,
    /// A hash of that model's schema and source, to distinguish it from others of the same name.
    pub validated_by_hash: Option<String>,
    /// Whether the journal was moved or copied, so that its output is only assumed to be beside it.
    #[serde(skip)]
    pub was_moved: bool,
}

impl Memo {
    /// The memo of a run over `input`.
    pub(crate) fn of(
        arguments: &RunArguments,
        assumed: &Assumed,
        input: &Input,
        journal: Option<&Path>,
    ) -> Self {
        let RunArguments { account, task, view, .. } = arguments;
        Self {
            model: account.model.clone(),
            base_url: account.server.base_url.as_deref().and_then(Self::recordable_address),
            protocol: account.server.protocol.map(Protocol::from),
            dialect: assumed.name(),
            observed: assumed.observed.clone(),
            mode: task.mode.map(Mode::from),
            no_dedup: arguments.journal.no_dedup,
            options: options(arguments),
            journal: journal.map(Self::whole_path),
            input: Some(&*arguments.input.path).filter(|path| !is_stream(path)).map(Self::whole_path),
            output: view.output.as_deref().filter(|path| !is_stream(path)).map(Self::whole_path),
            output_format: view.output_format.map(|format| format.to_string()),
            failed: view.failed.as_deref().map(Self::whole_path),
            into: view.into.clone(),
            meta: view.meta,
            columns: input.first_record_fields().unwrap_or_default().to_vec(),
            record_schema: input.record_schema().map(str::to_owned),
            explode: view.explode.clone(),
            part_rows: view.part_rows,
            folder: if task.images.is_empty() { None } else { std::path::absolute(".").ok() },
            validated_by: None,
            validated_by_hash: None,
            was_moved: false,
        }
    }

    /// What the journal at `path` knows of the server, if model, address, protocol and mode are still the same.
    ///
    /// # Errors
    /// A file that is not a journal.
    pub fn observed_at(&self, path: &Path) -> Result<Observed> {
        if !has_content(path) {
            return Ok(Observed::default());
        }
        let known = Self::in_journal(&Contents::open(path)?, path);
        let is_same = known.model == self.model
            && known.base_url == self.base_url
            && known.protocol == self.protocol
            && known.mode == self.mode;
        Ok(if is_same { known.observed } else { Observed::default() })
    }

    /// An address if it may be recorded: there may be a password before an `@`, or a key after a `?`.
    pub fn recordable_address(address: &str) -> Option<String> {
        (!address.contains(['@', '?'])).then(|| address.to_owned())
    }

    /// The absolute path, which means the same from every folder.
    pub fn whole_path(path: &Path) -> PathBuf {
        std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
    }

    /// The memo as a journal keeps it.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What the journal at `path` remembers; nothing, if the library made it. If it was moved, copied or renamed, its files are assumed
    /// to be beside it, and to be named after it if it has another name, so that the original's files are left alone.
    pub fn in_journal(contents: &Contents, path: &Path) -> Self {
        let memo: Self = serde_json::from_str(contents.memo()).unwrap_or_default();
        memo.found_at(path)
    }

    fn found_at(mut self, path: &Path) -> Self {
        // Journals of earlier versions only know their output, which is beside them by default.
        let of_output = || self.output.as_ref().map(|output| output.with_added_extension(EXTENSION));
        let Some(own) = self.journal.clone().or_else(of_output) else { return self };
        if location(&own) == location(path) {
            return self;
        }
        let is_renamed = path.file_name() != own.file_name();
        if is_renamed && self.journal.is_none() {
            return self;
        }
        let folder = Self::whole_path(path).parent().map(Path::to_owned).unwrap_or_default();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = name.strip_suffix(&format!(".{EXTENSION}")).unwrap_or(&name).to_owned();
        let beside = |file: PathBuf, mark: &str| {
            let original = file.file_name()?.to_string_lossy().into_owned();
            let ending = file.extension().map(|ending| format!(".{}", ending.to_string_lossy()));
            let ending = ending.unwrap_or_default();
            Some(folder.join(match name.strip_suffix(&ending) {
                _ if !is_renamed => original,
                Some(stem) => format!("{stem}{mark}{ending}"),
                None => format!("{name}{mark}{ending}"),
            }))
        };
        self.output = self.output.and_then(|file| beside(file, ""));
        self.failed = self.failed.and_then(|file| beside(file, ".failed"));
        self.was_moved = true;
        self
    }

    /// Checks that the files named by the journal at `path` are its own, if it was moved or copied.
    ///
    /// # Errors
    /// If one of them is not, with this hint.
    pub fn check_files(&self, path: &Path, hint: impl Into<Hint>) -> Result<()> {
        check_own(self.output.as_deref(), self, path, hint)?;
        check_failed(self, path)
    }

    /// Checks that values do not need a Python model, unless the user accepts to continue without it.
    ///
    /// # Errors
    /// If they were validated in Python.
    pub(crate) fn check_validators(&self, without_validators: bool) -> Result<()> {
        let Some(by) = self.validator() else { return Ok(()) };
        if without_validators {
            printing::note(&format!(
                "warning: {by}, a Python model, does not validate the values asked for here; they are marked `_unvalidated`"
            ));
            return Ok(());
        }
        let message = format!(
            "the journal's values were validated by {by}, a Python model that the command line does not have"
        );
        Err(Error::Config(Problem::new(message).hint(
            "use `retry_failed=True` in Python, or add `--without-validators` to continue without the model",
        )))
    }

    /// Whether the command line can vouch for the journal's values.
    pub(crate) fn values(&self) -> Values {
        if self.validated_by.is_some() { Values::Unvalidated } else { Values::Validated }
    }

    /// The Python model that validated values, with the start of its hash.
    pub(crate) fn validator(&self) -> Option<String> {
        let name = self.validated_by.as_ref()?;
        let hash = self.validated_by_hash.as_ref().and_then(|hash| hash.get(..8));
        Some(hash.map_or_else(|| format!("`{name}`"), |hash| format!("`{name}` ({hash})")))
    }

    /// The format of the output, if the user named it.
    pub(crate) fn output_format(&self) -> Option<OutputFormat> {
        self.output_format.as_ref()?.parse().ok()
    }
}

/// The run's limits and retries as given, for a report.
fn options(arguments: &RunArguments) -> BTreeMap<String, String> {
    let (server, retrying) = (&arguments.account.server, &arguments.task.retrying);
    let concurrency = match server.concurrency {
        Concurrency::AtMost(slots) => slots.to_string(),
        Concurrency::Auto => "auto".to_owned(),
    };
    let given = [
        ("concurrency", Some(concurrency)),
        ("requests per minute", server.rpm.map(|rpm| rpm.to_string())),
        ("tokens per minute", server.tpm.map(|tpm| tpm.to_string())),
        ("budget", server.budget.map(|budget| budget.to_string())),
        ("deadline", retrying.deadline.map(|deadline| format!("{deadline:?}"))),
        ("timeout", Some(format!("{:?}", server.timeout))),
        ("retries", Some(retrying.retries.to_string())),
        ("re-asks", Some(retrying.max_reasks.to_string())),
    ];
    given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Opens the journal that a command is given as its argument.
///
/// # Errors
/// If it cannot be read. The hint names no option of `rowcall run`, which such a command does not have.
pub(crate) fn open(path: &Path) -> Result<Contents> {
    Contents::open(path).map_err(|error| match error {
        Error::Config(problem)
            if problem.hint.as_ref().is_some_and(|hint| hint.settings().any(|of| of == Setting::Journal)) =>
        {
            let hint = "expected the journal that `rowcall run` keeps beside its output, named like it with `.journal` after it";
            Error::Config(problem.hint(hint))
        }
        other => other,
    })
}

/// Counts what earlier runs of the journal at `path` spent against the budget. A missing journal counts as nothing spent.
///
/// # Errors
/// A file that is not a journal and, with a budget, a journal whose runs have spent an unknown amount.
pub fn count_spent(client: &Client, path: &Path) -> Result<()> {
    if has_content(path) { client.spent_before(&Contents::open(path)?, path) } else { Ok(()) }
}

/// The path of the run's journal, if it keeps one.
///
/// # Errors
/// A journal that is also another file of the run, and an existing output without a journal to rebuild it from.
pub(crate) fn path(arguments: &RunArguments) -> Result<Option<PathBuf>> {
    let JournalArguments { journal, no_journal, fresh, force, .. } = &arguments.journal;
    let output = arguments.view.output.as_deref().filter(|output| !is_stream(output));
    let path = match (journal, output) {
        _ if *no_journal => None,
        (Some(path), _) => Some(path.clone()),
        (None, Some(output)) => Some(output.with_added_extension(EXTENSION)),
        (None, None) => None,
    };
    let failed = arguments.view.failed.as_deref();
    let (input, cache) = (Some(&*arguments.input.path), arguments.cache.path.as_deref());
    let files = Files { input, output, failed, journal: path.as_deref(), cache };
    files.check_apart()?;
    if !(*force || *fresh) {
        files.check_output()?;
    }
    Ok(path)
}

/// The extractor with its journal at `path`, resumed if it exists.
///
/// # Errors
/// If the journal cannot be used, or was made by another plan: the error says what changed and how many rows would be asked.
pub(crate) async fn keep(
    extractor: &Extractor<Value>,
    arguments: &RunArguments,
    path: PathBuf,
    memo: &Memo,
    layout: &Layout,
    progress: &Progress,
) -> Result<Extractor<Value>> {
    let options = &arguments.journal;
    let mut accepted = options.accept_changes;
    if has_content(&path) && !options.fresh {
        let contents = Contents::open(&path)?;
        if let Some(output) = arguments.view.output.as_deref().filter(|_| !options.force) {
            check_copied(output, &Memo::in_journal(&contents, &path), &path)?;
        }
        if let Some(problem) = contents.change(extractor.identity())
            && !options.accept_changes
        {
            match count_unknown(extractor, arguments, &path, layout, problem).await {
                Some(problem) => return Err(Error::Config(problem)),
                None => accepted = true,
            }
        }
        if !contents.is_being_written() && contents.totals().outcomes > 0 {
            progress.note(&resumption(&contents, &path)?);
        }
    }
    extractor.journal_with(&JournalOptions {
        path,
        existing: match (options.fresh, accepted) {
            (true, _) => Existing::StartOver,
            (false, true) => Existing::AcceptChanges,
            (false, false) => Existing::Resume,
        },
        records: match options.journal_records {
            Switch::On => Records::Kept,
            Switch::Off => Records::LeftOut,
        },
        memo: memo.to_json(),
    })
}

/// The line that announces a resumed run.
fn resumption(contents: &Contents, path: &Path) -> Result<String> {
    let were = |rows: u64, one: &'static str, many: &'static str| if rows == 1 { one } else { many };
    let rows = contents.totals().rows;
    let cut_off = contents.intents()?;
    let billed = match cut_off {
        0 => String::new(),
        rows => format!(
            "; {} {} in flight when the last run was killed and may be billed twice",
            counted(rows, "row"),
            were(rows, "was", "were")
        ),
    };
    let known = counted(rows, "row");
    Ok(format!("resuming `{}`: {known} {} known{billed}", path.display(), were(rows, "is", "are")))
}

/// The problem of a changed plan, with the number of rows that would be asked if the input can be read twice. `None` if no row would
/// be, since every prompt is still the same.
async fn count_unknown(
    extractor: &Extractor<Value>,
    arguments: &RunArguments,
    path: &Path,
    layout: &Layout,
    problem: Problem,
) -> Option<Problem> {
    if arguments.input.path.as_os_str() == "-" {
        return Some(problem);
    }
    let Ok(input) = arguments.input.open(layout) else { return Some(problem) };
    let source = FirstRows::new(input, arguments.limit_rows);
    match extractor.count_unknown(source, path).await {
        Ok((0, all)) if all > 0 => None,
        Ok((unknown, all)) => Some(Problem {
            message: format!(
                "{}: {} of {} would be asked",
                problem.message,
                HumanCount(unknown),
                counted(all, "row")
            ),
            ..problem
        }),
        Err(_) => Some(problem),
    }
}

/// Whether a path cannot be read back: standard output, a pipe, a device.
fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-" || std::fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// Removes an unused journal, with the files of SQLite and of the lock beside it.
pub(crate) fn remove(path: &Path) {
    for ending in ["", "-wal", "-shm", "-lock"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        // If removal fails, the next run finds an empty journal and uses it.
        drop(std::fs::remove_file(name));
    }
}
