//! The values that fields may have, and the attachments that they become.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn of(value: Value) -> Result<Vec<Attachment>, String> {
    of_row(&["photo".to_owned()], &Map::from_iter([("photo".to_owned(), value)]))
}

fn file(media_type: &str, path: &str) -> Attachment {
    Attachment { media_type: media_type.to_owned(), content: AttachmentContent::File(path.into()) }
}

fn url(media_type: &str, url: &str) -> Attachment {
    Attachment { media_type: media_type.to_owned(), content: AttachmentContent::Url(url.to_owned()) }
}

fn data(media_type: &str, base64: &str) -> Attachment {
    Attachment { media_type: media_type.to_owned(), content: AttachmentContent::Base64(base64.into()) }
}

#[test]
fn a_value_is_a_path_a_url_or_the_bytes_themselves() {
    for (value, expected) in [
        (json!("images/1.png"), vec![file("image/png", "images/1.png")]),
        (json!(" /a/b.JPEG "), vec![file("image/jpeg", "/a/b.JPEG")]),
        (json!("scan.pdf"), vec![file("application/pdf", "scan.pdf")]),
        // The first bytes will determine the type.
        (json!("scan"), vec![file("", "scan")]),
        (json!("12:30.png"), vec![file("image/png", "12:30.png")]),
        (
            json!("https://a.example/b.webp?w=300#x.pdf"),
            vec![url("image/webp", "https://a.example/b.webp?w=300#x.pdf")],
        ),
        (json!("HTTP://a.example/scan.pdf"), vec![url("application/pdf", "HTTP://a.example/scan.pdf")]),
        (json!("https://a.example/photo?id=7"), vec![url("image/jpeg", "https://a.example/photo?id=7")]),
        (json!("data:image/png;base64,iVBORw0KGgo="), vec![data("image/png", "iVBORw0KGgo=")]),
        // The bytes decide over the declared type, padding may be missing, and there may be parameters.
        (json!("data:image/jpeg;base64,iVBORw0KGgo"), vec![data("image/png", "iVBORw0KGgo=")]),
        (json!("DATA:image/JPG;name=a.jpg;BASE64,AAAA"), vec![data("image/jpeg", "AAAA")]),
        (json!("data:;base64,JVBERi0xLjQ="), vec![data("application/pdf", "JVBERi0xLjQ=")]),
        (json!(""), vec![]),
        (json!("  "), vec![]),
        (Value::Null, vec![]),
        (json!([]), vec![]),
        (json!(["a.png", null, "b.gif"]), vec![file("image/png", "a.png"), file("image/gif", "b.gif")]),
    ] {
        assert_eq!(of(value.clone()), Ok(expected), "{value}");
    }
}

#[test]
fn an_invalid_attachment_is_reported() {
    let long = format!("data:text/plain;base64,{}", "AAAA".repeat(100));
    for (value, expected) in [
        (json!(7), "the image in `photo` is `7`, expected a path or a URL as a string"),
        (
            json!({"path": "a.png"}),
            "the image in `photo` is `{\"path\":\"a.png\"}`, expected a path or a URL as a string",
        ),
        (json!([["a.png"]]), "the image in `photo` is `[\"a.png\"]`, expected a path or a URL as a string"),
        (
            json!("s3://bucket/a.png"),
            "the image `s3://bucket/a.png` in `photo` is not at an address that a model can reach, expected `https:`, `data:` or a path",
        ),
        (json!("data:image/png,abc"), "the image `data:image/png,abc` in `photo` is not in Base64"),
        (
            json!("data:image/png;base64"),
            "the image `data:image/png;base64` in `photo` has no comma before its bytes",
        ),
        (
            json!("data:image/svg+xml;base64,PHN2Zz4="),
            "the image `data:image/svg+xml;base64,PHN2Zz4=` in `photo` is of an unknown type, expected PNG, JPEG, WebP, GIF or PDF",
        ),
        (
            json!(long),
            "the image `data:text/plain;base64,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA…` in `photo` \
             is of an unknown type, expected PNG, JPEG, WebP, GIF or PDF",
        ),
    ] {
        assert_eq!(of(value.clone()), Err(expected.to_owned()), "{value}");
    }
    let error = of(json!("data:image/png;base64,*")).expect_err("a star is not Base64");
    assert!(
        error.starts_with("the image `data:image/png;base64,*` in `photo` is not in Base64: "),
        "{error}"
    );
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>(), start in "(data:|https://|image/png;|base64,|;|,|:){0,4}") {
        let _ = of(json!(format!("{start}{text}")));
    }

    #[test]
    fn the_bytes_of_a_data_url_are_kept(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let base64 = base64::engine::general_purpose::STANDARD.encode(&bytes);
        let attachments = of(json!(format!("data:image/png;base64,{base64}"))).expect("it is Base64");
        prop_assert_eq!(&attachments[0].content, &AttachmentContent::Base64(base64.into()));
    }
}
