"""Calls the simulator through the official SDKs of OpenAI, Anthropic and Google, its batches also through those of Groq, Together and
Mistral, and checks the results.

    python judge.py http://127.0.0.1:PORT

The simulator plays `judge.toml`. Each answer must be an object that the SDK's own model accepts, without a field that
the model does not know, with the requested value; each error must surface as the SDK's typed exception. Exits
with 1 and says what is wrong otherwise. Needs the packages openai 3, anthropic 2, google-genai 3, groq 1,
together 3 and mistralai 3, or later: older versions do not know all fields of current answers.
"""

import base64
import json
import pathlib
import sys
import tempfile
import time
import traceback
import urllib.request

import anthropic
import groq
import openai
import pydantic
from google import genai
from google.genai import errors as google_errors
from google.genai import types as google_types
from mistralai.client import Mistral
from together import Together

ROW = "John Smith is a 30-year-old software engineer"
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
OPEN_SCHEMA = {key: value for key, value in SCHEMA.items() if key != "additionalProperties"}
VALUE = {"name": "John Smith", "age": 30}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n simulated").decode()
PDF = base64.b64encode(b"%PDF-1.7 simulated").decode()


class Person(pydantic.BaseModel):
    name: str
    age: int


class Wrong(Exception):
    """A mistake of the simulator."""


def check(holds, what):
    if not holds:
        raise Wrong(what)


def equal(found, expected, what):
    check(found == expected, f"{what} is {found!r}, expected {expected!r}")


def known(thing, path="answer"):
    """Checks that the SDK's model knows every field."""
    if isinstance(thing, pydantic.BaseModel):
        # Together's SDK also keeps a field that it renames under its own name.
        aliases = {field.alias for field in type(thing).model_fields.values()}
        extra = {name for name in (thing.__pydantic_extra__ or {}) if not name.startswith("_")} - aliases
        check(not extra, f"{path} ({type(thing).__name__}) has fields unknown to the SDK: {sorted(extra)}")
        for name in type(thing).model_fields:
            known(getattr(thing, name, None), f"{path}.{name}")
    elif isinstance(thing, (list, tuple)):
        for number, item in enumerate(thing):
            known(item, f"{path}[{number}]")


def valid(thing):
    """The SDKs build their objects without validating them; the same is validated here."""
    known(thing)
    plain = thing.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)
    type(thing).model_validate_json(json.dumps(plain), strict=True)
    return thing


def raises(kind, status, ask, contains=""):
    try:
        ask()
    except kind as error:
        found = getattr(error, "status_code", None) or getattr(error, "code", None)
        equal(found, status, f"the status of {kind.__name__}")
        check(contains in str(error), f"{kind.__name__} does not say {contains!r}: {error}")
        return error
    raise Wrong(f"no {kind.__name__} was raised")


