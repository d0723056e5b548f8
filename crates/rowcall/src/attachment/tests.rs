//! Files on disk, and what is sent of them.

use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::turn::Turn;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

fn prompt(paths: &[&str]) -> Prompt {
    let attachment = |path: &&str| Attachment {
        media_type: media_type::of_name(path).unwrap_or_default().to_owned(),
        content: AttachmentContent::File(PathBuf::from(path)),
    };
    let attachments = paths.iter().map(attachment).collect();
    Prompt::new(vec![Turn::System("Be brief.".into()), Turn::User { text: "Who?".to_owned(), attachments }])
}

/// A folder with these files in it.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).expect("a file");
    }
    folder
}

/// What is sent of each file, as its media type and its bytes.
async fn sent(folder: &TempDir, paths: &[&str]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let (files, prompt) = (Files::from_folder(Some(folder.path())), prompt(paths));
    let loaded = files.load(&prompt).await;
    let at_once = files.load_now(&prompt);
    match (&loaded, &at_once) {
        (Ok(loaded), Ok(at_once)) => assert_eq!(loaded.fill(&prompt), at_once.fill(&prompt)),
        (loaded, at_once) => assert_eq!(loaded.as_ref().err(), at_once.as_ref().err()),
    }
    let filled = loaded?.fill(&prompt).into_owned();
    assert_eq!(filled.turns[0], prompt.turns[0]);
    Ok(filled
        .attachments()
        .map(|attachment| match &attachment.content {
            AttachmentContent::Base64(text) => {
                (attachment.media_type.clone(), STANDARD.decode(text.as_bytes()).expect("it is Base64"))
            }
            other => panic!("not read: {other:?}"),
        })
        .collect())
}

#[tokio::test]
async fn files_are_read_and_identified_by_their_first_bytes() {
    let folder = folder(&[
        ("a.png", PNG),
        ("b.jpg", PNG),
        ("c", b"%PDF-1.7 and so on"),
        ("d.gif", b"unknown contents"),
    ]);
    for (path, media_type, bytes) in [
        ("a.png", "image/png", PNG),
        ("b.jpg", "image/png", PNG),
        ("c", "application/pdf", b"%PDF-1.7 and so on"),
        ("d.gif", "image/gif", b"unknown contents"),
    ] {
        assert_eq!(sent(&folder, &[path]).await, Ok(vec![(media_type.to_owned(), bytes.to_vec())]), "{path}");
    }
    let absolute = folder.path().join("a.png");
    let absolute = absolute.to_str().expect("a path");
    let several = sent(&folder, &["c", absolute]).await.expect("both are there");
    assert_eq!(
        several.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(),
        ["application/pdf", "image/png"]
    );
}

#[tokio::test]
async fn files_that_cannot_be_sent_are_reported_with_their_paths() {
    let folder =
        folder(&[("empty.png", b""), ("a.bin", b"\0\x01"), ("page.svg", b"<svg/>"), ("large.png", b"")]);
    // A sparse file takes no disk space.
    let large = File::options().write(true).open(folder.path().join("large.png")).expect("it is there");
    large.set_len(MOST_BYTES + 1).expect("a hole");
    std::fs::create_dir(folder.path().join("d.png")).expect("a folder");
    for (path, expected) in [
        ("none.png", "the file `none.png` cannot be read: "),
        ("empty.png", "the file `empty.png` is empty"),
        ("d.png", "the file `d.png` is not a regular file, but a folder, a pipe or a device"),
        ("/dev/zero", "the file `/dev/zero` is not a regular file, but a folder, a pipe or a device"),
        ("a.bin", "the file `a.bin` is of an unknown type, expected PNG, JPEG, WebP, GIF or PDF"),
        ("page.svg", "the file `page.svg` is of an unknown type, expected PNG, JPEG, WebP, GIF or PDF"),
        ("large.png", "the file `large.png` has 33554433 bytes, expected at most 33554432"),
    ] {
        let error = sent(&folder, &[path]).await.expect_err(path);
        assert!(error.starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn a_prompt_without_files_is_left_unchanged() {
    let files = Files::from_folder(None);
    let url = AttachmentContent::Url("https://a.example/b.png".to_owned());
    let mut prompt = prompt(&["a.png"]);
    prompt.attachments_mut().for_each(|attachment| attachment.content = url.clone());
    let loaded = files.load(&prompt).await.expect("there is nothing to read");
    assert!(matches!(loaded.fill(&prompt), Cow::Borrowed(_)));
    assert_eq!(files.room.available_permits() as u64, ROOM_BYTES / PERMIT_BYTES);
}

#[tokio::test]
async fn a_re_ask_includes_the_files_as_well() {
    let folder = folder(&[("a.png", PNG)]);
    let files = Files::from_folder(Some(folder.path()));
    let mut prompt = prompt(&["a.png"]);
    let loaded = files.load(&prompt).await.expect("it is there");
    let answer = Turn::Invalid { raw_turn: serde_json::Value::Null, violations: Vec::new() };
    prompt.turns.push(answer.clone());
    let filled = loaded.fill(&prompt);
    assert_eq!(filled.turns.len(), 3);
    assert_eq!(filled.turns[2], answer);
    assert!(
        filled.attachments().all(|attachment| matches!(attachment.content, AttachmentContent::Base64(_)))
    );
}

#[tokio::test]
async fn the_amount_held_at_a_time_is_bounded() {
    const BYTES: u64 = 31 * 1024 * 1024;
    let folder = folder(&[("a.png", PNG), ("large.gif", b"")]);
    let large = File::options().write(true).open(folder.path().join("large.gif")).expect("it is there");
    large.set_len(BYTES).expect("a hole");
    let files = Files::from_folder(Some(folder.path()));
    let all = files.room.available_permits();
    let (small, large) = (prompt(&["a.png"]), prompt(&["large.gif", "a.png"]));
    let held = files.load(&large).await.expect("there is room");
    assert_eq!(all - files.room.available_permits(), (BYTES / PERMIT_BYTES) as usize + 1);

    let others = files.room.acquire_many(files.room.available_permits() as u32).await.expect("it is open");
    let mut waiting = std::pin::pin!(files.load(&small));
    let long_enough = async {
        for _ in 0..100 {
            blocking(|| Ok(())).await.expect("a thread");
        }
    };
    tokio::select! {
        _ = &mut waiting => panic!("there was no room"),
        () = long_enough => {}
    }
    drop(held);
    let small = waiting.await.expect("there is room again");
    drop((others, small));
    assert_eq!(files.room.available_permits(), all);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn bytes_arrive_as_they_are(bytes in proptest::collection::vec(any::<u8>(), 1..5000)) {
        let folder = folder(&[("a.png", &bytes)]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let sent = runtime.block_on(sent(&folder, &["a.png"])).expect("it is there");
        prop_assert_eq!(&sent[0].1, &bytes);
    }
}
