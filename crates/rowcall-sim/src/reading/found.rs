//! Things recognised by their form: addresses, dates, numbers and sums of money.

use super::words::{Kind, Token};

/// A number in the text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Figure {
    pub(super) value: f64,
    /// Its byte offset in the text.
    pub(super) start: usize,
    /// The ISO code of the currency next to it.
    pub(super) currency: Option<&'static str>,
    /// Whether it counts something: a lower-case word follows.
    pub(super) counts: bool,
}

/// Signs, codes and words for currencies.
const CURRENCIES: &[(&str, &[&str])] = &[
    ("USD", &["$", "usd", "dollar", "dollars", "us$", "bucks"]),
    ("EUR", &["€", "eur", "euro", "euros"]),
    ("GBP", &["£", "gbp", "pound", "pounds", "sterling"]),
    ("JPY", &["¥", "jpy", "yen"]),
    ("CHF", &["chf", "francs"]),
    ("PLN", &["pln", "zł", "zloty", "złoty"]),
    ("INR", &["₹", "inr", "rupees"]),
    ("CNY", &["cny", "rmb", "yuan"]),
    ("SEK", &["sek", "kronor"]),
    ("CAD", &["cad", "c$"]),
    ("AUD", &["aud", "a$"]),
    ("BRL", &["brl", "r$", "reais"]),
];

/// The ISO code of the currency called `word`.
pub(super) fn currency(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    CURRENCIES.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(code, _)| *code)
}

/// The words of `text` between spaces, without the punctuation around them.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let around = |c: char| {
        matches!(
            c,
            ',' | ';'
                | ':'
                | '('
                | ')'
                | '<'
                | '>'
                | '"'
                | '\''
                | '['
                | ']'
                | '!'
                | '?'
                | '“'
                | '”'
                | '{'
                | '}'
        )
    };
    text.split_whitespace().map(move |piece| piece.trim_matches(around).trim_end_matches(['.', ',']))
}

/// The first address of the form `a@b.c`.
pub(super) fn email(text: &str) -> Option<&str> {
    pieces(text).map(|piece| piece.strip_prefix("mailto:").unwrap_or(piece)).find(|piece| {
        let Some((local, domain)) = piece.split_once('@') else { return false };
        let labels = || domain.split('.');
        let label = |label: &str| {
            !label.is_empty()
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let atom = |atom: &str| {
            !atom.is_empty() && atom.chars().all(|c| c.is_ascii_alphanumeric() || "_%+-".contains(c))
        };
        local.split('.').all(atom) && labels().count() > 1 && labels().all(label) && piece.len() < 100
    })
}

/// The first URL: with a scheme, or beginning with `www.`.
pub(super) fn url(text: &str) -> Option<&str> {
    pieces(text).find(|piece| {
        let rest = ["https://", "http://", "www."].iter().find_map(|start| piece.strip_prefix(start));
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/?#&=+@:,;!$'()*".contains(c);
        rest.is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_ascii_alphanumeric()) && rest.chars().all(plain)
        }) && piece.matches('#').count() < 2
    })
}

/// The first run of seven to fifteen digits written like a telephone number.
pub(super) fn phone(text: &str) -> Option<&str> {
    let inside = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '(' | ')' | ' ' | '.' | '/');
    let edges = |c: char| !(c.is_ascii_digit() || matches!(c, '+' | '('));
    text.split(|c| !inside(c))
        .map(|run| run.trim_start_matches(edges).trim_end_matches(|c: char| !c.is_ascii_digit()))
        .find(|run| {
            let digits = run.bytes().filter(u8::is_ascii_digit).count();
            let dated = date(run).is_some();
            (7..=15).contains(&digits)
                && !dated
                && (run.starts_with('+') || run.contains(['-', ' ', '(', '/', '.']))
        })
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The first date, as written in the text and as year, month and day.
pub(super) fn date(text: &str) -> Option<(&str, (u32, u32, u32))> {
    let numeric = pieces(text).find_map(|piece| {
        let day = piece.split('T').next()?;
        iso(day).or_else(|| dotted(day)).map(|date| (day, date))
    });
    numeric.or_else(|| spelled(text))
}

