"""Errors: their classes, what they report, and the secrets they do not."""

import inspect
import pickle
import re
import sys
import traceback
from pathlib import Path

import pytest
import rowcall
from conftest import PROMPT, TEXTS, Person, Story

KEY = "sk-very-secret"


def fault(kind: str) -> str:
    return f"[[faults]]\nrate = 1.0\nkind = {kind}\n"


@pytest.mark.parametrize(
    ("kind", "error", "settings"),
    [
        ("{ status = { code = 401 } }", rowcall.AuthError, {}),
        ("{ status = { code = 404 } }", rowcall.NotFoundError, {}),
        ("{ status = { code = 413 } }", rowcall.TooLargeError, {}),
        ("{ status = { code = 500 } }", rowcall.ServerError, {"retries": 0}),
        ('"refusal"', rowcall.RefusalError, {}),
        ('"content_filter"', rowcall.ContentFilterError, {}),
        ('"length"', rowcall.TruncatedError, {"max_reasks": 0}),
        ('"schema_violation"', rowcall.InvalidError, {"max_reasks": 1}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_kind_has_its_class(story: Story, kind, error, settings):
    people = rowcall.Extractor(Person, model=story(fault(kind)), prompt=PROMPT, **settings)
    with pytest.raises(error) as caught:
        people.extract_sync(TEXTS[0])
    assert type(caught.value) is error
    assert isinstance(caught.value, rowcall.RowError) and isinstance(caught.value, rowcall.Error)
    assert str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is error and str(again) == str(caught.value)


def test_an_error_that_affects_every_row_stops_the_run(story: Story):
    people = rowcall.Extractor(Person, model=story(fault("{ status = { code = 401 } }")), prompt=PROMPT)
    with pytest.raises(rowcall.AuthError) as caught:
        people.gather_sync(TEXTS, return_exceptions=True, concurrency=1)
    assert caught.value.index is None and caught.value.status == 401
    # A request that was about to be sent may have been sent.
    assert people.stats.requests <= 2


def test_a_server_that_is_not_there():
    people = rowcall.Extractor(Person, model="openai/x", base_url="http://127.0.0.1:9/v1", api_key=KEY, retries=0)
    with pytest.raises(rowcall.UnreachableError) as caught:
        people.extract_sync(TEXTS[0])
    assert isinstance(caught.value, ConnectionError)
    assert caught.value.hint and "base URL" in caught.value.hint


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exceptions have notes since 3.11")
def test_the_hint_is_a_note_in_the_words_of_this_package(story: Story):
    people = rowcall.Extractor(Person, model=story(fault('"length"')), prompt=PROMPT, max_reasks=0)
    with pytest.raises(rowcall.TruncatedError) as caught:
        people.extract_sync(TEXTS[0])
    assert caught.value.__notes__ == ["raise `max_output_tokens=`"]


def test_invalid_settings_are_reported_before_anything_is_sent(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(rowcall.ConfigError, match="OPENAI_API_KEY") as caught:
        rowcall.Extractor(Person, model="openai/gpt-6-luna")
    assert isinstance(caught.value, ValueError)
    with pytest.raises(rowcall.ConfigError, match="`opnai`") as caught:
        rowcall.Extractor(Person, model="opnai/gpt-6-luna")
    assert "openai" in (caught.value.hint or "")
    with pytest.raises(rowcall.ConfigError, match="template|prompt"):
        rowcall.Extractor(Person, model="sim", prompt="{{ text")
    with pytest.raises(rowcall.ConfigError, match="`tools`"):
        rowcall.Extractor(Person, model="sim", mode="tools")  # type: ignore[arg-type]
    for given in (
        {"params": {"x": object()}},
        {"params": [1]},
        {"temperature": float("nan")},
        {"headers": [("a", "b")]},
        {"headers": {"a": 1}},
        {"api_key": 5},
        {"on_event": 3},
    ):
        (name,) = given
        with pytest.raises((rowcall.ConfigError, TypeError), match=f"`{name}`"):
            rowcall.Extractor(Person, model="sim", **given)
    with pytest.raises(TypeError, match="`max_retries` is not a setting of an extractor: use `max_reasks=`"):
        rowcall.Extractor(Person, model="sim", max_retries=3)
    # None means the same as leaving it out.
    rowcall.Extractor(Person, model="sim", images=None, examples=None, params=None, dedup=None, journal=None)
    for given in ({"rpm": "fast"}, {"prompt": None}, {"examples": [("Ann is 3", {}), (1,)]}, {"images": "photo"}):
        (name,) = given
        with pytest.raises((rowcall.ConfigError, TypeError, ValueError), match=f"`{name}"):
            rowcall.Extractor(Person, model="sim", **given)
    with pytest.raises(rowcall.ConfigError, match="timeout"):
        rowcall.Extractor(Person, model="sim", timeout=-1)


def test_a_row_that_lacks_a_variable():
    people = rowcall.Extractor(Person, model="sim", prompt="{{ name }}")
    values = people.gather_sync([{"name": "Ann"}, {"nome": "Ann"}], return_exceptions=True)
    assert isinstance(values[1], rowcall.TemplateError)
    assert values[1].attempts == 0 and "`name`" in str(values[1])


def test_an_outcome_without_a_value_raises_where_it_is_used(story: Story):
    people = rowcall.Extractor(Person, model=story(fault('"refusal"')), prompt=PROMPT)
    (done,) = people.as_completed([TEXTS[0]])
    assert not done.ok and isinstance(done.error, rowcall.RefusalError)
    with pytest.raises(rowcall.RefusalError):
        _ = done.value
    assert done.usage.input_tokens > 0
    assert "RefusalError" in repr(done)


def test_keys_are_never_shown(story: Story):
    people = rowcall.Extractor(
        Person,
        model="openai/x",
        base_url="http://127.0.0.1:9/v1",
        api_key=KEY,
        headers={"x-proxy-key": "also-secret"},
        retries=0,
    )
    shown = [repr(people), str(people), repr(people._core), repr(people.stats), repr(people.preview("x"))]
    with pytest.raises(rowcall.UnreachableError) as caught:
        people.extract_sync("x")
    shown += [repr(caught.value), str(caught.value), repr(vars(caught.value))]
    assert not any(secret in text for text in shown for secret in (KEY, "also-secret"))


def test_every_setting_that_a_hint_may_mention_is_a_keyword():
    source = (Path(__file__).parents[2] / "rowcall/src/hint.rs").read_text()
    names = set(re.findall(r'Self::\w+ => "([a-z_]+)",', source))
    assert {"timeout", "journal", "input_format"} <= names
    of_the_command_line = {"image", "older_than", "plan", "max_size", "equal_rows"}
    assert names - of_the_command_line <= set(inspect.signature(rowcall.run).parameters)


def shown(error: BaseException) -> str:
    """The error as reports show it that show all variables of the package's own frames."""
    found = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(str(frame.locals) for frame in found.stack if "rowcall" in str(frame.filename) and "test_errors" not in frame.filename)


def test_keys_are_not_in_local_variables(tmp_path):
    secret = {"api_key": KEY, "headers": {"x-proxy-key": "also-secret"}}
    for given in ({"prompt": "{{ text"}, {"concurrency": 0}, {"mode": "tools"}, {"unknown": 1}, {"headers": {"x": b"also-secret"}}):
        for ask in (
            lambda: rowcall.Extractor(Person, model="openai/x", **{**secret, **given}),
            lambda: rowcall.run(tmp_path / "none.csv", tmp_path / "none.jsonl", Person, model="openai/x", **{**secret, **given}),
        ):
            with pytest.raises((TypeError, ValueError)) as caught:
                ask()
            found = shown(caught.value)
            assert "model" in found and KEY not in found and "also-secret" not in found, (given, found)
    people = rowcall.Extractor(Person, model="openai/x", **secret)
    assert KEY not in repr(vars(people)) + repr(vars(people._client)) and "also-secret" not in repr(vars(people._client))


def test_a_key_may_be_one_of_pydantics_secrets(monkeypatch):
    from pydantic import SecretStr

    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    people = rowcall.Extractor(Person, model="openai/x", api_key=SecretStr(KEY), headers={"x-proxy-key": SecretStr("also-secret")})
    assert people._client._api_key.get_secret_value() == KEY and people._client._headers.get_secret_value() == [("x-proxy-key", "also-secret")]