def raw(origin, path, body):
    """The body of an answer as it comes, or the data of its events."""
    request = urllib.request.Request(origin + path, json.dumps(body).encode(), method="POST")
    request.add_header("content-type", "application/json")
    request.add_header("anthropic-version", "2026-10-21")
    with urllib.request.urlopen(request) as answer:
        text = answer.read().decode()
        if "event-stream" not in answer.headers["content-type"]:
            return text
    lines = (line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: "))
    return [line for line in lines if line != "[DONE]"]


# OpenAI's Chat Completions


def chat(client, origin):
    ask = client.chat.completions
    base = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": ROW}]}
    format = {"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": SCHEMA}}
    tool = {"type": "function", "function": {"name": "record", "parameters": SCHEMA, "strict": True}}
    forced = {"tools": [tool], "tool_choice": {"type": "function", "function": {"name": "record"}}}

    plain = valid(ask.create(**base))
    check(plain.choices[0].message.content.startswith("Simulated note"), "there is no note")
    check(plain._request_id.startswith("req_sim_"), "there is no request id")
    usage = plain.usage
    equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens, "the total of tokens")

    answer = valid(ask.create(**base, response_format=format, max_completion_tokens=100))
    equal(json.loads(answer.choices[0].message.content), VALUE, "the value")
    answer = ask.parse(**base, response_format=Person)
    equal(answer.choices[0].message.parsed, Person(**VALUE), "what is parsed")
    called = valid(ask.create(**base, **forced))
    call = called.choices[0].message.tool_calls[0]
    equal((call.function.name, json.loads(call.function.arguments)), ("record", VALUE), "the call")
    equal(called.choices[0].finish_reason, "stop", "the finish reason of a named tool")
    thinking = valid(ask.create(**base, reasoning_effort="low"))
    check(thinking.usage.completion_tokens_details.reasoning_tokens > 0, "no reasoning is counted")

    parts = [
        {"type": "text", "text": ROW},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
    ]
    valid(ask.create(model="m", messages=[{"role": "user", "content": parts}], response_format=format))
    again = [
        *base["messages"],
        called.choices[0].message,
        {"role": "tool", "tool_call_id": call.id, "content": "The answer is not valid"},
    ]
    valid(ask.create(**{**base, "messages": again}, **forced))

    def stream(**more):
        options = {"include_usage": True}
        return [valid(chunk) for chunk in ask.create(**base, **more, stream=True, stream_options=options)]

    chunks = stream(response_format=format)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    equal(json.loads(text), VALUE, "the streamed value")
    check(chunks[-1].usage.total_tokens > 0, "the stream does not report its usage")
    deltas = [chunk.choices[0].delta for chunk in stream(**forced) if chunk.choices]
    arguments = "".join(each.tool_calls[0].function.arguments for each in deltas if each.tool_calls)
    equal(json.loads(arguments), VALUE, "the streamed arguments")

    def about(words, **more):
        return lambda: ask.create(model="m", messages=[{"role": "user", "content": words}], **more)

    equal(valid(about("judge: refusal")()).choices[0].message.content, None, "a refusal's content")
    equal(valid(about("judge: filter")()).choices[0].finish_reason, "content_filter", "the finish reason")
    equal(valid(about("judge: length")()).choices[0].finish_reason, "length", "the finish reason")
    equal(valid(about("judge: empty")()).choices[0].message.content, "", "an empty answer")
    equal(len(valid(about("judge: two tools", **forced)()).choices[0].message.tool_calls), 2, "the calls")
    error = raises(openai.RateLimitError, 429, about("judge: 429"))
    equal(error.response.headers["retry-after"], "7", "retry-after")
    raises(openai.InternalServerError, 500, about("judge: 500"))
    error = raises(openai.BadRequestError, 400, about("x", temperature=3), "'temperature'")
    equal((error.param, error.type), ("temperature", "invalid_request_error"), "what the error names")
    raises(openai.BadRequestError, 400, about("x", extra_body={"top_k": 3}), "top_k")
    try:
        list(about("judge: error in 200", stream=True)())
        raise Wrong("an error amid a stream was not noticed")
    except openai.APIError as error:
        check("upstream failed" in str(error), f"the error amid a stream says {error}")


# OpenAI's Responses


