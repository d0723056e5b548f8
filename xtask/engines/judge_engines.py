"""Judges wire schemas by the engines that read them: `judge_engines.py CASES`, a file with a case a line:
{"name", "dialect", "schema" (text), "valid": [[text, whether a loss explains that it cannot be written]], "invalid": [[text, whether a loss
explains that it can]]}.

Prints a line for each engine and dialect, and each fault below; exits 1 if there is one. Faults: a schema that is refused, a valid text
that the engine does not let a model write, and, where no loss is recorded, an invalid one that it does."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "standins"))

import engines

# The engines that read each dialect. The last two are shown only, and what they do is not a fault, since no dialect is made for them.
READERS = {
    "xgrammar": [engines.Xgrammar, engines.Llguidance],
    "sglang": [engines.Xgrammar],
    "llama_cpp": [engines.LlamaCpp],
    "ollama": [engines.LlamaCpp],
    "plain": [engines.Xgrammar, engines.Llguidance, engines.LlamaCpp, engines.OutlinesCore, engines.LmFormatEnforcer],
}
ONLY_SHOWN = (engines.OutlinesCore, engines.LmFormatEnforcer)
FAULTS_SHOWN = 40


def without_errors(accepts):
    """An engine that fails at a text does not let it be written."""

    def safely(text):
        try:
            return accepts(text)
        except Exception:
            return False

    return safely


def judge(case, engine, tally, faults):
    tally["pairs"] += 1
    try:
        accepts = engine.compile(case["schema"])
    except engines.Refused as refusal:
        faults.append(f"{case['name']}: refused: {str(refusal)[:300]}: {case['schema'][:300]}")
        return
    tally["compiled"] += 1
    if isinstance(engine, ONLY_SHOWN):
        accepts = without_errors(accepts)
    for text, explained in case["valid"]:
        tally["valid"] += 1
        if accepts(text):
            tally["accepted"] += 1
        elif explained:
            tally["impossible"] += 1
        else:
            faults.append(f"{case['name']}: valid and not accepted: {text[:300]}: {case['schema'][:300]}")
    for text, explained in case["invalid"]:
        tally["invalid"] += 1
        if not accepts(text):
            tally["rejected"] += 1
        elif explained:
            tally["explained"] += 1
        else:
            faults.append(f"{case['name']}: invalid and accepted: {text[:300]}: {case['schema'][:300]}")


def main():
    cases = [json.loads(line) for line in Path(sys.argv[1]).open(encoding="utf-8")]
    made = {}
    found = []
    print("| engine | dialect | pairs | compiled | valid | accepted | impossible by a loss | invalid | rejected | explained by a loss |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for dialect, readers in READERS.items():
        for reader in readers:
            engine = made.setdefault(reader, None) or reader()
            made[reader] = engine
            names = ("pairs", "compiled", "valid", "accepted", "impossible", "invalid", "rejected", "explained")
            tally = dict.fromkeys(names, 0)
            faults = []
            for case in cases:
                if case["dialect"] == dialect:
                    judge(case, engine, tally, faults)
            numbers = " | ".join(str(tally[name]) for name in names)
            print(f"| {engines.label(engine)} | {dialect} | {numbers} |", flush=True)
            if not isinstance(engine, ONLY_SHOWN):
                found += [f"{engine.package} as {dialect}: {fault}" for fault in faults]
    for engine in made.values():
        if hasattr(engine, "close"):
            engine.close()
    # One of each kind for each case: a schema that is wrong is so for many values.
    first = {}
    for fault in found:
        first.setdefault(tuple(fault.split(": ")[:3]), fault)
    for fault in list(first.values())[:FAULTS_SHOWN]:
        print(fault)
    if len(found) > FAULTS_SHOWN:
        print(f"… {len(found)} in all")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
