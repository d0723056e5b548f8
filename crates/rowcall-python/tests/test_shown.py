"""What is seen of an extractor, its statistics and its results: at a prompt, in a notebook, in help and in an editor."""

import inspect
import io
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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


@pytest.mark.parametrize(
    ("amount", "shown"), [(0.0, "$0.00"), (12.0, "$12.00"), (0.12345, "$0.1235"), (0.000012, "$0.000012"), (3e-9, "$0.0000000030")]
)
def test_amounts_are_written_in_full(amount, shown):
    assert rowcall._shown.dollars(amount) == shown


def test_a_notebook_is_shown_what_a_text_consists_of():
    assert rowcall._shown.escaped("\x1b[2J<b>\u202e\x9b\n") == "\\u{1b}[2J&lt;b&gt;\\u{202e}\\u{9b}\n"


def test_results_become_a_table_with_the_columns_of_map_table(story: Story):
    people = rowcall.Extractor(Person, model=story(REFUSED), prompt=PROMPT)
    results = people.gather_sync(TEXTS, return_exceptions=True)
    table = rowcall.to_table(results)
    assert isinstance(table, pandas.DataFrame) and list(table["name"][:3]) == ["John Smith", "Sarah Johnson", "Mike Davis"]
    assert table["_error"][3]["kind"] == "refusal" and table["_error"][0] is None
    outcomes = rowcall.to_table(people.ordered(TEXTS))
    assert list(outcomes["_index"]) == list(range(7))
    assert list(rowcall.to_table([1, 2])["value"]) == [1, 2]


def test_a_failure_shows_its_row_and_repeats_nothing(story: Story):
    people = rowcall.Extractor(Person, model=story('[[faults]]\nrate = 1.0\nkind = "schema_violation"\n'), prompt=PROMPT, max_reasks=0)
    (failed,) = people.gather_sync(TEXTS[:1], return_exceptions=True)
    assert isinstance(failed, rowcall.InvalidError) and "index=0" in repr(failed)
    assert str(failed).count(failed.violations[0].message) == 1 and "to 1 prompt;" in str(failed)
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


def test_waiting_times_by_cause_add_up_to_no_more_than_the_run():
    people = rowcall.Extractor(Person, model="sim", prompt=PROMPT, concurrency=1)
    people.gather_sync(TEXTS)
    stats = people.stats
    assert stats.waits["requests in flight"] == 6 and set(stats.waited) == {"requests in flight"}
    assert 0 < sum(stats.waited.values()) <= stats.elapsed
    assert "requests in flight: " in stats._repr_html_() and "6 requests" in stats._repr_html_()


HELD = '[held]\ncontains = "Lisa Wilson"\nuntil_answered = 1000000\n'


@pytest.mark.parametrize("known", [True, False])
def test_the_remaining_rows_are_known_during_a_call(story: Story, known: bool):
    people = rowcall.Extractor(Person, model=story(HELD), prompt=PROMPT)
    assert (people.stats.left, people.stats.eta) == (None, None)
    outcomes = people.as_completed(TEXTS if known else iter(TEXTS))
    assert "not begun" in outcomes._repr_html_()
    for _, done in zip(range(6), outcomes):
        assert done.ok
    stats = people.stats
    assert stats.left == (1 if known else None) and (stats.eta is not None and stats.eta > 0) is known
    assert "6 of 7, 0 failed" in outcomes._repr_html_() if known else ", 0 failed" in outcomes._repr_html_()
    outcomes.close()
    assert (people.stats.left, people.stats.eta) == (None, None) and "over" in outcomes._repr_html_()


def test_two_calls_at_once_have_the_rows_of_both_left(story: Story):
    people = rowcall.Extractor(Person, model=story(HELD), prompt=PROMPT, dedup=False)
    calls = [people.as_completed(TEXTS), people.as_completed(TEXTS)]
    for call in calls:
        for _, done in zip(range(6), call):
            assert done.ok
    assert people.stats.left == 2
    for call in calls:
        call.close()


