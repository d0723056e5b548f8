//! Phrases that follow a value: remarks that something was omitted, and ordinary closing words.

use super::*;

#[test]
fn remarks_about_omissions_are_recognised() {
    for remark in [
        "(and 5 more)",
        "[Output truncated]",
        "(Part 1 of 3)",
        "Page 1/4",
        "I will send the remaining items in the next message.",
        "Note: list truncated for brevity.",
        "Remaining items omitted.",
        "Shall I continue with the rest?",
        "Would you like me to continue with the remaining 12 entries?",
        "Due to length limits, only the first entries are listed.",
        "the first batch of 1; the rest follows",
        "and similarly for the 4 others",
        "The other 7 rows follow the same pattern.",
        "I've only included the first 10 results.",
        "This is a partial list.",
        "(list abbreviated)",
        "Showing 3 of 12 results.",
        "The list continues in the same way.",
        "To be continued.",
        "Let me know if you want me to continue.",
        "I stopped here because of the token limit.",
        "12 more items not shown.",
        "There are two more entries.",
        "Additional entries are available on request.",
        "The remaining cities are left out.",
        "and 7 others",
        "The rest of the list is similar.",
        "Here is what I found.\n\nThe remaining 3 are in the next part.",
    ] {
        assert!(is_remarked(remark), "{remark}");
    }
    for comment in ["add more here", "and so on", "3 more", "more items", "the other 4 objects", "etc."] {
        assert!(replaces_items(comment), "{comment}");
    }
}

#[test]
fn ordinary_words_are_not_remarks_about_omissions() {
    for words in [
        "Let me know if you need anything else.",
        "I hope this helps!",
        "Let me know if you'd like more details.",
        "Note: the age is an estimate.",
        "Is there anything else I can help you with?",
        "Feel free to ask for more information.",
        "These are all the items in the text.",
        "No other items were mentioned.",
        "There are no more entries.",
        "There aren't any more entries.",
        "The list is complete.",
        "Nothing was omitted.",
        "The output was not truncated.",
        "Duplicates were omitted.",
        "I left out duplicate entries.",
        "I left out the phone number, since the text does not contain it.",
        "She continues to work there.",
        "More details are in the report.",
        "I can provide more information if needed.",
        "The rest of the text is about something else.",
        "The remaining fields are null because the text does not mention them.",
        "I only used the first name.",
        "I included only items mentioned in the text.",
        "Ann scored 3 of 5 points.",
        "He needs 5 more days.",
        "Part 2 of the text mentions Ann.",
        "Please let me know if other fields should be added.",
        "The item was cut from wood.",
        "Rest assured that all values are exact.",
        "The first item is an estimate.",
    ] {
        assert!(!is_remarked(words), "{words}");
    }
    for comment in ["first", "no more than two", "an estimate", "in EUR"] {
        assert!(!replaces_items(comment), "{comment}");
    }
}