def responses(client, origin):
    ask = client.responses
    base = {"model": "gpt-6-luna", "input": ROW, "instructions": "Extract the person.", "store": False}
    format = {"format": {"type": "json_schema", "name": "person", "strict": True, "schema": SCHEMA}}
    tool = {"type": "function", "name": "record", "parameters": SCHEMA, "strict": True, "description": "d"}
    forced = {"tools": [tool], "tool_choice": {"type": "function", "name": "record"}}

    plain = valid(ask.create(**base))
    check(plain.output_text.startswith("Simulated note"), "there is no note")
    equal((plain.status, plain.instructions), ("completed", "Extract the person."), "what is repeated")
    usage = plain.usage
    equal(usage.total_tokens, usage.input_tokens + usage.output_tokens, "the total of tokens")
    counted = valid(client.responses.input_tokens.count(model="gpt-6-luna", input=ROW))
    check(counted.input_tokens > 5, "no tokens are counted")

    answer = valid(ask.create(**base, text=format, max_output_tokens=100))
    equal(json.loads(answer.output_text), VALUE, "the value")
    equal(answer.text.format.schema_, SCHEMA, "the schema that is repeated")
    equal(valid(ask.parse(**base, text_format=Person)).output_parsed, Person(**VALUE), "what is parsed")
    called = valid(ask.create(**base, **forced))
    call = called.output[0]
    equal((call.type, call.name, json.loads(call.arguments)), ("function_call", "record", VALUE), "the call")
    reasoning = {"effort": "low", "summary": "auto"}
    thinking = valid(ask.create(**base, text=format, reasoning=reasoning))
    equal([item.type for item in thinking.output], ["reasoning", "message"], "the items")
    check(thinking.usage.output_tokens_details.reasoning_tokens > 0, "no reasoning is counted")

    user = {"role": "user", "content": ROW}
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "The answer is not valid"}
    valid(ask.create(**{**base, "input": [user, *called.output, output]}, **forced))
    correction = {"role": "user", "content": "The answer is not valid"}
    valid(ask.create(**{**base, "input": [user, *thinking.output, correction]}, text=format))
    parts = [
        {"type": "input_text", "text": ROW},
        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
    ]
    valid(ask.create(**{**base, "input": [{"role": "user", "content": parts}]}, text=format))

    def stream(**more):
        events = [valid(event) for event in ask.create(**{**base, **more}, stream=True)]
        equal([event.sequence_number for event in events], list(range(len(events))), "the numbers")
        return events

    events = stream(text=format, reasoning=reasoning)
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    equal(json.loads(text), VALUE, "the streamed value")
    equal(json.loads(events[-1].response.output_text), VALUE, "the value in the last event")
    events = stream(**forced)
    parts = (event.delta for event in events if event.type == "response.function_call_arguments.delta")
    equal(json.loads("".join(parts)), VALUE, "the streamed arguments")
    equal(stream(input="judge: length")[-1].type, "response.incomplete", "the last event")
    check(any(event.type == "response.refusal.done" for event in stream(input="judge: refusal")), "no refusal")
    with ask.stream(**base, text_format=Person) as helper:
        for _ in helper:
            pass
        equal(helper.get_final_response().output_parsed, Person(**VALUE), "what the helper parses")

    def about(words, **more):
        return lambda: ask.create(**{**base, "input": words}, **more)

    equal(valid(about("judge: refusal")()).output[0].content[0].type, "refusal", "a refusal's part")
    filtered = valid(about("judge: filter")())
    equal((filtered.status, filtered.incomplete_details.reason), ("incomplete", "content_filter"), "a filter")
    cut = valid(about("judge: length")())
    equal((cut.status, cut.incomplete_details.reason), ("incomplete", "max_output_tokens"), "a cut answer")
    equal(valid(about("judge: empty")()).output, [], "an empty output")
    equal(len(valid(about("judge: two tools", **forced)()).output), 2, "the calls")
    failed = valid(about("judge: error in 200")())
    equal((failed.status, failed.error.code), ("failed", "server_error"), "a failed response")
    raises(openai.RateLimitError, 429, about("judge: 429"))
    raises(openai.InternalServerError, 500, about("judge: 500"))
    raises(openai.BadRequestError, 400, about("x", max_output_tokens=1), "'max_output_tokens'")
    loose = {"format": {"type": "json_schema", "name": "p", "strict": True, "schema": OPEN_SCHEMA}}
    error = raises(openai.BadRequestError, 400, about("x", text=loose), "additionalProperties")
    equal(error.code, "invalid_json_schema", "the code of a schema's refusal")
    raises(openai.BadRequestError, 400, about([user, call]), "No tool output found")
    try:
        events = [valid(event) for event in about("judge: error in 200", stream=True)()]
        equal(events[-1].type, "error", "the last event of a failing stream")
    except openai.APIError as error:
        check("upstream failed" in str(error), f"the error amid a stream says {error}")


# Anthropic's Messages