@pytest.mark.parametrize("way", ["gather", "extract", "table", "run", "sequential"])
def test_every_method_keeps_failures(story: Story, way: str, tmp_path):
    people = rowcall.Extractor(Person, model=story('[[faults]]\nrate = 1.0\ncontains = "Lisa Wilson"\nkind = "schema_violation"\n'), prompt=PROMPT, max_reasks=0)
    if way == "gather":
        people.gather_sync(TEXTS, return_exceptions=True)
    elif way == "table":
        people.map_table(pandas.DataFrame({"text": TEXTS}))
    elif way == "run":
        (tmp_path / "in.txt").write_text("\n".join(TEXTS))
        people.run(tmp_path / "in.txt", tmp_path / "out.jsonl", progress=False)
    else:
        with pytest.raises(rowcall.InvalidError):
            people.extract_sync(TEXTS[3]) if way == "extract" else people.sequential_sync(TEXTS)
    (failure,) = people.failures()
    assert isinstance(failure, rowcall.Failure)
    assert (failure.index, failure.kind) == (0 if way == "extract" else 3, "invalid")
    assert failure.field is not None and failure.answer and failure.message.startswith("no valid answer")
    html = people.failures()._repr_html_()
    assert "1 failed row" in html and "invalid" in html
    people.close()
    assert people.failures() == [failure]


def test_only_the_latest_failures_are_kept():
    people = rowcall.Extractor(Person, model="sim", prompt="{{ nome }}")
    for done in people.ordered({"number": number} for number in range(1_100)):
        assert not done.ok
    kept = people.failures()
    assert [failure.index for failure in kept] == list(range(100, 1_100)) and kept[0].answer is None
    assert people.stats.failed == {"template": 1_100}
    assert "the last 20 of which are shown" in kept._repr_html_()


def test_an_outcome_has_the_answer_as_the_provider_sent_it(story: Story, tmp_path):
    model = story(REFUSED)
    with rowcall.Extractor(Person, model=model, prompt=PROMPT, journal=tmp_path / "journal") as people:
        for done in people.as_completed(TEXTS):
            said = done.completion["choices"][0]["message"]
            assert done.completion["object"] == "chat.completion" and done.completion["model"] == done.model
            assert (said["refusal"] is None) is done.ok and done.completion["usage"]["completion_tokens"] == done.usage.output_tokens
            assert done.error is None or (done.error.completion == done.completion and done.error.text == said["refusal"])
            assert "tokens" in done._repr_html_() and ("error" if done.error else "value") in done._repr_html_()
    # A journal keeps values, not answers; of failures it keeps the text.
    with rowcall.Extractor(Person, model=model, prompt=PROMPT, journal=tmp_path / "journal") as people:
        for done in people.as_completed(TEXTS):
            assert done.completion is None and (done.error is None or done.error.text)


