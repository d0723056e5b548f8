"""What is seen of an extractor, its statistics and its results: at a prompt, in a notebook, in help and in an editor."""

import inspect
import io
import sys

import pandas
import pytest
import rowcall
from conftest import PROMPT, TEXTS, Person, Story

REFUSED = '[[faults]]\nrate = 1.0\ncontains = "Lisa Wilson"\nkind = "refusal"\n'


def test_statistics_show_what_there_is(story: Story):
    people = rowcall.Extractor(Person, model=story(REFUSED), prompt=PROMPT)
    assert repr(people.stats) == "Stats()"
    people.gather_sync(TEXTS, return_exceptions=True)
    stats = people.stats
    assert "done=6" in repr(stats) and "abandoned" not in repr(stats)
    assert 0 < stats.elapsed < 60 and stats.rows_per_second == stats.ended / stats.elapsed
    html = people._repr_html_()
    for part in ("Person", "sim/", "6 done, 1 failed (1 refusal)", "tokens", "Extract person info: {{ text }}"):
        assert part in html, html


def test_results_become_a_table_with_the_columns_of_map_table(story: Story):
    people = rowcall.Extractor(Person, model=story(REFUSED), prompt=PROMPT)
    results = people.gather_sync(TEXTS, return_exceptions=True)
    table = rowcall.to_table(results)
    assert isinstance(table, pandas.DataFrame) and list(table["name"][:3]) == ["John Smith", "Sarah Johnson", "Mike Davis"]
    assert table["_error"][3]["kind"] == "refusal" and table["_error"][0] is None
    outcomes = rowcall.to_table(people.ordered(TEXTS))
    assert list(outcomes["_index"]) == list(range(7))
    assert list(rowcall.to_table([1, 2])["value"]) == [1, 2]


def test_a_failure_shows_its_row_and_says_nothing_twice(story: Story):
    people = rowcall.Extractor(Person, model=story('[[faults]]\nrate = 1.0\nkind = "schema_violation"\n'), prompt=PROMPT, max_reasks=0)
    (failed,) = people.gather_sync(TEXTS[:1], return_exceptions=True)
    assert isinstance(failed, rowcall.InvalidError) and "index=0" in repr(failed)
    assert str(failed).count(failed.violations[0].message) == 1
    assert isinstance(failed.usage, rowcall.Usage) and failed.usage.total_tokens > 0


@pytest.mark.parametrize("hidden", [(), ("tqdm", "rich")])
def test_a_bar_shows_failures(story: Story, hidden, capsys, monkeypatch):
    from rowcall import _progress

    find = _progress.find_spec
    monkeypatch.setattr(_progress, "find_spec", lambda name: None if name in hidden else find(name))
    people = rowcall.Extractor(Person, model=story(REFUSED), prompt=PROMPT)
    people.gather_sync(TEXTS, return_exceptions=True, progress=True)
    assert "1 failed" in capsys.readouterr().err


def test_a_bar_of_a_run_is_shown_where_it_was_asked_for(tmp_path, monkeypatch):
    (tmp_path / "in.txt").write_text("\n".join(TEXTS))
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT)
    for progress, is_shown in ((True, True), (False, False), (None, False)):
        shown = io.StringIO()
        monkeypatch.setattr(sys, "stderr", shown)
        # Another test may have made this process look like a notebook.
        monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
        people.run(tmp_path / "in.txt", tmp_path / "out.jsonl", progress=progress, fresh=True)
        monkeypatch.undo()
        assert bool(shown.getvalue()) is is_shown


@pytest.mark.parametrize("kind", [rowcall.Extractor, rowcall.Client])
def test_each_setting_is_a_keyword_with_a_line_of_help(kind):
    names = [name for name in inspect.signature(kind).parameters if name != "self"]
    assert "base_url" in names and not any(name in ("settings", "given") for name in names)
    text = inspect.getdoc(kind) or ""
    for name in names:
        assert f"\n    {name}: " in text or f"\n{name}: " in text, name


def test_an_editor_completes_the_settings():
    jedi = pytest.importorskip("jedi")
    for code in ("import rowcall\nrowcall.Extractor(int, max_out", "import rowcall\nrowcall.Client('sim', base"):
        for completions in (jedi.Script(code).complete(), jedi.Interpreter(code, [{"rowcall": rowcall}]).complete()):
            assert any(found.name in ("max_output_tokens=", "base_url=") for found in completions)


def test_events_have_their_time():
    import threading
    import time

    over, seen = threading.Event(), []

    def on_event(event: rowcall.Event) -> None:
        seen.append(event)
        if event.kind == "ended":
            over.set()

    before = time.time()
    rowcall.Extractor(Person, model="sim", prompt=PROMPT, on_event=on_event).extract_sync(TEXTS[0])
    assert over.wait(30)
    times = [event.time for event in seen]
    assert before - 1 <= times[0] and times == sorted(times) and times[-1] <= time.time() + 1


def test_a_run_over_a_table_says_what_takes_tables(tmp_path):
    with pytest.raises(TypeError, match="`map_table`|map_table"):
        rowcall.run(pandas.DataFrame({"text": TEXTS}), tmp_path / "out.jsonl", Person, model="sim")  # type: ignore[arg-type]