def messages(client, origin):
    ask = client.messages
    base = {"model": "claude-haiku-5-5", "max_tokens": 1024, "messages": [{"role": "user", "content": ROW}]}
    format = {"format": {"type": "json_schema", "schema": SCHEMA}}
    tool = {"name": "record", "input_schema": SCHEMA, "strict": True, "description": "d"}
    forced = {"tools": [tool], "tool_choice": {"type": "tool", "name": "record"}}

    plain = valid(ask.create(**base))
    check(plain.content[0].text.startswith("Simulated note"), "there is no note")
    check(plain._request_id.startswith("req_sim_"), "there is no request id")
    equal((plain.stop_reason, plain.usage.service_tier), ("end_turn", "standard"), "how it stops")
    limits = ask.with_raw_response.create(**base).headers
    for name in ("requests-limit", "input-tokens-remaining", "output-tokens-reset"):
        check(f"anthropic-ratelimit-{name}" in limits, f"the header {name} is missing")
    counted = valid(ask.count_tokens(model=base["model"], messages=base["messages"], tools=[tool]))
    check(counted.input_tokens > 5, "no tokens are counted")

    answer = valid(ask.create(**base, output_config=format, system="Extract the person."))
    equal(json.loads(answer.content[0].text), VALUE, "the value")
    parsed = ask.parse(**base, output_format=Person)
    equal(parsed.parsed_output, Person(**VALUE), "what is parsed")
    called = valid(ask.create(**base, **forced))
    call = called.content[0]
    equal((call.type, call.name, call.input), ("tool_use", "record", VALUE), "the call")
    equal(called.stop_reason, "tool_use", "the reason to stop")
    budget = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048}
    thinking = valid(ask.create(**{**base, **budget}, output_config=format))
    equal([block.type for block in thinking.content], ["thinking", "text"], "the blocks")
    check(thinking.usage.output_tokens_details.thinking_tokens > 0, "no thinking is counted")

    user = base["messages"][0]
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "The answer is not valid", "is_error": True}
    again = [user, {"role": "assistant", "content": called.content}, {"role": "user", "content": [result]}]
    valid(ask.create(**{**base, "messages": again}, **forced))
    correction = {"role": "user", "content": "The answer is not valid"}
    again = [user, {"role": "assistant", "content": thinking.content}, correction]
    valid(ask.create(**{**base, **budget, "messages": again}, output_config=format))
    blocks = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}},
        {"type": "document", "source": {"type": "url", "url": "https://example.org/a.pdf"}},
        {"type": "text", "text": ROW, "cache_control": {"type": "ephemeral"}},
    ]
    valid(ask.create(**{**base, "messages": [{"role": "user", "content": blocks}]}, output_config=format))

    def stream(**more):
        return [valid(event) for event in ask.create(**{**base, **more}, stream=True)]

    events = stream(output_config=format)
    deltas = [event.delta for event in events if event.type == "content_block_delta"]
    equal(json.loads("".join(delta.text for delta in deltas)), VALUE, "the streamed value")
    check(events[-2].usage.output_tokens > 1, "the stream does not report its usage")
    for more in ({"output_config": format, **budget}, forced):
        with ask.stream(**{**base, **more}) as helper:
            final = valid(helper.get_final_message())
        found = final.content[-1]
        value = found.input if found.type == "tool_use" else json.loads(found.text)
        equal(value, VALUE, "what the helper puts together")

    def about(words, **more):
        said = [{"role": "user", "content": words}]
        return lambda: ask.create(**{**base, "messages": said, **more})

    refused = valid(about("judge: refusal")())
    equal((refused.stop_reason, refused.content), ("refusal", []), "a refusal")
    equal(refused.stop_details.category, "general_harms", "the category of a refusal")
    equal(valid(about("judge: filter")()).stop_reason, "refusal", "the reason to stop")
    equal(valid(about("judge: length")()).stop_reason, "max_tokens", "the reason to stop")
    equal(valid(about("judge: empty")()).content, [], "an empty answer")
    equal(len(valid(about("judge: two tools", **forced)()).content), 2, "the calls")
    error = raises(anthropic.RateLimitError, 429, about("judge: 429"))
    equal(error.response.headers["retry-after"], "7", "retry-after")
    equal((error.body["error"]["type"], error.body["type"]), ("rate_limit_error", "error"), "the error's type")
    raises(anthropic.InternalServerError, 500, about("judge: 500"))
    raises(anthropic.InternalServerError, 529, about("judge: overloaded"), "overloaded_error")
    raises(anthropic.BadRequestError, 400, about(""), "non-empty")
    raises(anthropic.BadRequestError, 400, about("x", extra_body={"temperature": 0}), "temperature")
    open_schema = {"format": {"type": "json_schema", "schema": OPEN_SCHEMA}}
    wrong = "output_config.format.schema"
    raises(anthropic.BadRequestError, 400, about("x", output_config=open_schema), wrong)
    newest = about("x", model="claude-sonnet-5-5", **forced)
    raises(anthropic.BadRequestError, 400, newest, "tool_choice")
    try:
        list(about("judge: error in 200", stream=True)())
        raise Wrong("an error amid a stream was not noticed")
    except anthropic.APIStatusError as error:
        equal(error.body["error"]["type"], "api_error", "the error amid a stream")


# Gemini's generateContent


