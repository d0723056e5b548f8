//! The parts of an uploaded form.

/// The content of the part of this name, and its file name if it has one.
pub(super) fn part<'b>(content_type: &str, body: &'b [u8], name: &str) -> Option<(&'b [u8], Option<String>)> {
    let boundary = content_type.split("boundary=").nth(1)?.split(';').next()?.trim_matches('"');
    let mark = format!("--{boundary}");
    let mut rest = body;
    while let Some(begin) = find(rest, mark.as_bytes()) {
        let after = rest.get(begin + mark.len()..)?;
        let end = find(after, mark.as_bytes()).unwrap_or(after.len());
        let (section, next) = after.split_at(end);
        rest = next;
        let Some(head_end) = find(section, b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(section.get(..head_end)?);
        if head.contains(&format!("name=\"{name}\"")) {
            let content = section.get(head_end + 4..)?;
            let content = content.strip_suffix(b"\r\n").unwrap_or(content);
            let file = head.split("filename=\"").nth(1).and_then(|rest| rest.split('"').next());
            return Some((content, file.map(str::to_owned)));
        }
    }
    None
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_by_name() {
        let body = b"--B\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--B\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n{}\n\r\n--B--\r\n";
        let kind = "multipart/form-data; boundary=B";
        assert_eq!(part(kind, body, "purpose"), Some((&b"batch"[..], None)));
        assert_eq!(part(kind, body, "file"), Some((&b"{}\n"[..], Some("a.jsonl".to_owned()))));
        assert_eq!(part(kind, body, "model"), None);
    }
}
