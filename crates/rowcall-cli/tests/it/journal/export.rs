//! `rowcall export`: an output from the journal alone equals the output of the run, in any form.

use rowcall_sim::{Fault, FaultKind, Scenario};

use super::{JOURNAL, Story, answers, assert_exit, sorted};
use crate::command::ages;

/// Records of all kinds: with fields that the prompt does not use, numbers to keep as written, blanks, escaped names, lines that are
/// not JSON, and rows that fail.
const RECORDS: &str = "{\"id\": 1, \"text\": \"Ann is 30\", \"n\": 1.50}\n\
    { \"text\":\"Bob is 40\" , \"long\": 12345678901234567890 }\n\
    {\"text\": \n\
    {\"text\": \"Gr\\u00fc\\u00dfe, Eve is 50\", \"id\": \"\\\"quoted, with, commas\\\"\"}\n\
    {\"words\": \"there is no text\"}\n\
    [1]\n\
    {\"text\": \"Zoe declines\", \"id\": null}\n\
    {\"text\": \"Ann is 30\", \"id\": [1, {\"a\": 2}]}\n";

/// A run over [`RECORDS`] with these options, and its output.
fn ran(output: &str, more: &[&str]) -> (Story, Vec<u8>) {
    let refusal = Fault::new(FaultKind::Refusal, 1.0).with_contains("declines");
    let story = Story::new(Scenario::instant("declines sometimes").with_fault(refusal), "");
    story.dir.write("in.jsonl", RECORDS);
    assert_exit(
        &story.dir.rowcall(&[&story.asking("in.jsonl")[..], &["-o", output], more].concat()),
        3,
        &["4 failed"],
    );
    std::fs::remove_file(story.dir.path("in.jsonl")).expect("the input");
    let written = std::fs::read(story.dir.path(output)).expect("the output");
    (story, written)
}

#[test]
fn an_export_has_the_same_bytes_as_the_runs_output() {
    for (output, more) in [
        ("out.jsonl", &[][..]),
        ("out.csv", &[]),
        ("out.tsv", &[]),
        ("out.jsonl.gz", &[]),
        ("out.jsonl", &["--into", "found"]),
        ("out.csv", &["--into", "found"]),
        ("out.jsonl", &["--meta"]),
        ("out.csv", &["--meta"]),
        ("out.jsonl", &["--no-dedup"]),
        ("out.data", &["--output-format", "csv"]),
    ] {
        let (story, written) = ran(output, more);
        let journal = format!("{output}.journal");
        let exported = ["export", &journal, "-o", &format!("again.{output}")];
        let format = if output == "out.data" { more } else { &[] };
        assert_exit(
            &story.dir.rowcall(&[&exported[..], format].concat()),
            3,
            &["8 rows written, 4 of them failed"],
        );
        let again = std::fs::read(story.dir.path(exported[3])).expect("the export");
        let [written, again] = [&written, &again].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert_eq!(again, written, "{output} {more:?}");
        // It may overwrite the journal's own output.
        std::fs::write(story.dir.path(output), "broken").expect("the output");
        assert_exit(&story.dir.rowcall(&["export", &journal, "-o", output]), 3, &[]);
        let own = std::fs::read(story.dir.path(output)).expect("the output");
        assert_eq!(String::from_utf8_lossy(&own), written, "{output} {more:?}");
    }
}

#[test]
fn the_runs_own_input_is_never_overwritten() {
    let story = Story::new(Scenario::instant("answers"), &ages(3));
    assert_exit(&story.run(&[]), 0, &["3 done"]);
    let input = story.dir.read("in.txt");
    for command in ["export", "rerun"] {
        let ran = story.dir.rowcall(&[command, JOURNAL, "-o", "./in.txt", "--force"]);
        assert_exit(&ran, 2, &["is both the input and the output"]);
        assert_eq!(story.dir.read("in.txt"), input, "{command}");
    }
}

