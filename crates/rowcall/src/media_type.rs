//! The kinds of images and documents that may be sent with a question, by file extension and by first bytes.

/// The kinds that the providers accept: each media type with its file extensions.
const KINDS: [(&str, &[&str]); 5] = [
    ("image/png", &["png"]),
    ("image/jpeg", &["jpg", "jpeg"]),
    ("image/webp", &["webp"]),
    ("image/gif", &["gif"]),
    ("application/pdf", &["pdf"]),
];

/// All kinds, as messages name them.
pub(crate) const EXPECTED: &str = "PNG, JPEG, WebP, GIF or PDF";

/// How far a PDF's signature may be from the beginning of the file, in bytes: readers allow for a preface.
const PDF_PREFACE: usize = 1024;

/// The media type for a file name's extension, ignoring case.
pub(crate) fn of_name(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    let matches = |extensions: &[&str]| extensions.iter().any(|known| extension.eq_ignore_ascii_case(known));
    KINDS.iter().find(|(_, extensions)| matches(extensions)).map(|(media_type, _)| *media_type)
}

/// The media type of a file that begins like this; a kilobyte is always enough.
pub(crate) fn of_bytes(start: &[u8]) -> Option<&'static str> {
    match start {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => {
            let preface = start.get(..PDF_PREFACE).unwrap_or(start);
            preface.windows(5).any(|bytes| bytes == b"%PDF-").then_some("application/pdf")
        }
    }
}

/// The media type of this name, if it is a known one.
pub(crate) fn known(media_type: &str) -> Option<&'static str> {
    // Often used for `image/jpeg`, but rejected by providers.
    let media_type = if media_type.eq_ignore_ascii_case("image/jpg") { "image/jpeg" } else { media_type };
    KINDS.iter().map(|(known, _)| *known).find(|known| known.eq_ignore_ascii_case(media_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_recognised_by_its_file_extension() {
        for (name, expected) in [
            ("a.png", Some("image/png")),
            ("dir.pdf/b.JPG", Some("image/jpeg")),
            ("c.jpeg", Some("image/jpeg")),
            ("d.webp", Some("image/webp")),
            ("e.tar.gif", Some("image/gif")),
            ("f.Pdf", Some("application/pdf")),
            ("g.svg", None),
            ("png", None),
            ("h.", None),
            ("", None),
        ] {
            assert_eq!(of_name(name), expected, "{name}");
        }
    }

    #[test]
    fn a_kind_is_recognised_by_its_first_bytes() {
        let late = [&[b' '; 1000][..], b"%PDF-1.7"].concat();
        let too_late = [&[b' '; 1024][..], b"%PDF-1.7"].concat();
        for (start, expected) in [
            (&b"\x89PNG\r\n\x1a\n\0\0"[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a\x01\0", Some("image/gif")),
            (b"RIFF\x24\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\x24\0\0\0WAVEfmt ", None),
            (b"%PDF-1.4\n", Some("application/pdf")),
            (&late, Some("application/pdf")),
            (&too_late, None),
            (b"<svg xmlns=", None),
            (b"\x89PN", None),
            (b"", None),
        ] {
            assert_eq!(of_bytes(start), expected, "{start:?}");
        }
    }

    #[test]
    fn a_media_type_has_one_spelling() {
        for (given, expected) in [
            ("image/png", Some("image/png")),
            ("IMAGE/JPG", Some("image/jpeg")),
            ("application/pdf", Some("application/pdf")),
            ("image/svg+xml", None),
            ("", None),
        ] {
            assert_eq!(known(given), expected, "{given}");
        }
    }
}
