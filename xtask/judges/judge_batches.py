"""Checks what we send to batch APIs with the official SDKs of OpenAI, Groq, Together, Mistral, Anthropic and Google.

    python judge_batches.py batches.jsonl

Each line is what one provider is sent: the body of the create and the lines of its file. Before that it checks the checks: an unknown
key anywhere outside a schema, and a key left out, must be rejected. Exits with 1 if anything is wrong.
"""

import copy
import json
import sys

import groq.types
import groq.types.chat.completion_create_params
import openai.types
import together.types
import together.types.chat.completion_create_params
from anthropic.types.messages import batch_create_params as anthropic_batch
from google.genai import types as google
from mistralai.client import models as mistral
from openai.types.chat.completion_create_params import CompletionCreateParams
from openai.types.responses.response_create_params import ResponseCreateParams

import sdks
import typed

BODIES = {
    ("openai", "chat"): CompletionCreateParams,
    ("openai", "responses"): ResponseCreateParams,
    ("groq", "chat"): groq.types.chat.completion_create_params.CompletionCreateParams,
    ("together", "chat"): together.types.chat.completion_create_params.CompletionCreateParams,
}
CREATES = {
    "openai": openai.types.BatchCreateParams,
    "groq": groq.types.BatchCreateParams,
    "together": together.types.BatchCreateParams,
}

# Together's client declares the choice of a tool as a call of it, with arguments, which a choice cannot have. Two fields that every provider
# with OpenAI's protocol is sent beside tools it does not know.
KNOWN = {
    "together": (
        "tool_choice.id",
        "tool_choice.index",
        "tool_choice.function.arguments",
        "tools[0].function.strict",
        "body.parallel_tool_calls",
    ),
}

# What belongs to the user, and may hold anything.
OPEN = ("schema", "parameters", "input_schema", "parametersJsonSchema", "responseJsonSchema", "metadata", "input", "args", "response")


def lines(sent):
    found, ids = [], set()
    for number, line in enumerate(sent["lines"]):
        place = f"lines[{number}]"
        id = line.get("key") or line.get("custom_id")
        if not id or id in ids:
            found.append((place, "no id of its own"))
        ids.add(id)
        found += LINES[sent["provider"]](sent, line, place)
    return found


def of_openai(sent, line, place):
    """No SDK declares a type for it: the fields are those of OpenAI's reference."""
    found = exactly(line, {"custom_id", "method", "url", "body"}, place)
    if line.get("method") != "POST" or line.get("url") != sent["create"].get("endpoint"):
        found.append((place, "not a POST to the endpoint of the batch"))
    return found or typed.complaints(line["body"], BODIES[sent["provider"], sent["protocol"]], f"{place}.body")


def of_mistral(sent, line, place):
    found = same(mistral.BatchRequest, line, place)
    return found or same(mistral.ChatCompletionRequest, line["body"], f"{place}.body")


def of_anthropic(sent, line, place):
    return typed.complaints(line, anthropic_batch.Request, place)


def of_google(sent, line, place):
    found = exactly(line, {"key", "request"}, place)
    if found:
        return found
    body = dict(line["request"])
    contents, generation = body.pop("contents", []), body.pop("generationConfig", {})
    for number, content in enumerate(contents):
        sdks.modelled(google.Content, content, f"{place}.contents[{number}]", found)
    if not contents or not isinstance(generation, dict):
        return [(place, "no contents, or no configuration")]
    sdks.modelled(google.GenerateContentConfig, {**body, **generation}, f"{place}.config", found)
    return found


LINES = {
    "openai": of_openai,
    "groq": of_openai,
    "together": of_openai,
    "mistral": of_mistral,
    "anthropic": of_anthropic,
    "google": of_google,
}


def create(sent):
    provider, body = sent["provider"], sent["create"]
    if provider in CREATES:
        return typed.complaints(body, CREATES[provider], "create")
    if provider == "mistral":
        return same(mistral.CreateBatchJobRequest, body, "create")
    if provider == "anthropic":
        return typed.complaints(body, anthropic_batch.BatchCreateParams, "create")
    # The SDK sends a create of its own for the same arguments.
    said = body.get("batch", {})
    arguments = {"model": "gemini-3.8-flash", "src": said.get("inputConfig", {}).get("fileName", "files/none")}
    sdks.sent.clear()
    try:
        sdks.GOOGLE.batches.create(**arguments, config={"display_name": said.get("displayName")})
    except Exception:
        # The server behind it answers with nothing; what counts is what it was sent.
        pass
    theirs = json.loads(sdks.sent[0].content)
    return [] if theirs == body else [("create", f"{body}, the SDK sends {theirs}")]


def exactly(value, keys, place):
    found = [(place, f"{key} is unknown") for key in value.keys() - keys]
    return found + [(place, f"{key} is missing") for key in keys - value.keys()]


def same(model, value, place):
    """Mistral's models leave out what they do not know."""
    try:
        kept = json.loads(model.model_validate(value).model_dump_json(by_alias=True, exclude_unset=True))
    except Exception as error:
        return [(place, str(error).splitlines()[0])]
    return different(value, kept, place)


def different(ours, kept, place):
    if isinstance(ours, dict) and isinstance(kept, dict):
        found = [(f"{place}.{key}", "is unknown") for key in ours.keys() - kept.keys()]
        return found + [each for key in ours.keys() & kept.keys() for each in different(ours[key], kept[key], f"{place}.{key}")]
    if isinstance(ours, list) and isinstance(kept, list) and len(ours) == len(kept):
        return [each for at, pair in enumerate(zip(ours, kept)) for each in different(*pair, f"{place}[{at}]")]
    return [] if ours == kept else [(place, f"{ours!r}, the SDK has {kept!r}")]


def complaints(sent):
    found = create(sent) + lines(sent)
    return [each for each in found if not each[0].endswith(KNOWN.get(sent["provider"], ()))]


def spoilt(value, path=()):
    """Each mistake, and where it is: an unknown key in any object that is not the user's."""
    if isinstance(value, dict):
        yield ".".join(map(str, path)), path
        for key, item in value.items():
            if key not in OPEN:
                yield from spoilt(item, (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from spoilt(item, (*path, at))


def broken(sent, path):
    sent = copy.deepcopy(sent)
    place = sent
    for step in path:
        place = place[step]
    place["unknown_to_all"] = True
    return sent


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as text:
        everything = [json.loads(line) for line in text]
    wrong = 0
    for sent in everything:
        name = f"{sent['provider']} ({sent['protocol']})"
        found = complaints(sent)
        for place, what in found:
            print(f"{name}: {place}: {what}")
        seen, missed = 0, []
        small = {**sent, "lines": sent["lines"][:1] + sent["lines"][-1:]}
        for place, path in spoilt({"create": small["create"], "lines": small["lines"]}):
            if not path or path == ("lines",) or complaints(broken(small, path)):
                seen += 1
            else:
                missed.append(place)
        for place in missed:
            print(f"{name}: the judge does not see an unknown key at {place}")
        print(f"{name}: {len(sent['lines'])} lines and the create, {seen} spoilt ones refused")
        wrong += len(found) + len(missed) + (seen == 0)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