def gemini(client, origin):
    ask = client.models
    base = {"model": "gemini-3.8-flash", "contents": ROW}
    format = {"response_mime_type": "application/json", "response_json_schema": SCHEMA}
    function = {"name": "record", "description": "d", "parameters_json_schema": SCHEMA}
    calling = {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["record"]}}
    manual = {"automatic_function_calling": {"disable": True}}
    forced = {"tools": [{"function_declarations": [function]}], "tool_config": calling, **manual}

    plain = valid(ask.generate_content(**base))
    check(plain.text.startswith("Simulated note"), "there is no note")
    usage = plain.usage_metadata
    total = usage.prompt_token_count + usage.candidates_token_count
    equal(usage.total_token_count, total, "the total of tokens")
    check(ask.count_tokens(**base).total_tokens > 5, "no tokens are counted")

    answer = valid(ask.generate_content(**base, config={**format, "temperature": 0, "max_output_tokens": 99}))
    equal(json.loads(answer.text), VALUE, "the value")
    typed = {"response_mime_type": "application/json", "response_schema": Person}
    answer = valid(ask.generate_content(**base, config=typed))
    equal(answer.parsed, Person(**VALUE), "what is parsed")
    called = valid(ask.generate_content(**base, config=forced))
    equal((called.function_calls[0].name, called.function_calls[0].args), ("record", VALUE), "the call")
    equal(called.candidates[0].finish_reason, google_types.FinishReason.STOP, "the reason to finish")
    thinking = {**format, "thinking_config": {"include_thoughts": True}}
    answer = valid(ask.generate_content(**base, config=thinking))
    equal(json.loads(answer.text), VALUE, "the value beside a thought")
    thought = answer.usage_metadata.thoughts_token_count
    said = answer.usage_metadata.candidates_token_count
    prompt = answer.usage_metadata.prompt_token_count
    equal(answer.usage_metadata.total_token_count, prompt + thought + said, "the total with thoughts")

    user = google_types.Content(role="user", parts=[google_types.Part(text=ROW)])
    response = google_types.Part.from_function_response(name="record", response={"error": "name is wrong"})
    reply = google_types.Content(role="user", parts=[response])
    again = [user, called.candidates[0].content, reply]
    valid(ask.generate_content(model=base["model"], contents=again, config=forced))
    parts = [
        google_types.Part.from_bytes(data=base64.b64decode(PNG), mime_type="image/png"),
        google_types.Part.from_uri(file_uri="https://example.org/a.pdf", mime_type="application/pdf"),
        google_types.Part(text=ROW),
    ]
    valid(ask.generate_content(model=base["model"], contents=parts, config=format))

    def stream(contents=ROW, config=None):
        return [valid(chunk) for chunk in ask.generate_content_stream(model=base["model"], contents=contents, config=config)]

    chunks = stream(config=thinking)
    check(len(chunks) > 2, "a stream has one chunk only")
    equal(json.loads("".join(chunk.text or "" for chunk in chunks)), VALUE, "the streamed value")
    check(chunks[-1].usage_metadata.candidates_token_count > 0, "the stream does not report its usage")
    equal(stream(config=forced)[-1].function_calls[0].args, VALUE, "the streamed call")

    def about(words, **config):
        return lambda: ask.generate_content(model=base["model"], contents=words, config=config)

    blocked = valid(about("judge: refusal")())
    equal(blocked.candidates, None, "the candidates of a blocked prompt")
    equal(blocked.prompt_feedback.block_reason, google_types.BlockedReason.PROHIBITED_CONTENT, "the reason")
    reasons = google_types.FinishReason
    equal(valid(about("judge: filter")()).candidates[0].finish_reason, reasons.SAFETY, "a filter's reason")
    equal(valid(about("judge: length")()).candidates[0].finish_reason, reasons.MAX_TOKENS, "a cut's reason")
    equal(valid(about("judge: empty")()).text, None, "an empty answer")
    equal(len(valid(about("judge: two tools", **forced)()).function_calls), 2, "the calls")
    error = raises(google_errors.ClientError, 429, about("judge: 429"))
    equal(error.status, "RESOURCE_EXHAUSTED", "the error's status")
    check("'retryDelay': '7s'" in str(error.details), f"no delay is reported: {error.details}")
    raises(google_errors.ServerError, 500, about("judge: 500"), "INTERNAL")
    error = raises(google_errors.ClientError, 400, about("x", temperature=3), "temperature")
    equal(error.status, "INVALID_ARGUMENT", "the error's status")
    pattern = {**SCHEMA, "properties": {**SCHEMA["properties"], "name": {"type": "string", "pattern": "^J"}}}
    wrong = {**format, "response_json_schema": pattern}
    raises(google_errors.ClientError, 400, about("x", **wrong), "response_json_schema.properties.name")
    try:
        stream("judge: error in 200")
        raise Wrong("an error amid a stream was not noticed")
    except google_errors.APIError as error:
        check("upstream failed" in str(error), f"the error amid a stream says {error}")


# Things that the SDKs convert or drop before their users see them


