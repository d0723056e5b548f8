//! The turns of a conversation, and which part of it is the row, as opposed to instructions, examples and
//! corrections.

use serde_json::Value;

use super::row::Row;
use crate::chance::hash;
use crate::tokens::tokens;
use crate::value;

/// The tokens that an image or a document counts for, as in Gemini's documentation for a small image or a page.
const ATTACHMENT_TOKENS: u64 = 258;

/// How a correction begins that follows a valid answer: rowcall's, Instructor's. After an invalid one, any user
/// message is a correction.
const CORRECTIONS: [&str; 4] = [
    "The answer is not valid",
    "Correct your JSON ONLY RESPONSE",
    "Recall the function correctly",
    "Validation Error",
];

/// The turns of a conversation.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    turns: Vec<Turn>,
    attachments: u64,
}

/// The speaker of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    Instructions,
    User,
    Model,
    /// A tool's result.
    Tool,
}

#[derive(Debug)]
struct Turn {
    speaker: Speaker,
    /// The text of the turn; for a model that calls a tool, the first call's arguments.
    text: String,
    attached: u64,
}

impl Conversation {
    pub(crate) fn say(&mut self, speaker: Speaker, text: impl Into<String>) {
        self.turns.push(Turn { speaker, text: text.into(), attached: 0 });
    }

    /// Adds an image or a document to the last turn, represented by its content in the body.
    pub(crate) fn attach(&mut self, content: &str) {
        self.attachments += 1;
        if let Some(turn) = self.turns.last_mut() {
            turn.attached = hash(turn.attached, content.as_bytes()).max(1);
        }
    }

    pub(crate) fn tokens(&self) -> u64 {
        let bytes = self.turns.iter().map(|turn| turn.text.len()).sum();
        tokens(bytes) + ATTACHMENT_TOKENS * self.attachments
    }

    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.turns.iter().map(|turn| turn.text.as_str())
    }

    /// Whether any turn contains `json`, in any case.
    pub(crate) fn says_json(&self) -> bool {
        let says = |text: &str| text.as_bytes().windows(4).any(|word| word.eq_ignore_ascii_case(b"json"));
        self.texts().any(says)
    }

    /// What the conversation is about, and whether it continues after an answer to that. Answers that satisfy
    /// `schema` and are not corrected are examples; without a schema every answer counts as corrected.
    pub(crate) fn row(&self, schema: Option<&Value>) -> (Row, bool) {
        let users: Vec<_> = self.turns_of(Speaker::User).collect();
        let (mut re_ask, mut about) = (false, None);
        for (nth, at) in users.iter().enumerate().rev() {
            about = Some(*at);
            let before = nth.checked_sub(1).and_then(|nth| users.get(nth)).copied();
            let Some(before) = before else { break };
            if !self.is_corrected(before, *at, schema) {
                break;
            }
            re_ask = true;
        }
        let about = about.unwrap_or(self.turns.len().saturating_sub(1));
        let row = self.turns.get(about).map(|turn| Row { text: turn.text.clone(), attached: turn.attached });
        let answered = self.turns.iter().skip(about + 1).any(|turn| turn.speaker != Speaker::Instructions);
        (row.unwrap_or_default(), re_ask || answered)
    }

    /// Whether the user's turn `later` corrects an answer to the turn `earlier`.
    fn is_corrected(&self, earlier: usize, later: usize, schema: Option<&Value>) -> bool {
        let answer = self.turns_of(Speaker::Model).find(|at| (earlier..later).contains(at));
        let text = |at: usize| self.turns.get(at).map_or("", |turn| turn.text.as_str());
        let corrects = CORRECTIONS.iter().any(|words| text(later).starts_with(words));
        // In some protocols an empty answer leaves no turn.
        answer.map_or(corrects, |answer| {
            let valid = schema.is_some_and(|schema| {
                serde_json::from_str(text(answer)).is_ok_and(|value: Value| value::satisfies(schema, &value))
            });
            !valid || corrects
        })
    }

    fn turns_of(&self, speaker: Speaker) -> impl Iterator<Item = usize> {
        self.turns.iter().enumerate().filter(move |(_, turn)| turn.speaker == speaker).map(|(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Each turn is its speaker's initial and the text.
    fn conversation(turns: &[&str]) -> Conversation {
        let mut conversation = Conversation::default();
        for turn in turns {
            let (initial, text) = turn.split_once(' ').unwrap();
            let speaker = match initial {
                "i" => Speaker::Instructions,
                "u" => Speaker::User,
                "m" => Speaker::Model,
                _ => Speaker::Tool,
            };
            conversation.say(speaker, text);
        }
        conversation
    }

    #[test]
    fn the_row_is_the_last_user_text_that_is_not_a_correction() {
        let correction = "u The answer is not valid:\n- too old";
        let cases: [(&[&str], &str, bool); 14] = [
            (&["i Be brief.", "u x", "u y"], "y", false),
            (&["i s"], "s", false),
            (&[], "", false),
            (&["u x", "m {}", "u y"], "x", true),
            (&["u x", "m "], "x", true),
            (&["u x", "m {\"a\":1}", "u y"], "y", false), // an example
            (&["u x", "m {\"a\":1}", correction], "x", true),
            (&["u x", "m {\"a\":1}", "u y", "m {\"a\":2}", correction], "y", true),
            (&["u x", "m {\"a\":1}", "u y", "m nothing", "u again", "m {}", "u again"], "y", true),
            (&["u x", "m {\"a\":1}", "t wrong"], "x", true),
            (&["u x", "m {\"a\":1}", "t thanks", "u y"], "y", false),
            (&["u x", "m {}", "t a is missing", "u Go on."], "x", true),
            (&["u x", "u y", "m {}", "u z"], "y", true),
            (&["u x", correction], "x", true),
        ];
        let schema = json!({ "type": "object", "required": ["a"] });
        for (turns, text, re_ask) in cases {
            let (row, found) = conversation(turns).row(Some(&schema));
            assert_eq!((row.text.as_str(), found), (text, re_ask), "{turns:?}");
        }
        let (row, re_ask) = conversation(&["u x", "m {\"a\":1}", "u y"]).row(None);
        assert_eq!((row.text.as_str(), re_ask), ("x", true), "nothing shows whether the answer was good");
    }

    #[test]
    fn an_attachment_changes_the_row_and_costs_tokens() {
        let mut plain = conversation(&["u x"]);
        let (row, _) = plain.row(None);
        assert_eq!((row.attached, plain.tokens()), (0, 1));
        plain.attach("image one");
        let (one, _) = plain.row(None);
        plain.attach("image two");
        let (two, _) = plain.row(None);
        assert_eq!(plain.tokens(), 517);
        assert!(row.hash() != one.hash() && one.hash() != two.hash());
        assert_ne!(one.chance(0), two.chance(0));
    }
}