def test_a_stream_is_a_list_of_its_events():
    class Streams(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            for delta, finish in (({"role": "assistant", "content": "4"}, None), ({"content": "2"}, "stop")):
                choice = {"index": 0, "delta": delta, "finish_reason": finish}
                self.wfile.write(f"data: {json.dumps({'id': '1', 'model': 'm', 'choices': [choice]})}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Streams) as server:
        threading.Thread(target=lambda: server.serve_forever(0.01), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/v1"
        numbers = rowcall.Extractor(int, model="openai/m", base_url=url, api_key="k", prompt=PROMPT)
        (done,) = numbers.as_completed(TEXTS[:1])
        server.shutdown()
    assert [part["choices"][0]["delta"]["content"] for part in done.completion] == ["4", "2"]


@pytest.mark.parametrize("hidden", [(), ("tqdm",), ("tqdm", "rich")])
def test_a_bar_shows_the_cost_and_the_binding_limit(story: Story, hidden, capsys, monkeypatch):
    from rowcall import _progress

    find = _progress.find_spec
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(_progress, "find_spec", lambda name: None if name in hidden else find(name))
    people = rowcall.Extractor(Person, model=story(REFUSED), prompt=PROMPT, concurrency=1, price="in=1000,out=1000")
    people.gather_sync(TEXTS, return_exceptions=True, progress=True)
    shown = capsys.readouterr().err
    for part in ("1 failed", "$0.", "bound by: requests in flight"):
        assert part in shown, (part, shown)


def test_a_bar_estimates_the_total_cost(story: Story):
    from rowcall import _progress

    people = rowcall.Extractor(Person, model=story(HELD), prompt=PROMPT, price="in=1000,out=1000")
    before = [people.stats]
    outcomes = people.as_completed(TEXTS)
    (first,) = (done for _, done in zip(range(1), outcomes))
    assert outcomes._call is not None
    # By now the other rows may have ended as well, so the bar counts from before the call.
    shown = _progress.beside(outcomes._call, lambda: before.pop() if before else people.stats)
    for _, done in zip(range(5), outcomes):
        assert done.ok
    assert " of ~$" in shown() and first.cost > 0
    outcomes.close()


def test_bars_over_tables_have_the_failures_of_their_own_call(story: Story, capsys, monkeypatch):
    import asyncio

    from rowcall import _progress

    find = _progress.find_spec
    monkeypatch.setattr(_progress, "find_spec", lambda name: None if name in ("tqdm", "rich") else find(name))
    people = rowcall.Extractor(Person, model=story(REFUSED), prompt=PROMPT, dedup=False)

    async def both() -> None:
        tables = [pandas.DataFrame({"text": TEXTS[:3]}), pandas.DataFrame({"text": TEXTS[3:]})]
        await asyncio.gather(*[people.map_table_async(table, progress=True) for table in tables])

    asyncio.run(both())
    lines = sorted(line for line in capsys.readouterr().err.splitlines() if line)
    assert ["3 of 3" in lines[0], "failed" in lines[0]] == [True, False]
    assert "4 of 4" in lines[1] and "1 failed" in lines[1]


FUNCTIONS = [rowcall.Extractor, rowcall.Client, rowcall.Client.extractor, rowcall.run, rowcall.Extractor.run, rowcall.Extractor.rerun, rowcall.Extractor.map_table]


@pytest.mark.parametrize("kind", FUNCTIONS, ids=lambda kind: kind.__qualname__)
def test_each_setting_is_a_keyword_with_a_line_of_help(kind):
    parameters = inspect.signature(kind).parameters
    names = [name for name in parameters if name != "self"]
    assert not any(found.kind is inspect.Parameter.VAR_KEYWORD for found in parameters.values())
    text = inspect.getdoc(kind) or ""
    for name in names:
        assert f"\n    {name}: " in text or f"\n{name}: " in text, name


def test_an_editor_completes_the_settings():
    jedi = pytest.importorskip("jedi")
    people = rowcall.Extractor(int, model="sim", prompt=PROMPT)
    given = {"rowcall": rowcall, "people": people, "client": rowcall.Client("sim")}
    for line, name in (
        ("rowcall.Extractor(int, max_out", "max_output_tokens="),
        ("rowcall.Client('sim', base", "base_url="),
        ("rowcall.run('a', 'b', int, max_out", "max_output_tokens="),
        ("rowcall.run('a', 'b', int, limit_r", "limit_rows="),
        ("client.extractor(int, max_out", "max_output_tokens="),
        ("people.run('a', 'b', limit_r", "limit_rows="),
        ("people.map_table(None, fail", "failed_rows="),
    ):
        written = f"import rowcall\npeople = rowcall.Extractor(int, model='sim')\nclient = rowcall.Client('sim')\n{line}"
        for completions in (jedi.Script(written).complete(), jedi.Interpreter(line, [given]).complete()):
            assert any(found.name == name for found in completions), line


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


def test_run_with_a_table_suggests_map_table(tmp_path):
    with pytest.raises(TypeError, match="`map_table`|map_table"):
        rowcall.run(pandas.DataFrame({"text": TEXTS}), tmp_path / "out.jsonl", Person, model="sim")  # type: ignore[arg-type]
