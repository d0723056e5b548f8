"""Checks requests with the three official SDKs, one function per protocol. Each returns a list of complaints: about the types that the
SDK declares, about what it would send itself for the same arguments, and about what it does with the schema."""

import copy
import json
import re
import warnings

import anthropic
import httpx2
import openai
import pydantic
from anthropic.types.message_create_params import MessageCreateParams
from google import genai
from google.genai import types as google
from openai.lib._pydantic import _ensure_strict_json_schema
from openai.types.chat.completion_create_params import CompletionCreateParams
from openai.types.responses.response_create_params import ResponseCreateParams

import typed

# Parameters that Anthropic's SDK no longer has, since the newest version of the API rejects them.
SAMPLING = {"temperature", "top_p", "top_k"}
SAMPLING_VERSION = "2023-06-01"

# The SDK lists the JSON Schema keywords that Gemini accepts in the description of the schema's field.
GEMINI_KEYWORDS = set(
    re.findall(r"`(\$?\w+)`", google.GenerateContentConfig.model_fields["response_json_schema"].description)
) - {"response_schema", "response_mime_type"}

sent = []


def keep(request):
    """The server behind all SDKs: it records requests, and answers none."""
    sent.append(request)
    body = json.loads(request.content)
    kind = "text/event-stream" if body.get("stream") else "application/json"
    return httpx2.Response(200, headers={"content-type": kind}, content=b"" if body.get("stream") else b"{}")


def client():
    return httpx2.Client(transport=httpx2.MockTransport(keep))


OPENAI = openai.OpenAI(api_key="none", base_url="http://judge", max_retries=0, http_client=client())
ANTHROPIC = anthropic.Anthropic(api_key="none", base_url="http://judge", max_retries=0, http_client=client())
GOOGLE = genai.Client(
    api_key="none",
    http_options=google.HttpOptions(base_url="http://judge", httpx_client=client()),
)


def chat(request):
    body = request["body"]
    found = typed.complaints(body, CompletionCreateParams)
    described = [("response_format.json_schema", "schema"), ("tools[0].function", "parameters")]
    return found or as_sent(request, lambda: OPENAI.chat.completions.create(**body)) + strict(body, described)


def responses(request):
    body = request["body"]
    found = typed.complaints(body, ResponseCreateParams)
    described = [("text.format", "schema"), ("tools[0]", "parameters")]
    return found or as_sent(request, lambda: OPENAI.responses.create(**body)) + strict(body, described)


def messages(request):
    body, extra = request["body"], {}
    if request["headers"].get("anthropic-version") == SAMPLING_VERSION:
        extra = {key: value for key, value in body.items() if key in SAMPLING}
        body = {key: value for key, value in body.items() if key not in SAMPLING}
        if not extra:
            return [("anthropic-version", "an old version, though nothing asks for it")]
    found = typed.complaints(body, MessageCreateParams)
    headers = {"extra_headers": request["headers"]} if extra else {}
    return found or (
        as_sent(request, lambda: ANTHROPIC.messages.create(**body, extra_body=extra, **headers))
        + transformed(body, "output_config.format.schema")
        + (transformed(body, "tools[0].input_schema") if at(body, "tools[0].strict") else [])
    )


def gemini(request):
    """The SDK has no type for the body as a whole: most of its fields, and those of `generationConfig`, are in one model. Whether
    each is where it should be follows from the comparison with what the SDK sends."""
    body = dict(request["body"])
    contents, generation = body.pop("contents", []), body.pop("generationConfig", {})
    config = {**body, **generation} if isinstance(generation, dict) else {"generationConfig": generation}
    found, said = [], []
    for number, content in enumerate(contents):
        said.append(modelled(google.Content, content, f"contents[{number}]", found))
    config = modelled(google.GenerateContentConfig, config, "config", found)
    if found:
        return found
    ask = {"model": request["model"], "contents": said, "config": config}
    return (
        as_sent(request, lambda: GOOGLE.models.generate_content(**ask))
        + known_keywords(request["body"], "generationConfig.responseJsonSchema")
        + known_keywords(request["body"], "tools[0].functionDeclarations[0].parametersJsonSchema")
    )


JUDGES = {"chat": chat, "responses": responses, "anthropic": messages, "gemini": gemini}


def modelled(model, value, path, found):
    """`value` as one of Google's models, which accept no unknown key; problems are added to `found`."""
    try:
        with warnings.catch_warnings():
            # An unknown member of an enumeration only causes a warning.
            warnings.simplefilter("error")
            return model.model_validate_json(json.dumps(value))
    except pydantic.ValidationError as error:
        found += [(".".join(map(str, (path, *each["loc"]))), each["msg"]) for each in error.errors()]
    except (AttributeError, TypeError, Warning) as error:
        # The errors that enumerations raise for other types, and the warning as an exception.
        found.append((path, str(error)))