def bare(client, origin):
    said = [{"role": "user", "content": ROW}]
    json_schema = {"type": "json_schema", "name": "person", "strict": True, "schema": SCHEMA}
    chat = {"model": "m", "messages": said, "reasoning_effort": "low"}
    usage = {"stream": True, "stream_options": {"include_usage": True}}
    response = {"model": "m", "input": ROW, "text": {"format": json_schema}}
    response["reasoning"] = {"effort": "low", "summary": "auto"}
    message = {"model": "claude-opus-5-5", "max_tokens": 99, "messages": said}
    config = {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}
    config["thinking_config"] = {"include_thoughts": True}
    content = {"contents": [{"parts": [{"text": ROW}]}], "generation_config": config}
    gemini = "/v1/models/gemini-3.8-flash:"
    google = google_types.GenerateContentResponse
    cases = [
        ("/v1/chat/completions", chat, openai.types.chat.ChatCompletion),
        ("/v1/chat/completions", {**chat, **usage}, openai.types.chat.ChatCompletionChunk),
        ("/v1/responses", response, openai.types.responses.Response),
        ("/v1/responses", {**response, "stream": True}, openai.types.responses.ResponseStreamEvent),
        ("/v1/messages", message, anthropic.types.Message),
        ("/v1/messages", {**message, "stream": True}, anthropic.types.RawMessageStreamEvent),
        (gemini + "generateContent", content, google),
        (gemini + "streamGenerateContent?alt=sse", content, google),
        (gemini + "streamGenerateContent", content, list[google]),
    ]
    for path, body, kind in cases:
        found = raw(origin, path, body)
        for text in found if isinstance(found, list) else [found]:
            # Anthropic's SDK drops pings, which are not events to it.
            if json.loads(text) == {"type": "ping"}:
                continue
            try:
                known(pydantic.TypeAdapter(kind).validate_json(text, strict=True))
            except (pydantic.ValidationError, Wrong) as error:
                raise Wrong(f"{path} answers {text[:300]}: {str(error)[:300]}") from error


def ended(look, has_ended):
    """The batch that `look` returns once it has ended; the simulator's batches take a second."""
    until = time.monotonic() + 30
    while True:
        batch = look()
        if has_ended(batch):
            return batch
        check(time.monotonic() < until, f"the batch does not end: {batch!r}")
        time.sleep(0.05)


def openai_batches(client, origin):
    texts = [ROW, "judge: 429", "judge: refusal"]
    bodies = [{"model": "gpt-6-luna", "messages": [{"role": "user", "content": text}]} for text in texts]
    url = "/v1/chat/completions"
    lines = [
        json.dumps({"custom_id": f"row-{number}", "method": "POST", "url": url, "body": body})
        for number, body in enumerate(bodies)
    ]
    file = valid(client.files.create(file=("in.jsonl", "\n".join(lines).encode()), purpose="batch"))
    equal(valid(client.files.retrieve(file.id)).filename, "in.jsonl", "the file's name")
    create = {"endpoint": url, "completion_window": "24h", "metadata": {"run": "r1"}}
    batch = valid(client.batches.create(input_file_id=file.id, **create))
    equal((batch.status, batch.metadata), ("validating", {"run": "r1"}), "the new batch")
    over = ("completed", "failed", "expired", "cancelled")
    batch = ended(lambda: valid(client.batches.retrieve(batch.id)), lambda batch: batch.status in over)
    equal(batch.status, "completed", "the state")
    counts = batch.request_counts
    equal((counts.total, counts.completed, counts.failed), (3, 2, 1), "the counts")
    output, errors = (client.files.content(id).text for id in (batch.output_file_id, batch.error_file_id))
    found = {line["custom_id"]: line for line in map(json.loads, (output + errors).splitlines())}
    equal(sorted(found), ["row-0", "row-1", "row-2"], "the rows")
    equal(found["row-1"]["response"]["status_code"], 429, "the status of a row")
    for row in ("row-0", "row-2"):
        valid(openai.types.chat.ChatCompletion.model_validate(found[row]["response"]["body"]))
    other = valid(client.batches.create(input_file_id=file.id, **create))
    equal([each.id for each in client.batches.list(limit=1)][:2], [other.id, batch.id], "the list, page by page")
    equal(valid(client.batches.cancel(other.id)).status, "cancelling", "the state after a cancel")
    raises(openai.NotFoundError, 404, lambda: client.batches.retrieve("batch_none"))


def of_files(texts):
    """The lines of a batch file with a chat about each text, and the path that they name."""
    url = "/v1/chat/completions"
    bodies = [{"model": "m", "messages": [{"role": "user", "content": text}]} for text in texts]
    lines = [
        {"custom_id": f"row-{number}", "method": "POST", "url": url, "body": body}
        for number, body in enumerate(bodies)
    ]
    return "\n".join(map(json.dumps, lines)).encode(), url


def results(*texts):
    """The statuses in an output and an error file, by their rows."""
    lines = [json.loads(line) for text in texts for line in text.splitlines()]
    return {line["custom_id"]: line["response"]["status_code"] for line in lines}


