"""Compares JSON with the types that an SDK declares for it, as closely as they allow: unlike the SDKs, which check
nothing, it reports keys that a TypedDict does not have, and types other than the declared one."""

import collections.abc
import functools
import typing

import typing_extensions

ANYTHING = (object, typing.Any)
LISTS = (list, collections.abc.Iterable, collections.abc.Sequence)
MAPS = (dict, collections.abc.Mapping)
SCALARS = {str: (str,), int: (int,), float: (int, float), bool: (bool,), type(None): (type(None),)}


def complaints(value, declared, path=""):
    """What is wrong with `value` for the type `declared`: a list of paths, each with the problem there."""
    declared = bare(declared)
    origin, arguments = typing.get_origin(declared), typing.get_args(declared)
    if declared in ANYTHING:
        return []
    if typing_extensions.is_typeddict(declared):
        return complaints_of_object(value, declared, path)
    if origin is typing.Union:
        return complaints_of_union(value, arguments, path)
    if origin is typing.Literal:
        fits = any(value == member and type(value) is type(member) for member in arguments)
        return [] if fits else [(path, f"{value!r} is not one of {list(arguments)}")]
    if origin in LISTS or getattr(origin, "__name__", "") == "SequenceNotStr":
        if not isinstance(value, list):
            return [(path, f"{shown(value)} is not a list")]
        return [each for at, item in enumerate(value) for each in complaints(item, arguments[0], f"{path}[{at}]")]
    if origin in MAPS:
        if not isinstance(value, dict):
            return [(path, f"{shown(value)} is not an object")]
        return [each for key, item in value.items() for each in complaints(item, arguments[1], below(path, key))]
    if declared in SCALARS:
        fits = isinstance(value, SCALARS[declared]) and (declared is bool or not isinstance(value, bool))
        return [] if fits else [(path, f"{shown(value)} is no {declared.__name__}")]
    # Some types also declare what is not JSON: models of answers, and files.
    return [(path, f"{shown(value)} is no {declared}")]


def complaints_of_object(value, declared, path):
    if not isinstance(value, dict):
        return [(path, f"{shown(value)} is no {declared.__name__}")]
    types, required = fields(declared)
    found = [(below(path, key), f"unknown to {declared.__name__}") for key in value if key not in types]
    found += [(below(path, key), f"missing in {declared.__name__}") for key in required if key not in value]
    for key in value.keys() & types.keys():
        found += complaints(value[key], types[key], below(path, key))
    return found


def complaints_of_union(value, branches, path):
    """No complaint if one branch has none, else those of the closest branch."""
    branches = [bare(branch) for branch in branches]
    meant = [branch for branch in branches if is_meant(value, branch)]
    judged = []
    for branch in meant or branches:
        judged.append(complaints(value, branch, path))
        if not judged[-1]:
            return []
    return min(judged, key=len)


def is_meant(value, branch):
    """Whether `value` claims to be this branch, by its JSON type and by the constants in it, such as `type` and `role`."""
    if typing_extensions.is_typeddict(branch):
        return isinstance(value, dict) and all(value[key] in members for key, members in constants(branch) if key in value)
    origin = typing.get_origin(branch) or branch
    kinds = [(list, LISTS), (dict, MAPS), (object, ANYTHING)]
    return type(value) is origin or any(isinstance(value, kind) and origin in origins for kind, origins in kinds)


@functools.cache
def constants(declared):
    """The keys of a TypedDict that allow only a few values, with these values."""
    types = {key: bare(kind) for key, kind in fields(declared)[0].items()}
    return [(key, typing.get_args(kind)) for key, kind in types.items() if typing.get_origin(kind) is typing.Literal]


@functools.cache
def fields(declared):
    """The declared types of a TypedDict by key, and which keys are required. The SDKs mark exactly those with
    `Required`. What the class itself reports is wrong, because its annotations are strings."""
    types = typing_extensions.get_type_hints(declared, include_extras=True)
    return types, [key for key, kind in types.items() if typing.get_origin(kind) is typing_extensions.Required]


def bare(declared):
    """A type without its wrappers."""
    while typing.get_origin(declared) in (typing_extensions.Required, typing_extensions.NotRequired, typing.Annotated):
        declared = typing.get_args(declared)[0]
    return declared


def below(path, key):
    return f"{path}.{key}" if path else key


def shown(value):
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
