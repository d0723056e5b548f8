//! Sentences of many shapes and what must be read from them.

use super::{Mood, Property, Reading};

fn text(reading: &Reading<'_>, name: &str) -> Option<String> {
    reading.text(&Property { name, ..Property::default() })
}

fn number(text: &str, name: &str) -> Option<f64> {
    Reading::of(text).number(&Property { name, ..Property::default() })
}

/// Text, name, age, occupation.
const PEOPLE: &[(&str, &str, u32, &str)] = &[
    ("John Smith is a 30-year-old software engineer", "John Smith", 30, "software engineer"),
    ("Sarah Johnson is a 25-year-old data scientist", "Sarah Johnson", 25, "data scientist"),
    ("Maria-Luisa O'Neil, 41, works as a UX designer", "Maria-Luisa O'Neil", 41, "UX designer"),
    ("My name is Joe and I am 22 years old, and I work as a plumber", "Joe", 22, "plumber"),
    ("Ann is a 30-year-old nurse", "Ann", 30, "nurse"),
    ("At 57, Dr. Ahmed El-Sayed is an orthopedic surgeon", "Ahmed El-Sayed", 57, "orthopedic surgeon"),
    ("The 19-year-old barista Chloé Dubois", "Chloé Dubois", 19, "barista"),
    ("Kim Nguyen (age 33) is employed as a DevOps engineer.", "Kim Nguyen", 33, "DevOps engineer"),
    (
        "Extract person info: Priya Patel is a 28-year-old product manager.",
        "Priya Patel",
        28,
        "product manager",
    ),
    (
        "Extract the person from this text:\n\nLudwig van der Berg, 62, is a retired judge.",
        "Ludwig van der Berg",
        62,
        "retired judge",
    ),
    (
        "Extract the name, age and occupation. Ana de la Cruz is a 36-year-old frontend developer!",
        "Ana de la Cruz",
        36,
        "frontend developer",
    ),
    ("[row 42] My name is John and I am 20 years old, a software engineer", "John", 20, "software engineer"),
    ("Say hello to Carlos, a 45 year old chef from Mexico City.", "Carlos", 45, "chef"),
    ("Liu Wei (27) is a civil engineer.", "Liu Wei", 27, "civil engineer"),
    ("A 52-year-old accountant named Olga Petrova lives in Riga.", "Olga Petrova", 52, "accountant"),
    ("Working as a pilot, 38-year-old Hans Müller flies weekly.", "Hans Müller", 38, "pilot"),
    (
        "Fatima Al-Zahra has worked as a pharmacist for ten years and is now 36.",
        "Fatima Al-Zahra",
        36,
        "pharmacist",
    ),
    ("Thomas turned 60 last week; he is a history teacher.", "Thomas", 60, "history teacher"),
    ("I'm Peter, a 33-year-old lawyer.", "Peter", 33, "lawyer"),
    ("Hello, I am Zoë and I'm 29. I work as an architect.", "Zoë", 29, "architect"),
    (
        "She is 34 years old, her name is Aisha Khan, and she works as a journalist.",
        "Aisha Khan",
        34,
        "journalist",
    ),
    ("Professionally a dentist, Marco Rossi is 48 years old.", "Marco Rossi", 48, "dentist"),
    ("Marco Rossi, who is 48, is a dentist.", "Marco Rossi", 48, "dentist"),
    (
        "Jean-Luc Moreau, age 59, serves as head of marketing at Acme Corp.",
        "Jean-Luc Moreau",
        59,
        "head of marketing",
    ),
    ("The occupation of Ann Lee, aged 30, is nurse.", "Ann Lee", 30, "nurse"),
    ("Electrician Tom Hale is 44.", "Tom Hale", 44, "Electrician"),
    ("At the age of 23, Mia became a paramedic.", "Mia", 23, "paramedic"),
    ("Mia Chen is 23 years of age and a paramedic by profession.", "Mia Chen", 23, "paramedic"),
    ("software engineer Bob Stone, 31, lives in Leeds", "Bob Stone", 31, "software engineer"),
    ("Ingrid Bergström – graphic designer, 30 years old", "Ingrid Bergström", 30, "graphic designer"),
    (
        "Ravi Kumar is employed by Siemens as an electrical engineer. He is 35 years old.",
        "Ravi Kumar",
        35,
        "electrical engineer",
    ),
    ("Edith makes her living as a potter; she's 71.", "Edith", 71, "potter"),
    ("29-year-old Emily Watson is a veterinarian", "Emily Watson", 29, "veterinarian"),
    ("Emily Watson, veterinarian (29)", "Emily Watson", 29, "veterinarian"),
    ("Meet Emily: 29, veterinarian, from Leeds.", "Emily", 29, "veterinarian"),
    ("My colleague Sofia Rossi is a 35-year-old marketing manager.", "Sofia Rossi", 35, "marketing manager"),
    ("Sofia Rossi is 35. She's a marketing manager.", "Sofia Rossi", 35, "marketing manager"),
    ("He is a 50-year-old truck driver called Bob.", "Bob", 50, "truck driver"),
    ("Name: Ann Lee\nAge: 30\nOccupation: nurse", "Ann Lee", 30, "nurse"),
    ("Ann Lee, 30, nurse", "Ann Lee", 30, "nurse"),
    ("Ann Lee | 30 | nurse practitioner", "Ann Lee", 30, "nurse practitioner"),
    ("Mary J. Kowalski is a 44-year-old high school teacher.", "Mary J. Kowalski", 44, "high school teacher"),
    ("J.K. Marlow is a 51-year-old novelist.", "J.K. Marlow", 51, "novelist"),
    ("Robert Hayes Jr. is a 39-year-old firefighter in Chicago.", "Robert Hayes Jr.", 39, "firefighter"),
    (
        "Twenty-five-year-old Nina Simons is a senior Java developer.",
        "Nina Simons",
        25,
        "senior Java developer",
    ),
    (
        "Omar is thirty-two years old and works as a certified public accountant.",
        "Omar",
        32,
        "certified public accountant",
    ),
    ("In Paris, Claire Fontaine, 36, is a pastry chef.", "Claire Fontaine", 36, "pastry chef"),
    ("Claire Fontaine, a pastry chef in Lyon, is 36 years old.", "Claire Fontaine", 36, "pastry chef"),
    ("Our new hire, Tariq Aziz, is 28 and works as a QA engineer.", "Tariq Aziz", 28, "QA engineer"),
    ("Tariq's occupation is backend developer and he is 28.", "Tariq", 28, "backend developer"),
    ("David is a 30-year-old man who works as a bus driver.", "David", 30, "bus driver"),
    ("A talented photographer, Yuki Tanaka is 26 years old.", "Yuki Tanaka", 26, "talented photographer"),
    (
        "Having just turned 31, Pedro Álvarez now works as a flight attendant.",
        "Pedro Álvarez",
        31,
        "flight attendant",
    ),
    ("Björn Ødegård (47 years old) earns his living as a fisherman.", "Björn Ødegård", 47, "fisherman"),
    ("Lena, 24, is studying but works part-time as a waitress.", "Lena", 24, "waitress"),
    ("The carpenter, Otto Braun, is 61 years old.", "Otto Braun", 61, "carpenter"),
    (
        "Grace Okafor is 42 years old. Her job is civil rights lawyer.",
        "Grace Okafor",
        42,
        "civil rights lawyer",
    ),
    (
        "Meet Dmitri Ivanov, a 55-year-old from Minsk who is a bus mechanic.",
        "Dmitri Ivanov",
        55,
        "bus mechanic",
    ),
    (
        "With 5 years of experience as a data engineer, Sam Reed is 30 years old.",
        "Sam Reed",
        30,
        "data engineer",
    ),
    (
        "At Google, Kim Lee works as a site reliability engineer; Kim is 40.",
        "Kim Lee",
        40,
        "site reliability engineer",
    ),
    (
        "Text: \"Hannah Schmidt, aged 38, is a physical therapist.\"",
        "Hannah Schmidt",
        38,
        "physical therapist",
    ),
    (
        "Read this and return JSON with name, age and occupation: Leo Park, 21, is an intern",
        "Leo Park",
        21,
        "intern",
    ),
    ("my name is bella and i am 27 years old, i work as a florist", "bella", 27, "florist"),
    ("john miller is a 33-year-old welder", "john miller", 33, "welder"),
    ("Siobhán O’Reilly, 45, is a writer and illustrator.", "Siobhán O’Reilly", 45, "writer and illustrator"),
    (
        "Abdul Rahman bin Yusuf is 64 and is the director of operations at a bank.",
        "Abdul Rahman bin Yusuf",
        64,
        "director of operations",
    ),
    ("Ms. Helen Park is a 37-year-old C++ programmer.", "Helen Park", 37, "C++ programmer"),
    ("Ewa Nowak has been a tram driver for 12 years; she is 44 years old.", "Ewa Nowak", 44, "tram driver"),
    ("Ole Hansen is a 41-year-old who works as a ship's cook.", "Ole Hansen", 41, "ship's cook"),
    ("Jo March is 21 and a novelist.", "Jo March", 21, "novelist"),
    ("Our IT consultant, Dev Patel, is 33 years old.", "Dev Patel", 33, "IT consultant"),
    ("Nadia Rahman - emergency physician - 42 years old", "Nadia Rahman", 42, "emergency physician"),
    ("Judge Beatriz da Silva is 57 years old.", "Beatriz da Silva", 57, "Judge"),
    ("The 60-year-old head of sales Ursula von der Leyen", "Ursula von der Leyen", 60, "head of sales"),
    (
        "Julia and her dog live in Bonn. Julia is a 39-year-old editor in chief.",
        "Julia",
        39,
        "editor in chief",
    ),
];

