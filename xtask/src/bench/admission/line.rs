//! A line of the table: one client's results in one scenario, compared with the ideal and with the scenario's limits.

use serde_json::{Value, json};

use super::play::{Played, Player};
use super::story::Story;
use crate::bench::digits::{median, thousands};

/// One client's medians.
#[derive(Debug)]
pub(crate) struct Line<'s> {
    story: &'s Story,
    player: Player,
    ideal_seconds: f64,
    seconds: f64,
    wall_seconds: f64,
    refused: f64,
    refused_share: f64,
    overloaded: f64,
    /// Of all rounds together, since none may fail.
    failed: u64,
}

/// The names of the columns.
pub(crate) fn head() -> String {
    format!(
        "{:25}{:15}{:15}{:>6}{:>8}{:>8}{:>8}{:>7}{:>6}{:>7}{:>8}{:>6}{:>6}{:>7}",
        "scenario",
        "learns from",
        "client",
        "rows",
        "ideal s",
        "s",
        "wall s",
        "ratio",
        "most",
        "429s",
        "share",
        "most",
        "529s",
        "failed"
    )
}

impl<'s> Line<'s> {
    /// The medians of all rounds, each with its own ideal.
    pub(crate) fn of(story: &'s Story, player: Player, rounds: &[(f64, Played)]) -> Self {
        let middle =
            |figure: &dyn Fn(&Played) -> f64| median(rounds.iter().map(|(_, played)| figure(played)));
        Self {
            story,
            player,
            ideal_seconds: median(rounds.iter().map(|(ideal, _)| *ideal)),
            seconds: middle(&|played| played.seconds),
            wall_seconds: middle(&|played| played.wall_seconds),
            refused: middle(&|played| played.refused as f64),
            refused_share: middle(&Played::refused_share),
            overloaded: middle(&|played| played.overloaded as f64),
            failed: rounds.iter().map(|(_, played)| played.failed).sum(),
        }
    }

    fn ratio(&self) -> f64 {
        self.seconds / self.ideal_seconds
    }

    /// The limits that were missed; a semaphore has none to miss.
    pub(crate) fn missed(&self) -> Vec<&'static str> {
        let checks = [
            ("time", self.ratio() > self.story.most_ratio),
            ("429s", self.story.most_429.is_some_and(|most| self.refused_share > most)),
            ("rows", self.failed > 0),
        ];
        match self.player {
            Player::Rowcall => {
                checks.into_iter().filter(|(_, missed)| *missed).map(|(what, _)| what).collect()
            }
            Player::Semaphore(_) => Vec::new(),
        }
    }

    fn client(&self) -> String {
        match self.player {
            Player::Rowcall => "rowcall".to_owned(),
            Player::Semaphore(in_flight) => format!("semaphore {in_flight}"),
        }
    }

    /// As text.
    pub(crate) fn text(&self) -> String {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let missed = self.missed();
        let mark = if missed.is_empty() { String::new() } else { format!("  MISSED: {}", missed.join(", ")) };
        format!(
            "{:25}{:15}{:15}{:>6}{:>8.2}{:>8.2}{:>8.2}{:>7.3}{:>6.2}{:>7}{:>8}{:>6}{:>6}{:>7}{mark}",
            self.story.name,
            self.story.learns,
            self.client(),
            thousands(self.story.rows as f64),
            self.ideal_seconds,
            self.seconds,
            self.wall_seconds,
            self.ratio(),
            self.story.most_ratio,
            thousands(self.refused),
            percent(self.refused_share),
            self.story.most_429.map_or("–".to_owned(), |most| format!("{:.0} %", most * 100.0)),
            thousands(self.overloaded),
            self.failed,
        )
    }

    /// As JSON.
    pub(crate) fn json(&self) -> Value {
        json!({
            "scenario": self.story.name,
            "learns_from": self.story.learns,
            "client": self.client(),
            "rows": self.story.rows,
            "ideal_s": self.ideal_seconds,
            "s": self.seconds,
            "wall_s": self.wall_seconds,
            "ratio": self.ratio(),
            "most_ratio": self.story.most_ratio,
            "refused_429": self.refused,
            "share_429": self.refused_share,
            "most_share_429": self.story.most_429,
            "overloaded_529": self.overloaded,
            "failed_rows": self.failed,
            "missed": self.missed(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::STORIES;
    use super::{Line, Played, Player, head};

    fn played(seconds: f64, refused: u64, failed: u64) -> Played {
        Played { seconds, wall_seconds: seconds + 0.1, requests: 2_000, refused, overloaded: 0, failed }
    }

    #[test]
    fn a_line_has_medians_and_missed_limits() {
        // The limits are 1.03 times the ideal and 1 % of 429s.
        let story = STORIES.first().unwrap();
        for (rounds, expected) in [
            (vec![(10.0, played(10.2, 20, 0))], &[][..]),
            (vec![(10.0, played(10.4, 20, 0))], &["time"]),
            (vec![(10.0, played(10.2, 21, 0))], &["429s"]),
            (vec![(10.0, played(10.2, 20, 0)), (10.0, played(10.2, 90, 0)), (10.0, played(20.0, 0, 0))], &[]),
            (
                vec![(10.0, played(10.2, 0, 0)), (10.0, played(10.2, 0, 1)), (10.0, played(10.2, 0, 0))],
                &["rows"],
            ),
        ] {
            assert_eq!(Line::of(story, Player::Rowcall, &rounds).missed(), expected, "{rounds:?}");
        }
        let rounds = [(10.0, played(10.4, 21, 0))];
        assert_eq!(Line::of(story, Player::Semaphore(10), &rounds).missed(), [""; 0]);
        let expected = "\
scenario                 learns from    client           rows ideal s       s  wall s  ratio  most   429s   share  most  529s failed
requests-bound           headers        rowcall         2,242   10.00   10.40   10.50  1.040  1.03     21   1.1 %   1 %     0      0  MISSED: time, 429s";
        assert_eq!(format!("{}\n{}", head(), Line::of(story, Player::Rowcall, &rounds).text()), expected);
    }
}
