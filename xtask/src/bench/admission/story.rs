//! The scenarios as data: what the account allows, the rows, and the limits for the run. `play.rs` plays them.

use rowcall_sim::Scenario;

use super::rows::Texts;
use crate::Result;

/// The latency in every scenario: half of the answers take less than 0.5 s, one in a hundred more than 0.8 s.
const LATENCY: &str = "[latency.log_normal]\nmedian_seconds = 0.5\nsigma = 0.2\n";

/// A scenario.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) name: &'static str,
    /// How the client can learn the limits.
    pub(crate) learns: &'static str,
    /// Chosen so that the ideal is ten to twenty seconds, and the last row is the last to finish, even with the ideal
    /// client.
    pub(crate) rows: u64,
    pub(crate) texts: Texts,
    /// The part of the scenario's file that sets limits.
    limits: &'static str,
    /// The part that makes requests fail. If there is one, the ideal is the time that the client takes without it.
    faults: &'static str,
    /// The highest allowed ratio of time to ideal.
    pub(crate) most_ratio: f64,
    /// The highest allowed share of requests answered with 429; `None` for no limit.
    pub(crate) most_429: Option<f64>,
    pub(crate) beside: Beside,
}

/// Whether plain semaphores play the same scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    Nothing,
    Semaphores,
}

impl Story {
    /// The scenario's file, with or without its faults.
    pub(crate) fn file(&self, faults: Faults) -> String {
        let faults = match faults {
            Faults::Played => self.faults,
            Faults::LeftOut => "",
        };
        format!(
            "about = \"cargo xtask bench admission: {}\"\n\n{LATENCY}\n{}\n{faults}",
            self.name, self.limits
        )
    }

    /// The scenario without faults.
    pub(crate) fn scenario(&self) -> Result<Scenario> {
        Scenario::from_toml(&self.file(Faults::LeftOut))
            .map_err(|error| format!("scenario `{}`: {error}", self.name))
    }

    /// Whether the ideal is the client's own time without faults.
    pub(crate) fn is_its_own_baseline(&self) -> bool {
        !self.faults.is_empty()
    }
}

/// Whether the faults of a scenario are played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Faults {
    Played,
    LeftOut,
}

/// Defaults of scenarios whose limits are in the headers of each answer.
const ADVERTISED: Story = Story {
    name: "",
    learns: "headers",
    rows: 0,
    texts: Texts::Short,
    limits: "",
    faults: "",
    most_ratio: 1.03,
    most_429: Some(0.01),
    beside: Beside::Nothing,
};

/// Defaults of scenarios whose limits show only in rejections.
const HIDDEN: Story = Story { learns: "only 429s", most_ratio: 1.10, most_429: Some(0.05), ..ADVERTISED };

/// All of them, in the order of the table.
///
/// A bucket holds one second's worth, so that its initial content does not decide the result. The rates are high
/// enough for the 64 rows that may start at once: no client can know better before the first answer.
pub(crate) const STORIES: &[Story] = &[
    Story {
        name: "requests-bound",
        rows: 2_242,
        limits: "[quota]\nburst_seconds = 1\nrequests_per_minute = 9000\n",
        beside: Beside::Semaphores,
        ..ADVERTISED
    },
    Story {
        name: "tokens-bound",
        rows: 1_495,
        texts: Texts::Kilobyte,
        limits: "[quota]\nburst_seconds = 1\ntokens_per_minute = 1620000\n",
        beside: Beside::Semaphores,
        ..ADVERTISED
    },
    Story {
        name: "input-output-split",
        rows: 1_498,
        texts: Texts::LongPromptsOrLongAnswers,
        limits: "[quota]\nburst_seconds = 1\nrequests_per_minute = 12000\ninput_tokens_per_minute = 2310000\n\
                 output_tokens_per_minute = 738000\nheaders = \"anthropic\"\n",
        ..ADVERTISED
    },
    Story {
        name: "rows-1-to-100",
        rows: 1_489,
        texts: Texts::OneToHundred,
        limits: "[quota]\nburst_seconds = 1\ntokens_per_minute = 3340000\n",
        ..ADVERTISED
    },
    Story {
        name: "limit-halved",
        rows: 1_991,
        limits: "[quota]\nburst_seconds = 1\nrequests_per_minute = 12000\n\
                 [[quota.changes]]\nafter_seconds = 5\nrequests_per_minute = 6000\n",
        ..ADVERTISED
    },
    Story {
        name: "limit-doubled",
        rows: 2_298,
        limits: "[quota]\nburst_seconds = 1\nrequests_per_minute = 6000\n\
                 [[quota.changes]]\nafter_seconds = 6\nrequests_per_minute = 12000\n",
        ..ADVERTISED
    },
    Story {
        name: "requests-bound-429s",
        rows: 2_242,
        limits: "[quota]\nburst_seconds = 1\nrequests_per_minute = 9000\nheaders = \"none\"\n",
        ..HIDDEN
    },
    Story {
        name: "tokens-bound-429s",
        rows: 1_495,
        texts: Texts::Kilobyte,
        limits: "[quota]\nburst_seconds = 1\ntokens_per_minute = 1620000\nheaders = \"none\"\n",
        ..HIDDEN
    },
    Story {
        name: "headers-twice-the-truth",
        learns: "wrong headers",
        rows: 2_242,
        limits: "[quota]\nburst_seconds = 1\nrequests_per_minute = 9000\nheaders_factor = 2.0\n",
        ..HIDDEN
    },
    Story {
        name: "headers-half-the-truth",
        learns: "wrong headers",
        rows: 2_242,
        limits: "[quota]\nburst_seconds = 1\nrequests_per_minute = 9000\nheaders_factor = 0.5\n",
        ..HIDDEN
    },
    Story {
        name: "in-flight-40",
        rows: 1_200,
        limits: "[quota]\nin_flight = 40\nheaders = \"none\"\n",
        beside: Beside::Semaphores,
        ..HIDDEN
    },
    Story {
        name: "bursts-of-529",
        learns: "retry-after",
        rows: 1_991,
        limits: "[quota]\nburst_seconds = 1\nrequests_per_minute = 9000\nheaders = \"none\"\n\
                 [[quota.closed]]\nfrom_seconds = 3\nfor_seconds = 1.5\n\
                 [[quota.closed]]\nfrom_seconds = 8\nfor_seconds = 1.5\n",
        most_ratio: 1.15,
        most_429: None,
        ..HIDDEN
    },
    Story {
        name: "ramp-limit",
        learns: "retry-after",
        rows: 1_383,
        limits: "[quota]\nburst_seconds = 1\nrequests_per_minute = 9000\nheaders = \"none\"\n\
                 [quota.ramp]\nfrom_per_second = 20\ndoubling_seconds = 4\n",
        most_ratio: 1.15,
        most_429: None,
        ..HIDDEN
    },
    Story {
        name: "random-429s",
        learns: "nothing",
        rows: 12_000,
        faults: "[[faults]]\nrate = 0.05\nkind = { status = { code = 429 } }\n",
        most_ratio: 1.30,
        most_429: None,
        ..HIDDEN
    },
    Story {
        name: "local-4-slots",
        learns: "nothing",
        rows: 120,
        limits: "[slots]\nplaces = 4\n",
        most_ratio: 1.05,
        most_429: Some(0.0),
        ..HIDDEN
    },
];