def groq_batches(client, origin):
    # The simulator plays OpenAI, whose objects have a few fields more.
    def valid(thing):
        more = {"expires_at", "status", "status_details"} if "status" in (thing.__pydantic_extra__ or {}) else {"model"}
        equal(set(thing.__pydantic_extra__ or {}) - more, set(), f"the fields of {type(thing).__name__} that Groq has not")
        return thing

    content, url = of_files([ROW, "judge: 429"])
    file = valid(client.files.create(file=("in.jsonl", content), purpose="batch"))
    equal(valid(client.files.info(file.id)).bytes, len(content), "the file's size")
    create = {"endpoint": url, "completion_window": "7d", "metadata": {"run": "r1"}}
    batch = valid(client.batches.create(input_file_id=file.id, **create))
    batch = ended(lambda: valid(client.batches.retrieve(batch.id)), lambda batch: batch.status == "completed")
    files = (client.files.content(id).text() for id in (batch.output_file_id, batch.error_file_id))
    equal(results(*files), {"row-0": 200, "row-1": 429}, "the results")
    check(batch.id in [each.id for each in client.batches.list().data], "the batch is not in the list")
    other = valid(client.batches.create(input_file_id=file.id, **create))
    equal(valid(client.batches.cancel(other.id)).status, "cancelling", "the state after a cancel")
    check(client.files.delete(file.id).deleted, "the file is not deleted")
    raises(groq.NotFoundError, 404, lambda: client.files.info(file.id))


def together_batches(client, origin):
    content, url = of_files([ROW, "judge: 429"])
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "in.jsonl"
        path.write_bytes(content)
        # The SDK announces the file, sends its content elsewhere, and has it taken up.
        file = valid(client.files.upload(file=path, purpose="batch-api", check=False))
    equal((file.filename, file.bytes), ("in.jsonl", len(content)), "the file")
    created = valid(client.batches.create(input_file_id=file.id, endpoint=url))
    equal(created.job.status, "VALIDATING", "the new batch")
    look = lambda: valid(client.batches.retrieve(created.job.id))
    job = ended(look, lambda job: job.status == "COMPLETED")
    equal((job.progress, job.input_file_id), (100.0, file.id), "the progress and the file")
    files = (client.files.content(id).read().decode() for id in (job.output_file_id, job.error_file_id))
    equal(results(*files), {"row-0": 200, "row-1": 429}, "the results")
    other = client.batches.create(input_file_id=file.id, endpoint=url).job
    equal([each.id for each in client.batches.list()][:2], [other.id, job.id], "the list")
    valid(client.batches.cancel(other.id))
    ended(lambda: client.batches.retrieve(other.id), lambda job: job.status == "CANCELLED")
    check(client.files.delete(file.id).deleted, "the file is not deleted")


def mistral_batches(client, origin):
    content, url = of_files([ROW, "judge: 429"])
    lines = [json.loads(line) for line in content.splitlines()]
    lines = [{"custom_id": line["custom_id"], "body": line["body"]} for line in lines]
    content = "\n".join(map(json.dumps, lines)).encode()
    file = client.files.upload(file={"file_name": "in.jsonl", "content": content}, purpose="batch")
    equal((file.num_lines, file.size_bytes), (2, len(content)), "the file")
    jobs = client.batch.jobs
    create = {"endpoint": url, "model": "m", "metadata": {"rowcall_batch": "r1"}}
    job = jobs.create(input_files=[file.id], **create)
    equal((job.status, job.total_requests), ("QUEUED", 2), "the new job")
    job = ended(lambda: jobs.get(job_id=job.id), lambda job: job.status == "SUCCESS")
    equal((job.succeeded_requests, job.failed_requests), (1, 1), "the counts")
    files = (client.files.download(file_id=id).read().decode() for id in (job.output_file, job.error_file))
    equal(results(*files), {"row-0": 200, "row-1": 429}, "the results")
    inline = jobs.create(requests=lines, **create)
    equal([each.id for each in jobs.list(page_size=2).data], [inline.id, job.id], "the list")
    equal(jobs.list(page_size=1, page=1).data[0].id, job.id, "the second page")
    equal(jobs.cancel(job_id=inline.id).status, "CANCELLATION_REQUESTED", "the state after a cancel")
    check(client.files.delete(file_id=file.id).deleted, "the file is not deleted")


