"""Checks requests with the official SDKs of OpenAI, Anthropic and Google.

    python judge_requests.py requests.jsonl

Each line is one request: its `name`, `protocol`, `mode`, `model`, `path`, `headers` and `body`. Prints how many there are of each
protocol, and each complaint with the number of requests it concerns. Before that it checks the checks: a mistake anywhere in a
request must be rejected. Exits with 1 if anything is wrong.
"""

import collections
import json
import sys

import sdks
import spoiling


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as lines:
        requests = [json.loads(line, object_pairs_hook=once) for line in lines]
    complaints, counts = collections.defaultdict(list), collections.Counter()
    fine = []
    for request in requests:
        counts[request["protocol"], request["mode"]] += 1
        found = sdks.JUDGES[request["protocol"]](request)
        for path, what in found:
            complaints[request["protocol"], path, what].append(request["name"])
        if not found:
            fine.append(request)
    for (protocol, path, what), names in complaints.items():
        print(f"{protocol}: {path}: {what}\n  in {len(names)} requests, such as {names[0]}")
    spoilt, missed = spoiling.missed(fine)
    for what in missed:
        print(f"the judge does not see {what}")
    for protocol in sdks.JUDGES:
        modes = {mode: count for (name, mode), count in counts.items() if name == protocol}
        by_mode = ", ".join(f"{mode} {count}" for mode, count in modes.items())
        print(f"{protocol}: {sum(modes.values())} requests ({by_mode}), {spoilt[protocol]} spoilt ones refused")
    empty = [protocol for protocol in sdks.JUDGES if not spoilt[protocol]]
    wrong = len(requests) - len(fine)
    if wrong or missed or empty:
        sys.exit(f"{wrong} of {len(requests)} requests are not as the SDKs have them, {len(missed)} spoilt ones were not refused")


def once(pairs):
    """An object, in which keys must be unique."""
    thing = dict(pairs)
    if len(thing) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"a key is there twice: {sorted(name for name in names if names.count(name) > 1)}")
    return thing


if __name__ == "__main__":
    main()
