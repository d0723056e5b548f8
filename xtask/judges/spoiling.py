"""Proves that the checks can fail: puts something that no SDK knows at each location of a request."""

import collections
import copy
import re

import sdks

# Locations that may contain anything, since they belong to the user or the model.
OPEN = [
    r"anthropic temperature$",  # The SDK has it no longer.
    r"chat response_format\.json_schema\.schema\b",
    r"chat tools\[0\]\.function\.parameters\b",
    r"chat metadata$",
    r"responses text\.format\.schema\b",
    r"responses tools\[0\]\.parameters\b",
    r"anthropic output_config\.format\.schema\b",
    r"anthropic tools\[0\]\.input_schema\b",
    r"anthropic messages\[\d+\]\.content\[\d+\]\.input\b",
    r"gemini generationConfig\.responseJsonSchema\b",
    r"gemini tools\[0\]\.functionDeclarations\[0\]\.parametersJsonSchema\b",
    r"gemini contents\[\d+\]\.parts\[\d+\]\.functionCall\.args\b",
    r"gemini contents\[\d+\]\.parts\[\d+\]\.functionResponse\.response\b",
]

# Locations of fixed words, of which there are more.
CONSTANT = r"^(chat|responses|anthropic) .*\.(type|role)$|^gemini .*\.(mode|category|threshold)$"

# Locations of schemas, and a schema that no provider accepts: OpenAI wants all properties required, Anthropic all
# objects closed, and Gemini has no lengths.
SCHEMA = r"(\.schema|\[0\]\.parameters|\.function\.parameters|\.input_schema|JsonSchema)$"
LOOSE = {"type": "object", "properties": {"name": {"type": "string", "minLength": 1}}}

UNKNOWN = "unknown_to_all"


def missed(requests):
    """How many broken requests were rejected, by protocol, and which were not. One of each kind is broken: of those that differ
    only in the schema, the first."""
    kinds = {}
    for request in requests:
        way, mode, _, question = request["name"].split("/", 3)
        kinds.setdefault((way, mode, question), request)
    refused, unseen = collections.Counter(), []
    for request in kinds.values():
        for what, bad in spoilt(request):
            if sdks.JUDGES[request["protocol"]](bad):
                refused[request["protocol"]] += 1
            else:
                unseen.append(f"{what} in {request['name']}")
    return refused, unseen


def spoilt(request):
    """Requests with one mistake each, and the mistake."""
    protocol, body = request["protocol"], request["body"]
    yield "another path", {**request, "path": request["path"] + "s"}
    if protocol == "anthropic":
        old = request["headers"]["anthropic-version"] == sdks.SAMPLING_VERSION
        version = "2026-10-21" if old else sdks.SAMPLING_VERSION
        yield "another version", {**request, "headers": {"anthropic-version": version}}
        if body["max_tokens"] > 21_333:
            yield "no stream", {**request, "body": {key: body[key] for key in body if key != "stream"}}
    for what, steps, value in spoilt_places(body, protocol):
        yield what, {**request, "body": changed(body, steps, value)}


def spoilt_places(body, protocol):
    """The locations and mistakes: an unknown key, a nested list, which nothing accepts, an unknown word, a schema that no provider
    accepts."""
    for path, steps, value in places(body):
        place = f"{protocol} {path}"
        if re.search(SCHEMA, place) and is_kept(body, steps):
            yield f"a loose schema at `{path}`", steps, LOOSE
        if any(re.match(open_place, place) for open_place in OPEN):
            continue
        if isinstance(value, dict):
            yield f"an unknown key at `{path}`", steps, {**value, UNKNOWN: True}
        elif not isinstance(value, list):
            yield f"a list at `{path}`", steps, [[]]
        if re.search(CONSTANT, place):
            yield f"an unknown word at `{path}`", steps, UNKNOWN


def is_kept(body, steps):
    """Whether the schema at this location is enforced."""
    for step in steps[:-1]:
        body = body[step]
    return body.get("strict", True)


def places(value, path="", steps=()):
    yield path, steps, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, f"{path}.{key}" if path else key, (*steps, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from places(item, f"{path}[{number}]", (*steps, number))


def changed(body, steps, value):
    if not steps:
        return value
    body = copy.copy(body)
    body[steps[0]] = changed(body[steps[0]], steps[1:], value)
    return body
