//! The progress of a run: a bar on a terminal, plain lines when piped, nothing with `--quiet`. Every number comes from the engine's
//! statistics.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use rowcall::{Bound, Stats};
use rowcall_data::RowsInAll;
use tokio::time::Instant;

use crate::printing;
use crate::summary::counted;

/// How often a bar is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(100);

/// How often a line is printed without a terminal.
const PRINTED_EVERY: Duration = Duration::from_secs(10);

/// Shows the progress of a run.
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

/// How much a run prints about its progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// Nothing.
    Quiet,
    /// A bar or lines.
    Normal,
    /// Also a line for each attempt.
    Verbose,
}

impl Verbosity {
    /// From the user's options; `verbose` wins over `quiet`.
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

    /// How much is printed.
    pub(crate) fn verbosity(&self) -> Verbosity {
        self.verbosity
    }

    /// Prints a line for the user, unless the run is quiet.
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

    /// Shows the statistics from `look` at regular intervals, and never returns. `total` gives the number of rows in all from the number
    /// of rows taken so far.
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
                    "{}: {}",
                    counted(stats.ended(), "row"),
                    self.line(&stats, total)
                )),
                Shown::Nothing => {}
            }
        }
    }

    /// Removes the bar.
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
        // Known rows take almost no time; counting them would make the others look faster.
        let rate = (stats.ended() - stats.known) as f64 / seconds;
        let tokens = HumanCount(stats.usage.input_tokens + stats.usage.output_tokens);
        let (failed, in_flight) = (stats.failures(), stats.in_flight);
        let mut line = format!("{failed} failed, {in_flight} in flight, {rate:.1} rows/s, {tokens} tokens");
        match stats.waits_now {
            _ if stats.is_paused => line.push_str(", paused"),
            Some(Bound::Server) => line.push_str(", waiting for the server"),
            Some(bound) => line.push_str(&format!(", bound by {bound}")),
            None => {}
        }
        if let Some(left) = total.and_then(|total| total.number().checked_sub(stats.ended()))
            && rate > 0.0
            && !stats.is_paused
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