def anthropic_batches(client, origin):
    texts = [ROW, "judge: 429", "judge: refusal"]
    message = {"model": "claude-haiku-5-5", "max_tokens": 100}
    requests = [
        {"custom_id": f"row-{number}", "params": {**message, "messages": [{"role": "user", "content": text}]}}
        for number, text in enumerate(texts)
    ]
    batches = client.messages.batches
    batch = valid(batches.create(requests=requests))
    equal((batch.processing_status, batch.request_counts.processing), ("in_progress", 3), "the new batch")
    batch = ended(lambda: valid(batches.retrieve(batch.id)), lambda batch: batch.processing_status == "ended")
    counts = batch.request_counts
    equal((counts.succeeded, counts.errored, counts.processing), (2, 1, 0), "the counts")
    results = {each.custom_id: valid(each).result for each in batches.results(batch.id)}
    kinds = {row: result.type for row, result in results.items()}
    equal(kinds, {"row-0": "succeeded", "row-1": "errored", "row-2": "succeeded"}, "the results")
    equal(results["row-0"].message.usage.service_tier, "batch", "the tier")
    other = valid(batches.create(requests=requests))
    equal([each.id for each in batches.list(limit=1)][:2], [other.id, batch.id], "the list, page by page")
    equal(valid(batches.cancel(other.id)).processing_status, "canceling", "the state after a cancel")
    twice = [requests[0], requests[0]]
    raises(anthropic.BadRequestError, 400, lambda: batches.create(requests=twice), "custom_id must be unique")


def gemini_batches(client, origin):
    content = lambda text: {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    requests = [{**content(text), "metadata": {"key": f"row-{number}"}} for number, text in enumerate([ROW, "judge: 429"])]
    model = "gemini-3.8-flash"
    job = client.batches.create(model=model, src=requests, config={"display_name": "r1"})
    equal(job.display_name, "r1", "the name")
    job = ended(lambda: client.batches.get(name=job.name), lambda job: job.done)
    equal(job.state.name, "JOB_STATE_SUCCEEDED", "the state")
    found = {each.metadata["key"]: each for each in job.dest.inlined_responses}
    check(found["row-0"].response.text, "row-0 has no text")
    equal(found["row-1"].error.code, 429, "the code of an error")
    lines = [json.dumps({"key": f"row-{number}", "request": content(ROW)}) for number in range(2)]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write("\n".join(lines))
        file.flush()
        uploaded = client.files.upload(file=file.name, config={"mime_type": "application/jsonl"})
    job = client.batches.create(model=model, src=uploaded.name)
    job = ended(lambda: client.batches.get(name=job.name), lambda job: job.done)
    text = client.files.download(file=job.dest.file_name).decode()
    equal(sorted(json.loads(line)["key"] for line in text.splitlines()), ["row-0", "row-1"], "the keys in the file")
    job = client.batches.create(model=model, src=requests)
    client.batches.cancel(name=job.name)
    job = ended(lambda: client.batches.get(name=job.name), lambda job: job.done)
    equal(job.state.name, "JOB_STATE_CANCELLED", "the state after a cancel")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for package, least in ((openai, 3), (anthropic, 2), (genai, 3)):
        if int(package.__version__.split(".")[0]) < least:
            sys.exit(f"{package.__name__} {package.__version__} is too old: {least} or later is needed")
    origin = sys.argv[1].rstrip("/").removesuffix("/v1")
    key = {"api_key": "sk-simulated"}
    options = google_types.HttpOptions(base_url=origin)
    clients = [
        (chat, openai.OpenAI(base_url=f"{origin}/v1", max_retries=0, **key)),
        (responses, openai.OpenAI(base_url=f"{origin}/v1", max_retries=0, **key)),
        (messages, anthropic.Anthropic(base_url=origin, max_retries=0, **key)),
        (gemini, genai.Client(http_options=options, **key)),
        (openai_batches, openai.OpenAI(base_url=f"{origin}/v1", max_retries=0, **key)),
        (groq_batches, groq.Groq(base_url=origin, max_retries=0, **key)),
        (together_batches, Together(base_url=f"{origin}/together", max_retries=0, **key)),
        (mistral_batches, Mistral(server_url=f"{origin}/mistral", **key)),
        (anthropic_batches, anthropic.Anthropic(base_url=origin, max_retries=0, **key)),
        (gemini_batches, genai.Client(http_options=options, **key)),
        (bare, None),
    ]
    failed = 0
    for judge, client in clients:
        try:
            judge(client, origin)
            print(f"{judge.__name__}: the SDK takes every answer")
        except Exception as error:
            failed += 1
            place = traceback.extract_tb(error.__traceback__)
            line = next(frame for frame in reversed(place) if frame.filename == __file__ and frame.name == judge.__name__)
            what = error if isinstance(error, Wrong) else f"{type(error).__name__}: {error}"
            print(f"{judge.__name__}: {what}\n  at line {line.lineno}: {line.line}", file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
