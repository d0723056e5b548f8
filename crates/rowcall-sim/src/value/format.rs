//! Made-up strings in the formats of JSON Schema. They say that they are simulated where the format allows it.

use crate::chance::Chance;

/// A string in `format`; `None` for a format that is only an annotation here.
pub(super) fn make(format: &str, chance: Chance) -> Option<String> {
    let tag = chance.tag();
    let draw = |n: u64, end: u64| chance.nth(n).below(end);
    let date = || format!("20{:02}-{:02}-{:02}", 20 + draw(0, 7), 1 + draw(1, 12), 1 + draw(2, 28));
    let time = || format!("{:02}:{:02}:{:02}Z", draw(3, 24), draw(4, 60), draw(5, 60));
    Some(match format {
        "date" => date(),
        "time" => time(),
        "date-time" => format!("{}T{}", date(), time()),
        "duration" => format!("P{}DT{}H", 1 + draw(6, 30), draw(7, 24)),
        "email" | "idn-email" => format!("simulated.{tag}@example.com"),
        "hostname" | "idn-hostname" => format!("simulated-{tag}.example.com"),
        // 192.0.2.0/24 and 2001:db8::/32 are reserved for documentation.
        "ipv4" => format!("192.0.2.{}", draw(8, 256)),
        "ipv6" => format!("2001:db8::{:x}", 1 + draw(9, 65_535)),
        "uuid" => {
            let (high, low) = (chance.nth(10).bits(), chance.nth(11).bits());
            let group = |word: u64, from: u32, mask: u64| (word >> from) & mask;
            format!(
                "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
                group(high, 32, 0xffff_ffff),
                group(high, 16, 0xffff),
                group(high, 0, 0xfff),
                group(low, 48, 0xfff),
                group(low, 0, 0xffff_ffff_ffff),
            )
        }
        "uri" | "url" | "iri" | "uri-reference" | "iri-reference" => {
            format!("https://example.com/simulated/{tag}")
        }
        "uri-template" => format!("https://example.com/simulated/{tag}/{{id}}"),
        "json-pointer" => format!("/simulated/{tag}"),
        "relative-json-pointer" => "0/simulated".to_owned(),
        "regex" => format!("^simulated {tag}$"),
        _ => return None,
    })
}