#[test]
fn an_export_in_another_form_is_what_a_run_would_have_written() {
    for (as_run, as_exported) in [
        (("out.jsonl", &[][..]), ("x.csv", &[][..])),
        (("out.jsonl", &[]), ("x.tsv", &[])),
        (("out.csv", &[]), ("x.jsonl", &[])),
        (("out.jsonl", &[]), ("x.jsonl", &["--into", "found"])),
        (("out.jsonl", &["--journal-records", "on"]), ("x.csv", &["--meta", "--into", "found"])),
    ] {
        let ((output, run_with), (export, export_with)) = (as_run, as_exported);
        let (story, _) = ran(output, run_with);
        let journal = format!("{output}.journal");
        assert_exit(
            &story.dir.rowcall(&[&["export", &journal, "-o", export][..], export_with].concat()),
            3,
            &[],
        );
        let exported = story.dir.read(export);
        // A run in this form writes what the journal knows, without any request.
        story.dir.write("in.jsonl", RECORDS);
        let run =
            [&story.asking("in.jsonl")[..], &["-o", "y", "--journal", &journal, "--output-format"]].concat();
        let format = export.split_once('.').expect("an ending").1;
        let before = story.asked();
        assert_exit(&story.dir.rowcall(&[&run[..], &[format], export_with].concat()), 3, &[]);
        assert_eq!((story.dir.read("y"), story.asked()), (exported, 0), "{export} after {before} requests");
    }
}

#[test]
fn an_export_equals_the_output_for_every_input_format() {
    for (input, content, failed) in [
        ("in.csv", "id,text,said\n007,\"Ann, 30\",\"a \"\"b\"\"\"\none,two\n9,Bob is 40,\n", 1),
        ("in.tsv", "id\ttext\n007\tAnn, 30\n9\t\n", 0),
        (
            "in.json",
            "[{\"text\": \"Ann is 30\", \"n\": 1.0}, {\"text\":\n\"Bob is 40\"}, null, {\"n\": 2}]",
            2,
        ),
        ("in.txt", "Ann is 30\n\n  Bob \"is\" 40\r\nEve, 50", 0),
    ] {
        for output in ["out.jsonl", "out.csv"] {
            let (story, journal) = (Story::instant(""), format!("{output}.journal"));
            story.dir.write(input, content);
            let code = if failed == 0 { 0 } else { 3 };
            assert_exit(&story.dir.rowcall(&[&story.asking(input)[..], &["-o", output]].concat()), code, &[]);
            std::fs::remove_file(story.dir.path(input)).expect("the input");
            let ran = story.dir.rowcall(&["export", &journal, "-o", &format!("x.{output}")]);
            assert_exit(&ran, code, &[&format!("rows written, {failed} of them failed")]);
            let [run, exported] = [output, &format!("x.{output}")].map(|name| story.dir.read(name));
            assert_eq!(exported, run, "{input} to {output}");
        }
    }
}