def as_sent(request, ask):
    """How the SDK's own request for the same arguments differs."""
    sent.clear()
    try:
        ask()
    except Exception as error:
        # The SDK's handling of the answer, which is empty, does not matter.
        if not sent:
            return [("", f"the SDK does not send it: {type(error).__name__}: {error}")]
    theirs = sent[0]
    alike = plain if request["protocol"] == "gemini" else lambda body: body
    found = different(alike(json.loads(theirs.content)), alike(request["body"]))
    if theirs.url.path != request["path"]:
        found.append(("", f"goes to {request['path']}, the SDK sends it to {theirs.url.path}"))
    for name, value in request["headers"].items():
        if theirs.headers.get(name) != value:
            found.append((name, f"{value!r}, the SDK sends {theirs.headers.get(name)!r}"))
    return found


def plain(value, key=""):
    """A body normalised for Google, whose SDK varies the spelling of names, uses the other Base64 alphabet, and sends a configuration
    even if it is empty."""
    if isinstance(value, dict):
        named = {re.sub(r"_([a-z])", lambda letter: letter[1].upper(), name): item for name, item in value.items()}
        return {name: plain(item, name) for name, item in named.items() if (name, item) != ("generationConfig", {})}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.replace("-", "+").replace("_", "/") if key in BASE64 and isinstance(value, str) else value


BASE64 = {"data", "thoughtSignature", "continuationToken"}


def different(theirs, ours, path=""):
    if isinstance(theirs, dict) and isinstance(ours, dict):
        found = [(typed.below(path, key), "not sent by the SDK") for key in ours if key not in theirs]
        found += [(typed.below(path, key), "sent by the SDK only") for key in theirs if key not in ours]
        for key in theirs.keys() & ours.keys():
            found += different(theirs[key], ours[key], typed.below(path, key))
        return found
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        pairs = enumerate(zip(theirs, ours))
        return [each for number, (one, other) in pairs for each in different(one, other, f"{path}[{number}]")]
    return [] if theirs == ours else [(path, f"{typed.shown(ours)}, the SDK has {typed.shown(theirs)}")]


def strict(body, described):
    """What OpenAI's SDK would still change about a strict schema."""
    found = []
    for place, field in described:
        asked = at(body, place)
        if asked and asked.get("strict"):
            schema = copy.deepcopy(asked[field])
            theirs = _ensure_strict_json_schema(schema, path=(), root=schema)
            found += different(theirs, asked[field], f"{place}.{field}")
    return found


def transformed(body, place):
    """What Anthropic's SDK would still change about a schema. It omits the type of a constant, which is not a reason not
    to send it."""
    ours = at(body, place)
    if not ours:
        return []
    ours = of_one_type(ours)
    found = different(anthropic.transform_schema(copy.deepcopy(ours)), ours, place)
    return [each for each in found if not is_type_of_constant(ours, each[0][len(place):])]


def of_one_type(schema):
    """The SDK's function does not support a list of types, which Anthropic's documentation allows: it looks only at the first."""
    if isinstance(schema, dict):
        schema = {key: of_one_type(value) for key, value in schema.items()}
        kind = schema.get("type")
        return {**schema, "type": kind[0]} if isinstance(kind, list) else schema
    return [of_one_type(item) for item in schema] if isinstance(schema, list) else schema


def is_type_of_constant(schema, path):
    around, _, key = path.rpartition(".")
    around = at(schema, around.lstrip("."))
    return key == "type" and isinstance(around, dict) and ("enum" in around or "const" in around)


def known_keywords(body, place):
    """Keywords of a schema that Gemini does not accept, alone or next to `$ref`."""
    found = []

    def look(schema, path):
        if not isinstance(schema, dict):
            return
        for key, value in schema.items():
            below = typed.below(path, key)
            if key not in GEMINI_KEYWORDS:
                found.append((below, "is not among the keywords that Google's SDK lists"))
            if "$ref" in schema and not key.startswith("$"):
                found.append((below, "may not stand beside `$ref`"))
            if key in ("properties", "$defs"):
                for name, item in value.items():
                    look(item, typed.below(below, name))
            for item in value if key in ("anyOf", "oneOf", "prefixItems") else [value]:
                if key in ("anyOf", "oneOf", "prefixItems", "items", "additionalProperties"):
                    look(item, below)

    look(at(body, place), place)
    return found


def at(value, path):
    """The value at a path such as `tools[0].function`, or `None`."""
    for key, number in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        try:
            value = value[key] if key else value[int(number)]
        except (KeyError, IndexError, TypeError):
            return None
    return value