#[test]
fn people_are_read_from_sentences_of_many_shapes() {
    let mut wrong = vec![];
    for (sentence, name, age, occupation) in PEOPLE {
        let reading = Reading::of(sentence);
        let read = (
            text(&reading, "name").unwrap_or_default(),
            number(sentence, "age").unwrap_or_default(),
            text(&reading, "occupation").unwrap_or_default(),
        );
        if read != ((*name).to_owned(), f64::from(*age), (*occupation).to_owned()) {
            wrong.push(format!("{sentence}\n    read {read:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), PEOPLE.len(), wrong.join("\n"));
}

#[test]
fn names_have_parts() {
    let cases = [
        ("Ludwig van der Berg is 62", "Ludwig", "van der Berg"),
        ("Mary J. Kowalski is 44", "Mary", "Kowalski"),
        ("Robert Hayes Jr. is 39", "Robert", "Hayes"),
    ];
    for (sentence, first, last) in cases {
        let reading = Reading::of(sentence);
        assert_eq!(text(&reading, "first_name").as_deref(), Some(first));
        assert_eq!(text(&reading, "lastName").as_deref(), Some(last));
    }
}

#[test]
fn things_are_read_by_the_names_of_their_properties() {
    let letter = "Ann Lee of Acme Corp in Berlin, Germany ordered 3 boxes for $1,249.50 on March 12, 2024. \
                  Write to ann@acme.example or +49 30 123456, see https://acme.example/orders.";
    let cases = [
        ("email", Some("ann@acme.example")),
        ("phone_number", Some("+49 30 123456")),
        ("website", Some("https://acme.example/orders")),
        ("company", Some("Acme Corp")),
        ("city", Some("Berlin")),
        ("country", Some("Germany")),
        ("currency", Some("USD")),
        ("order_date", Some("March 12, 2024")),
        ("language", Some("English")),
        ("colour", None),
    ];
    let reading = Reading::of(letter);
    for (name, expected) in cases {
        assert_eq!(text(&reading, name).as_deref(), expected, "{name}");
    }
    assert_eq!(number(letter, "total_price"), Some(1249.5));
    assert_eq!(number(letter, "boxes"), Some(3.0));
    assert_eq!(number(letter, "quantity"), Some(3.0));
    assert_eq!(reading.formatted("date").as_deref(), Some("2024-03-12"));
}

#[test]
fn an_order_is_read_by_the_surrounding_words() {
    let order = "Order #4521: Please ship 12 boxes to Jane Miller, 22 Main Street, Boston, USA by Friday.";
    let reading = Reading::of(order);
    for (name, expected) in [("customer", "Jane Miller"), ("city", "Boston"), ("country", "USA")] {
        assert_eq!(text(&reading, name).as_deref(), Some(expected), "{name}");
    }
    assert_eq!((number(order, "order_id"), number(order, "quantity")), (Some(4521.0), Some(12.0)));
    let hired = "Acme Corp. hired Susan Reed in March 2025 for a salary of $210,000.";
    assert_eq!(
        (number(hired, "salary"), number("The iPhone costs €899", "price")),
        (Some(210_000.0), Some(899.0))
    );
    assert_eq!(text(&Reading::of("The iPhone costs €899"), "product").as_deref(), Some("iPhone"));
}

#[test]
fn numbers_without_a_meaning_are_taken_in_order() {
    let reading = Reading::of("first 7, then 8.5");
    let next = |name| reading.number(&Property { name, ..Property::default() });
    assert_eq!((next("a"), next("b"), next("c")), (Some(7.0), Some(8.5), None));
}

#[test]
fn labels_take_precedence() {
    let reading = Reading::of("Colour: deep red; due_date = tomorrow\n{\"shoe size\": 43}");
    assert_eq!(text(&reading, "colour").as_deref(), Some("deep red"));
    assert_eq!(text(&reading, "dueDate").as_deref(), Some("tomorrow"));
    assert_eq!(reading.number(&Property { name: "shoe_size", ..Property::default() }), Some(43.0));
}

#[test]
fn moods_and_members_are_found_by_their_words() {
    let moods = [
        ("I love this phone, great battery", Mood::Good),
        ("Not good at all. The screen was broken", Mood::Bad),
        ("The food was great but the waiter was rude", Mood::Mixed),
        ("The parcel weighs two kilos", Mood::Neutral),
    ];
    for (sentence, mood) in moods {
        assert_eq!(Reading::of(sentence).mood(), mood, "{sentence}");
    }
    let reading = Reading::of("The order is IN PROGRESS, shipped soon");
    assert!(reading.position_of("in_progress") < reading.position_of("shipped"));
    assert_eq!(reading.position_of("order is progress"), None);
    assert_eq!(reading.position_of(""), None);
}

#[test]
fn booleans_follow_the_propertys_words() {
    let flag = |sentence, name| Reading::of(sentence).flag(&Property { name, ..Property::default() });
    assert_eq!(flag("Ann is married and employed", "is_employed"), Some(true));
    assert_eq!(flag("Ann is not employed", "employed"), Some(false));
    assert_eq!(flag("Urgent: yes", "urgent"), Some(true));
    assert_eq!(flag("Ann sleeps", "is_employed"), None);
}

#[test]
fn unusual_texts_do_not_panic() {
    let long = "Ünïcode 👩‍🚀 a.b@c 12,3 ".repeat(40_000);
    let joined = "is a cook and ".repeat(1_000);
    let owned = "a cook's 5 ".repeat(1_000);
    for sentence in [
        "",
        " ",
        ".",
        "'s",
        ":::",
        "a\u{301}",
        "I'm",
        "[",
        "30-year-old",
        "aged",
        "\u{2011}",
        "1.",
        "is a",
        &long,
        &joined,
        &owned,
    ] {
        let reading = Reading::of(sentence);
        for name in [
            "name",
            "age",
            "occupation",
            "city",
            "email",
            "date",
            "total",
            "x",
            "",
            "language",
            "title",
            "first_name",
            "last_name",
            "phone",
            "product",
        ] {
            let property = Property { name, ..Property::default() };
            let _ = (reading.text(&property), reading.number(&property), reading.flag(&property));
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_panic(sentence in "[\\PC]{0,60}", filler in "([A-Z]?[a-z']{0,6}|[0-9]{1,3}|is|a|an|as|,|\\.|-|year-old| |\n|:|\"){0,40}") {
        for sentence in [&sentence, &filler] {
            let reading = Reading::of(sentence);
            for name in ["name", "age", "occupation", "company", "date", "total", "sentence", "last_name"] {
                let property = Property { name, ..Property::default() };
                let _ = (reading.text(&property), reading.number(&property), reading.flag(&property));
            }
        }
    }
}