/// The first moment written with date, time and zone.
pub(super) fn date_time(text: &str) -> Option<&str> {
    pieces(text).find(|piece| {
        let Some((day, time)) = piece.split_once('T') else { return false };
        let clock = time.strip_suffix('Z').unwrap_or("");
        let parts: Vec<_> = clock.split(':').collect();
        let below = |part: &str, end: u32| part.len() == 2 && part.parse::<u32>().is_ok_and(|n| n < end);
        iso(day).is_some()
            && matches!(parts.as_slice(), [hour, minute, second] if below(hour, 24) && below(minute, 60) && below(second, 60))
    })
}

fn iso(piece: &str) -> Option<(u32, u32, u32)> {
    let parts: Vec<_> = piece.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return None };
    let widths = year.len() == 4 && month.len() == 2 && day.len() == 2;
    widths.then(|| valid(digits(year)?, digits(month)?, digits(day)?))?
}

/// `24.12.2026`, as written in much of Europe.
fn dotted(piece: &str) -> Option<(u32, u32, u32)> {
    let parts: Vec<_> = piece.split('.').collect();
    let [day, month, year] = parts.as_slice() else { return None };
    (year.len() == 4).then(|| valid(digits(year)?, digits(month)?, digits(day)?))?
}

/// `12 March 2024`, `March 12, 2024`.
fn spelled(text: &str) -> Option<(&str, (u32, u32, u32))> {
    let words: Vec<_> = pieces(text).collect();
    words.windows(3).find_map(|three| {
        let [first, second, third] = three else { return None };
        let year = digits(third).filter(|year| *year > 999)?;
        let ordinal = |word: &str| digits(word.trim_end_matches(|c: char| c.is_ascii_lowercase()));
        let (day, month) = match (month(first), month(second)) {
            (Some(month), None) => (ordinal(second)?, month),
            (None, Some(month)) => (ordinal(first)?, month),
            (Some(_), Some(_)) | (None, None) => return None,
        };
        let date = valid(year, month, day)?;
        let start = first.as_ptr() as usize - text.as_ptr() as usize;
        let end = third.as_ptr() as usize - text.as_ptr() as usize + third.len();
        Some((text.get(start..end)?, date))
    })
}

fn month(word: &str) -> Option<u32> {
    let word = word.to_lowercase();
    let index = MONTHS.iter().position(|month| word.starts_with(month))?;
    (word.chars().all(char::is_alphabetic) && word.len() <= 9).then_some(index as u32 + 1)
}

fn digits(word: &str) -> Option<u32> {
    word.bytes().all(|b| b.is_ascii_digit()).then(|| word.parse().ok())?
}

fn valid(year: u32, month: u32, day: u32) -> Option<(u32, u32, u32)> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days).contains(&day).then_some((year, month, day))
}

/// The standalone numbers among `tokens`, in order.
pub(super) fn figures(text: &str, tokens: &[Token<'_>]) -> Vec<Figure> {
    let mut found: Vec<Figure> = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let glued = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '/' | '@' | '_'));
        let before = text.get(..token.start).and_then(|text| text.chars().next_back());
        let starts = token.kind == Kind::Number && !glued(before) && !in_date(text, token);
        if !starts {
            at += 1;
            continue;
        }
        let (written, end) = grouped(text, tokens, at);
        let negative = before == Some('-')
            && text.get(..token.start - 1).is_none_or(|t| t.is_empty() || t.ends_with([' ', '(', '=']));
        if let Some(value) = parse(&written) {
            let value = if negative { -value } else { value };
            let beside =
                |at: Option<usize>| at.and_then(|at| tokens.get(at)).and_then(|token| currency(&token.lower));
            let currency = beside(at.checked_sub(1)).or_else(|| beside(Some(end)));
            let counted = |token: &Token<'_>| token.kind == Kind::Word && !token.is_capitalised();
            let counts = currency.is_none() && tokens.get(end).is_some_and(counted);
            found.push(Figure { value, start: token.start, currency, counts });
        }
        at = end;
    }
    found
}

