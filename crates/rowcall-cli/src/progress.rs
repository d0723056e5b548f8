//! How far a run has come: a bar on a terminal, plain lines when piped, nothing with `--quiet`. Every number is read from the
//! engine's statistics.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use rowcall::{Bound, Stats};
use rowcall_data::RowsInAll;
use tokio::time::Instant;

use crate::printing;

/// How often a bar is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(100);

/// How often a line is printed where there is no terminal.
const PRINTED_EVERY: Duration = Duration::from_secs(10);

/// Shows how far a run has come.
#[derive(Debug)]
pub(crate) struct Progress {
    verbosity: Verbosity,
    shown: Shown,
    started: Instant,
}

#[derive(Debug)]
enum Shown {
    Bar(ProgressBar),
    Lines,
    Nothing,
}

/// Whether a run shows how far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// It shows nothing.
    Quiet,
    /// It shows a bar or lines.
    Normal,
    /// It logs each attempt as well.
    Verbose,
}

impl Verbosity {
    /// As the user says; who wants to see each attempt wants to see all.
    pub(crate) fn of(quiet: bool, verbose: bool) -> Self {
        match (quiet, verbose) {
            (_, true) => Self::Verbose,
            (true, false) => Self::Quiet,
            (false, false) => Self::Normal,
        }
    }
}

impl Progress {
    /// Progress on stderr.
    pub(crate) fn new(verbosity: Verbosity) -> Self {
        let shown = match verbosity {
            Verbosity::Quiet => Shown::Nothing,
            Verbosity::Normal | Verbosity::Verbose if !std::io::stderr().is_terminal() => Shown::Lines,
            Verbosity::Normal | Verbosity::Verbose => Shown::Bar(bar()),
        };
        Self { verbosity, shown, started: Instant::now() }
    }

    /// How much is shown.
    pub(crate) fn verbosity(&self) -> Verbosity {
        self.verbosity
    }

    /// Prints a line for the person at the terminal, unless nothing is to be shown.
    pub(crate) fn note(&self, line: &str) {
        match self.verbosity {
            Verbosity::Quiet => {}
            Verbosity::Normal | Verbosity::Verbose => self.log()(line),
        }
    }

    /// How long the run has taken so far.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Shows the statistics that `look` gives, beside the rows in `total` once it is given how many are taken, again and again,
    /// for ever.
    pub(crate) async fn show(&self, look: impl Fn() -> Stats, total: impl Fn(u64) -> Option<RowsInAll>) {
        let every = match &self.shown {
            Shown::Bar(_) => DRAWN_EVERY,
            Shown::Lines => PRINTED_EVERY,
            Shown::Nothing => return std::future::pending().await,
        };
        let mut ticks = tokio::time::interval_at(Instant::now() + every, every);
        loop {
            ticks.tick().await;
            let stats = look();
            let total = total(stats.taken);
            match &self.shown {
                Shown::Bar(bar) => {
                    let (rows, exactness) = match total {
                        Some(RowsInAll::Counted(rows)) => (rows, ""),
                        Some(RowsInAll::Estimated(rows)) => (rows, "about "),
                        None => (stats.taken, "at least "),
                    };
                    bar.set_length(rows);
                    bar.set_prefix(exactness);
                    bar.set_position(stats.ended());
                    bar.set_message(self.line(&stats, total));
                }
                Shown::Lines => printing::note(&format!(
                    "{} rows: {}",
                    HumanCount(stats.ended()),
                    self.line(&stats, total)
                )),
                Shown::Nothing => {}
            }
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }

    /// Prints a line above the bar.
    pub(crate) fn log(&self) -> impl Fn(&str) + Send + Sync + 'static {
        let bar = match &self.shown {
            Shown::Bar(bar) => Some(bar.clone()),
            Shown::Lines | Shown::Nothing => None,
        };
        move |line| match &bar {
            Some(bar) => bar.suspend(|| printing::note(line)),
            None => printing::note(line),
        }
    }

    fn line(&self, stats: &Stats, total: Option<RowsInAll>) -> String {
        let seconds = self.elapsed().as_secs_f64().max(1e-9);
        // Rows that are known cost no time to speak of and would make the rest look as quick.
        let rate = (stats.ended() - stats.known) as f64 / seconds;
        let tokens = HumanCount(stats.usage.input_tokens + stats.usage.output_tokens);
        let (failed, in_flight) = (stats.failures(), stats.in_flight);
        let mut line = format!("{failed} failed, {in_flight} in flight, {rate:.1} rows/s, {tokens} tokens");
        match stats.waits_now {
            Some(Bound::Server) => line.push_str(", waiting for the server"),
            Some(bound) => line.push_str(&format!(", bound by {bound}")),
            None => {}
        }
        if let Some(left) = total.and_then(|total| total.number().checked_sub(stats.ended()))
            && rate > 0.0
            && let Ok(left) = Duration::try_from_secs_f64(left as f64 / rate)
        {
            line.push_str(&format!(", {} left", HumanDuration(left)));
        }
        line
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {human_pos} of {prefix}{human_len} {msg}");
    let bar = ProgressBar::new(0);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
