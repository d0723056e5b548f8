//! What a property asks for, by the words of its name, its parent's name and its description.

/// A property of the schema, as far as its meaning is concerned.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Property<'a> {
    /// Its name; empty at the root.
    pub(crate) name: &'a str,
    /// The name of the enclosing property; empty at the top.
    pub(crate) parent: &'a str,
    /// Its description or title; empty if there is none.
    pub(crate) description: &'a str,
}

/// A meaning that the reader can look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Name,
    FirstName,
    LastName,
    Age,
    Occupation,
    Organisation,
    Thing,
    City,
    Country,
    Email,
    Phone,
    Url,
    Date,
    Amount,
    Currency,
    Quantity,
    Sentiment,
    Language,
    Title,
    Sentence,
}

/// The words that indicate each meaning, the most specific meanings first.
const ASKED_BY: &[(Want, &[&str])] = &[
    (Want::Email, &["email", "mail", "emails"]),
    (Want::Url, &["url", "uri", "link", "website", "homepage", "web", "href"]),
    (Want::Phone, &["phone", "telephone", "mobile", "fax", "tel", "cell"]),
    (Want::Currency, &["currency", "currencies"]),
    (Want::Sentiment, &["sentiment", "mood", "tone", "polarity", "emotion", "feeling", "attitude"]),
    (Want::Language, &["language", "lang", "locale"]),
    (
        Want::Occupation,
        &["occupation", "job", "profession", "role", "position", "vocation", "career", "jobtitle"],
    ),
    (Want::Age, &["age", "ages"]),
    (Want::Quantity, &["quantity", "qty", "count", "pieces", "units"]),
    (
        Want::Amount,
        &[
            "price", "amount", "total", "cost", "sum", "salary", "fee", "subtotal", "balance", "payment",
            "income",
        ],
    ),
    (
        Want::Date,
        &["date", "day", "when", "deadline", "due", "birthday", "dob", "birthdate", "published", "issued"],
    ),
    (Want::Country, &["country", "nation"]),
    (Want::City, &["city", "town", "location", "place", "residence", "hometown", "birthplace"]),
    (
        Want::Organisation,
        &[
            "company",
            "employer",
            "organisation",
            "organization",
            "firm",
            "vendor",
            "brand",
            "supplier",
            "merchant",
            "seller",
            "manufacturer",
            "workplace",
        ],
    ),
    (Want::Thing, &["product", "item", "article", "object", "service", "dish", "movie", "film", "book"]),
    (Want::FirstName, &["firstname", "forename", "given"]),
    (Want::LastName, &["lastname", "surname", "family"]),
    (
        Want::Sentence,
        &[
            "summary",
            "description",
            "text",
            "content",
            "sentence",
            "quote",
            "abstract",
            "evidence",
            "excerpt",
            "bio",
        ],
    ),
    (Want::Title, &["title", "headline", "subject", "topic"]),
    (
        Want::Name,
        &[
            "name",
            "person",
            "fullname",
            "author",
            "customer",
            "patient",
            "contact",
            "candidate",
            "applicant",
            "employee",
            "recipient",
            "sender",
            "who",
        ],
    ),
];

impl Property<'_> {
    /// What it asks for, by its name, else by its description.
    pub(crate) fn want(&self) -> Option<Want> {
        let words = words(self.name);
        let has = |word: &str| words.iter().any(|each| each == word);
        if has("name") && has("first") {
            return Some(Want::FirstName);
        }
        if has("name") && has("last") {
            return Some(Want::LastName);
        }
        let own = asked_by(&words);
        let bare_name = own == Some(Want::Name) && words.len() == 1;
        if bare_name
            && let Some(want @ (Want::Organisation | Want::Thing | Want::City | Want::Country)) =
                asked_by(&self::words(self.parent))
        {
            return Some(want);
        }
        own.or_else(|| asked_by(&self::words(self.description)))
    }

    /// The words of its name, in lower case.
    pub(crate) fn words(&self) -> Vec<String> {
        words(self.name)
    }
}

fn asked_by(words: &[String]) -> Option<Want> {
    let asks = |asked: &&[&str]| words.iter().any(|word| asked.contains(&word.as_str()));
    ASKED_BY.iter().find(|(_, asked)| asks(asked)).map(|(want, _)| *want)
}

/// `dueDate`, `due_date` and `Due date` all give `due` and `date`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for c in name.chars() {
        let breaks = !c.is_alphanumeric() || c.is_uppercase() && after_small;
        if breaks && words.last().is_some_and(|last| !last.is_empty()) {
            words.push(String::new());
        }
        if let Some(last) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            last.extend(c.to_lowercase());
        }
        after_small = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meaning_comes_from_the_name_then_the_parent_then_the_description() {
        let cases = [
            ("name", "", "", Some(Want::Name)),
            ("fullName", "", "", Some(Want::Name)),
            ("first_name", "", "", Some(Want::FirstName)),
            ("name", "company", "", Some(Want::Organisation)),
            ("name", "person", "", Some(Want::Name)),
            ("job_title", "", "", Some(Want::Occupation)),
            ("customerEmail", "", "", Some(Want::Email)),
            ("dueDate", "", "", Some(Want::Date)),
            ("x", "", "The person's age in years", Some(Want::Age)),
            ("x", "", "", None),
        ];
        for (name, parent, description, want) in cases {
            assert_eq!(Property { name, parent, description }.want(), want, "{name}");
        }
    }
}