/// Whether the number is part of a date such as `2024-01-31`.
fn in_date(text: &str, token: &Token<'_>) -> bool {
    let word = |c: char| !c.is_whitespace();
    let before = text.get(..token.start).unwrap_or("");
    let from = before.len()
        - before.chars().rev().take(8).take_while(|c| word(*c)).map(char::len_utf8).sum::<usize>();
    let after = text.get(token.start..).unwrap_or("");
    let to = token.start + after.chars().take(16).take_while(|c| word(*c)).map(char::len_utf8).sum::<usize>();
    text.get(from..to).is_some_and(|piece| date(piece).is_some())
}

/// A number with its groups: `1 249,50` is three tokens and more.
fn grouped(text: &str, tokens: &[Token<'_>], at: usize) -> (String, usize) {
    let mut written = tokens.get(at).map_or(String::new(), |token| token.text.to_owned());
    let mut end = at + 1;
    let short = written.len() <= 3 && !written.contains(['.', ',']);
    while let (Some(before), Some(next)) = (tokens.get(end - 1), tokens.get(end)) {
        let gap = text.get(before.end()..next.start).unwrap_or("");
        let head: String = next.text.chars().take_while(char::is_ascii_digit).collect();
        let group =
            next.kind == Kind::Number && head.len() == 3 && matches!(gap, " " | "\u{a0}" | "\u{202f}");
        let cents = next.is(",")
            && gap.is_empty()
            && tokens.get(end + 1).is_some_and(|cents| {
                cents.kind == Kind::Number && cents.start == next.end() && cents.text.len() <= 2
            });
        if group && short {
            written = format!("{written}{}", next.text);
            end += 1;
        } else if cents {
            let cents = tokens.get(end + 1).map_or("", |token| token.text);
            return (format!("{}.{cents}", written.replace(['.', ' '], "")), end + 2);
        } else {
            break;
        }
    }
    (written, end)
}

/// `1,249.50` and `1'249.50` as a number.
fn parse(written: &str) -> Option<f64> {
    let plain: String = written.chars().filter(|c| !matches!(c, ',' | '\'')).collect();
    let value: f64 = plain.parse().ok()?;
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::super::words::tokens;
    use super::*;

    #[test]
    fn addresses_and_numbers_are_found_by_their_form() {
        let text =
            "Write to <ann.lee@mail.example.org>, call +49 (30) 123-4567 or see https://example.org/a?b=1.";
        assert_eq!(email(text), Some("ann.lee@mail.example.org"));
        assert_eq!(phone(text), Some("+49 (30) 123-4567"));
        assert_eq!(url(text), Some("https://example.org/a?b=1"));
        assert_eq!((email("a@b @ x@.y"), url("http:// x"), phone("2024-01-31 12")), (None, None, None));
    }

    #[test]
    fn dates_are_found_in_four_forms_and_must_exist() {
        for text in
            ["on 2024-03-12.", "am 12.03.2024", "on March 12, 2024", "12 March 2024!", "the 12th Mar 2024"]
        {
            assert_eq!(date(text).map(|(_, date)| date), Some((2024, 3, 12)), "{text}");
        }
        assert_eq!(date("2023-02-29 and 32 May 2024, 1.2.3"), None);
        assert_eq!(date("x March 12, 2024 y").map(|(said, _)| said), Some("March 12, 2024"));
        assert_eq!(date_time("at 2024-03-12T10:20:30Z."), Some("2024-03-12T10:20:30Z"));
    }

    #[test]
    fn numbers_are_read_with_their_groups_and_currency() {
        let cases = [
            ("total 1,249.50 EUR", vec![(1249.5, Some("EUR"))]),
            ("razem 1 249,50 EUR.", vec![(1249.5, Some("EUR"))]),
            ("$5 for 3 boxes", vec![(5.0, Some("USD")), (3.0, None)]),
            ("on 2024-01-31 at -4.5 C", vec![(-4.5, None)]),
            ("a 30-year-old", vec![(30.0, None)]),
            ("1 000 000 and 12 34", vec![(1_000_000.0, None), (12.0, None), (34.0, None)]),
        ];
        for (text, expected) in cases {
            let found: Vec<_> = figures(text, &tokens(text)).iter().map(|f| (f.value, f.currency)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
