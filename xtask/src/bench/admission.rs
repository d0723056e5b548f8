//! `cargo xtask bench admission`: how close rowcall gets to an ideal client without knowing the limits, for each
//! scenario, compared with plain semaphores.

mod ideal;
mod line;
mod play;
mod rows;
mod story;

use rowcall_sim::Forecast;
use serde_json::json;

use self::line::Line;
use self::play::{Played, Player, Stage};
use self::story::{Beside, Faults, STORIES, Story};
use crate::{Result, option};

/// Requests in flight of the semaphores that also play three of the scenarios.
const SEMAPHORES: [u64; 3] = [10, 100, 1_000];

/// The options of the command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// The names of the scenarios to play; empty for all.
    only: Vec<String>,
    rounds: u64,
    format: Format,
    beside: Beside,
    list: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Table,
    Json,
}

impl Options {
    /// Parses the options in `words`, or returns what is wrong with them.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let mut options =
            Self { only: vec![], rounds: 1, format: Format::Table, beside: Beside::Semaphores, list: false };
        let mut words = words.iter();
        while let Some(&option) = words.next() {
            match option {
                "--only" => {
                    let name = words.next().ok_or_else(|| format!("`{option}` needs a value"))?;
                    options.only.push(known(name)?);
                }
                "--rounds" => options.rounds = option::number(option, &mut words, 1)?,
                "--json" => options.format = Format::Json,
                "--no-semaphores" => options.beside = Beside::Nothing,
                "--list" => options.list = true,
                _ => return Err(option::unknown(option)),
            }
        }
        Ok(options)
    }

    fn wants(&self, story: &Story) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == story.name)
    }
}

fn known(name: &str) -> Result<String> {
    let names: Vec<_> = STORIES.iter().map(|story| story.name).collect();
    if names.contains(&name) {
        return Ok(name.to_owned());
    }
    Err(format!("unknown scenario `{name}` (known: {})", names.join(", ")))
}

/// Plays, prints and evaluates.
///
/// # Errors
/// A program that does not build or start, a client that gives up, and scenarios whose limits are missed.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.list {
        for story in STORIES {
            println!("{}", story.name);
        }
        return Ok(());
    }
    let stage = Stage::build()?;
    let mut lines = Vec::new();
    let mut problems = Vec::new();
    let mut show = |line: Result<Line<'static>>| {
        match (&line, options.format) {
            (Ok(line), Format::Table) => println!("{}", line.text()),
            (Err(problem), Format::Table) => println!("{problem}"),
            (Ok(_) | Err(_), Format::Json) => {}
        }
        match line {
            Ok(line) => lines.push(line),
            Err(problem) => problems.push(problem),
        }
    };
    if options.format == Format::Table {
        println!("{}", line::head());
    }
    let stories: Vec<_> = STORIES.iter().filter(|story| options.wants(story)).collect();
    for story in &stories {
        show(line(&stage, story, Player::Rowcall, options.rounds));
    }
    let beside = |story: &&&Story| options.beside == Beside::Semaphores && story.beside == Beside::Semaphores;
    for story in stories.iter().filter(beside) {
        for in_flight in SEMAPHORES {
            show(line(&stage, story, Player::Semaphore(in_flight), options.rounds));
        }
    }
    if options.format == Format::Json {
        let lines: Vec<_> = lines.iter().map(Line::json).collect();
        println!("{:#}", json!({ "rounds": options.rounds, "lines": lines, "problems": problems }));
    }
    let missed = lines.iter().filter(|line| !line.missed().is_empty()).count() + problems.len();
    if missed == 0 {
        Ok(())
    } else {
        Err(format!("{missed} of {} scenarios missed their limits", stories.len()))
    }
}

/// All rounds of one client in one scenario.
fn line(stage: &Stage, story: &'static Story, player: Player, rounds: u64) -> Result<Line<'static>> {
    let play = || {
        let rows = stage.prepare(story)?;
        let rounds = (0..rounds).map(|_| round(stage, story, &rows, player));
        Ok(Line::of(story, player, &rounds.collect::<Result<Vec<_>>>()?))
    };
    play().map_err(|problem: String| format!("{:25}{problem}", story.name))
}

/// The ideal in seconds, and the result.
fn round(stage: &Stage, story: &Story, rows: &[Forecast], player: Player) -> Result<(f64, Played)> {
    let ideal = if story.is_its_own_baseline() {
        stage.play(story, rows, Faults::LeftOut, player)?.seconds
    } else {
        ideal::ideal(&story.scenario()?, rows)?.as_secs_f64()
    };
    Ok((ideal, stage.play(story, rows, Faults::Played, player)?))
}

#[cfg(test)]
mod tests {
    use super::{Beside, Format, Options};

    #[test]
    fn options_are_checked() {
        let expected = Options {
            only: vec![],
            rounds: 1,
            format: Format::Table,
            beside: Beside::Semaphores,
            list: false,
        };
        assert_eq!(Options::parse(&[]), Ok(expected));
        let words =
            ["--only", "ramp-limit", "--json", "--only", "in-flight-40", "--rounds", "3", "--no-semaphores"];
        let only = vec!["ramp-limit".to_owned(), "in-flight-40".to_owned()];
        let expected =
            Options { only, rounds: 3, format: Format::Json, beside: Beside::Nothing, list: false };
        assert_eq!(Options::parse(&words), Ok(expected));
        for (words, expected) in [
            (&["--only"][..], "`--only` needs a value"),
            (&["--rounds", "0"], "`0` is not a valid value for `--rounds`, expected a number from 1"),
            (&["--fast"], "unknown option `--fast`"),
        ] {
            assert_eq!(Options::parse(words), Err(expected.to_owned()));
        }
        let unknown = Options::parse(&["--only", "ramp"]).unwrap_err();
        assert!(unknown.starts_with("unknown scenario `ramp` (known: requests-bound, "), "{unknown}");
    }
}