#[test]
fn an_export_goes_to_standard_output_and_in_the_order_of_completion() {
    let scenario = Scenario::instant("answers about the first row when all others are").with_held("is 0", 99);
    let story = Story::new(scenario, &ages(100));
    assert_exit(&story.run(&[]), 0, &[]);
    let [in_order, completed] = ["input", "completed"].map(|order| {
        let ran = story.dir.rowcall(&["export", JOURNAL, "--order", order]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        ran.stdout
    });
    assert_eq!(in_order, answers(0..100));
    assert_eq!(sorted(&completed), sorted(&in_order));
    assert_eq!(completed.lines().last(), in_order.lines().next(), "the first was the last to be answered");
    let failed = story.dir.rowcall(&["export", JOURNAL, "--failed", "failed.jsonl"]);
    assert_eq!((failed.code, story.dir.read("failed.jsonl")), (Some(0), String::new()));
}

#[test]
fn an_export_does_not_overwrite_other_files() {
    let story = Story::instant(&ages(20));
    assert_exit(&story.run(&[]), 0, &[]);
    story.dir.write("letters.jsonl", "dear Ann\n");
    let arguments = ["export", JOURNAL, "-o", "letters.jsonl"];
    assert_exit(&story.dir.rowcall(&arguments), 2, &["`letters.jsonl`", "hint: use `--force`"]);
    assert_eq!(story.dir.read("letters.jsonl"), "dear Ann\n");
    assert_exit(&story.dir.rowcall(&[&arguments[..], &["--force"]].concat()), 0, &[]);
    assert_eq!(story.dir.read("letters.jsonl"), answers(0..20));
    assert_exit(&story.dir.rowcall(&["export", JOURNAL, "-o", "out.jsonl"]), 0, &[]);
}

#[test]
fn an_export_does_not_overwrite_its_journal() {
    let story = Story::instant(&ages(20));
    assert_exit(&story.run(&[]), 0, &[]);
    std::os::unix::fs::symlink(story.dir.path(JOURNAL), story.dir.path("link")).expect("a link");
    let before = std::fs::read(story.dir.path(JOURNAL)).expect("the journal");
    let dotted = format!("./{JOURNAL}");
    for name in [JOURNAL, &dotted, "link"] {
        for (command, what) in [
            (&["export", JOURNAL, "-o", name, "--force", "--output-format", "csv"][..], "the output"),
            (&["export", JOURNAL, "--failed", name], "the file for failed rows"),
            (&["rerun", JOURNAL, "-o", name], "the output"),
        ] {
            let ran = story.dir.rowcall(command);
            assert_exit(&ran, 2, &[&format!("`{JOURNAL}` is both {what} and the journal"), "hint: "]);
        }
        assert_exit(
            &story.run(&["--failed", name]),
            2,
            &["is both the file for failed rows and the journal", "hint: "],
        );
    }
    assert!(std::fs::read(story.dir.path(JOURNAL)).expect("the journal") == before);
    assert_exit(&story.run(&[]), 0, &["20 of these known"]);
}

#[test]
fn a_journal_without_records_resumes_but_rebuilds_nothing() {
    let refusal = Fault::new(FaultKind::Refusal, 1.0).with_contains("7").with_attempts(1);
    let story = Story::new(Scenario::instant("declines at first").with_fault(refusal), &ages(50));
    let without = ["--journal-records", "off", "--max-reasks", "0"];
    assert_exit(&story.run(&without), 3, &["5 failed"]);
    let (asked, output) = (story.asked(), story.output());
    assert_eq!(asked, 50);
    for command in ["export", "rerun"] {
        let refused = story.dir.rowcall(&[command, JOURNAL]);
        assert_exit(&refused, 2, &["has no records", "`--journal-records off`", "hint: "]);
        assert_eq!(refused.stdout, "");
    }
    assert_eq!(story.output(), output);
    assert_exit(&story.run(&without), 3, &["50 of these known"]);
    assert_eq!((story.asked(), story.output()), (0, output.clone()));
    // A run that keeps records adds them.
    assert_exit(&story.run(&[]), 3, &["50 of these known"]);
    assert_eq!((story.dir.rowcall(&["export", JOURNAL]).stdout, story.asked()), (output, 0));
    assert_exit(&story.dir.rowcall(&["rerun", JOURNAL]), 0, &["50 rows, 0 failed"]);
    assert_eq!((story.asked(), story.output()), (5, answers(0..50)));
}

#[test]
fn a_killed_run_without_records_gives_the_right_output() {
    let story = Story::slow(20, &ages(200));
    let without = ["--journal-records", "off", "-c", "8"];
    story.kill(80, &without);
    assert_exit(&story.run(&without), 0, &["200 done"]);
    assert_eq!(story.output(), answers(0..200));
    assert!(story.asked() <= 200 + story.count("possibly_paid"));
}

#[test]
fn a_copied_journal_leaves_the_original_alone() {
    let story = Story::instant(&ages(3));
    assert_exit(&story.run(&[]), 0, &[]);
    for name in ["out.jsonl", JOURNAL] {
        let copied = std::fs::read(story.dir.path(name)).expect(name);
        story.dir.write(&format!("copy-{name}"), copied);
    }
    std::fs::create_dir(story.dir.path("b")).expect("a folder");
    for name in ["out.jsonl", JOURNAL] {
        std::fs::rename(story.dir.path(&format!("copy-{name}")), story.dir.path(&format!("b/{name}")))
            .expect(name);
    }
    story.dir.write("out.jsonl", "original\n");
    let copy = format!("b/{JOURNAL}");
    assert_exit(&story.dir.rowcall(&["rerun", &copy]), 0, &["b/out.jsonl"]);
    assert_eq!(story.dir.read("out.jsonl"), "original\n");
    assert_eq!(story.dir.read("b/out.jsonl"), answers(0..3));
    assert_exit(&story.dir.rowcall(&["export", &copy, "-o", "b/out.jsonl"]), 0, &[]);
    assert_exit(
        &story.dir.rowcall(&["export", &copy, "-o", "out.jsonl"]),
        2,
        &["`out.jsonl`", "hint: use `--force`"],
    );
    // A copy under another name has files of that name, even in the original's folder.
    for (name, output) in [("kept.jsonl.journal", "kept.jsonl"), ("b/kept.backup", "b/kept.backup.jsonl")] {
        story.dir.write(name, std::fs::read(story.dir.path(&copy)).expect("a journal"));
        assert_exit(&story.dir.rowcall(&["rerun", name]), 0, &[output]);
        assert_eq!(story.dir.read(output), answers(0..3));
    }
    assert_eq!(story.dir.read("out.jsonl"), "original\n");
}

#[test]
fn a_command_that_cannot_begin_leaves_no_journal() {
    let story = Story::instant(&ages(1));
    let ran = story.dir.rowcall(&[
        "run",
        "in.csv",
        "-s",
        "age int",
        "-p",
        "{{ text }}",
        "-m",
        "sim",
        "--no-dedup",
        "-o",
        "o.parquet",
    ]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(!story.dir.has("o.parquet.journal"));
}

/// A file that only has the same name as the copy's output.
#[test]
fn a_copied_journal_does_not_overwrite_other_files() {
    let story = Story::instant(&ages(20));
    assert_exit(&story.run(&["--failed", "failed.jsonl"]), 0, &["20 done"]);
    let journal = std::fs::read(story.dir.path(JOURNAL)).expect("the journal");
    let other = "{\"text\":\"Ann is 0\",\"verdict\":\"guilty\"}\n";
    for (name, content) in [("copy.jsonl", other), ("copy.failed.jsonl", other)] {
        story.dir.write("copy.jsonl.journal", &journal);
        story.dir.write(name, content);
        let refused =
            [&format!("`{}", story.dir.path(name).display())[..], "exists and is not this journal's"];
        let rerun = story.dir.rowcall(&["rerun", "copy.jsonl.journal"]);
        assert_exit(&rerun, 2, &[&refused[..], &["use `--force` to overwrite it"]].concat());
        assert_eq!(story.dir.read(name), content);
        if name == "copy.jsonl" {
            let onto = ["export", "copy.jsonl.journal", "-o", name];
            assert_exit(&story.dir.rowcall(&onto), 2, &["is not this journal's output", "`--force`"]);
            let run = [&story.asking("in.txt")[..], &["-o", name]].concat();
            assert_exit(&story.dir.rowcall(&run), 2, &["is not this journal's output", "`--force`"]);
        }
        assert_eq!(story.dir.read(name), content);
        let elsewhere = story.dir.rowcall(&["rerun", "copy.jsonl.journal", "-o", "elsewhere.jsonl"]);
        // Failed rows go to the file beside the journal, wherever the output goes.
        let expected = if name == "copy.jsonl" { (0, "20 rows, 0 failed") } else { (2, "for failed rows") };
        assert_exit(&elsewhere, expected.0, &[expected.1]);
        assert_eq!(story.dir.read(name), content);
        assert_eq!(story.dir.has("elsewhere.jsonl"), name == "copy.jsonl");
        assert_exit(
            &story.dir.rowcall(&["rerun", "copy.jsonl.journal", "--force"]),
            0,
            &["20 rows, 0 failed"],
        );
        assert_eq!(story.dir.read("copy.jsonl"), answers(0..20));
        // A file that it wrote itself is its own.
        assert_exit(&story.dir.rowcall(&["rerun", "copy.jsonl.journal"]), 0, &["20 rows, 0 failed"]);
        for name in ["copy.jsonl", "copy.failed.jsonl", "copy.jsonl.journal", "elsewhere.jsonl"] {
            let _ = std::fs::remove_file(story.dir.path(name));
        }
    }
    assert_eq!(story.output(), answers(0..20));
}

#[test]
fn a_rerun_that_ends_in_an_error_leaves_nothing_beside_the_journal() {
    let story = Story::instant(&ages(20));
    assert_exit(&story.run(&[]), 0, &["20 done"]);
    let rerun = ["rerun", JOURNAL, "-o", "no/such/folder/out.jsonl"];
    assert_exit(&story.dir.rowcall(&rerun), 2, &["cannot write"]);
    for ending in ["-wal", "-shm", "-lock"] {
        assert!(!story.dir.has(&format!("{JOURNAL}{ending}")), "{ending}");
    }
}
