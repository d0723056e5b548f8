"""Writes the table of models and prices from two packages: LiteLLM's table, overlaid with genai-prices' for the providers whose prices
it has with dates and sources. Nothing is fetched. `docs/cost.md` explains the format."""

import hashlib
import importlib.util
import json
import re
import sys
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

# LiteLLM's name for a provider, the prefix of its models there, and our name. Where two of theirs are one of ours,
# the later one takes precedence.
PROVIDERS = [
    ("openai", "", "openai"),
    ("azure", "azure/", "azure"),
    ("anthropic", "", "anthropic"),
    ("gemini", "gemini/", "google"),
    ("mistral", "mistral/", "mistral"),
    ("groq", "groq/", "groq"),
    ("deepseek", "deepseek/", "deepseek"),
    ("together_ai", "together_ai/", "together"),
    ("fireworks_ai", "fireworks_ai/", "fireworks"),
    ("cerebras", "cerebras/", "cerebras"),
    ("xai", "xai/", "xai"),
    ("perplexity", "perplexity/", "perplexity"),
    ("bedrock_mantle", "bedrock_mantle/", "bedrock"),
    ("bedrock_converse", "", "bedrock"),
]

# genai-prices' name for a provider, and ours.
OVERLAID = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google": "google",
    "mistral": "mistral",
    "deepseek": "deepseek",
    "x-ai": "xai",
    "groq": "groq",
}

# Where LiteLLM's price applies, and why.
KEPT = {
    ("mistral", "mistral-large-latest"): "genai-prices pins it to Large 2; LiteLLM names the card of Large 3",
    ("mistral", "mistral-medium"): "the two read it as different versions; LiteLLM's is the newer one",
    ("mistral", "mistral-medium-latest"): "as mistral-medium",
    ("mistral", "magistral-medium-latest"): "genai-prices has the price of a model that was shut down on 2026-05-22",
    ("mistral", "magistral-small-latest"): "as magistral-medium-latest",
    ("mistral", "open-mistral-nemo"): "LiteLLM's is the dearer one, and neither dates it",
    ("deepseek", "deepseek-chat"): "genai-prices has the scheme of 2025, which ended with V3.2",
    ("deepseek", "deepseek-reasoner"): "as deepseek-chat",
}

FACTS = {
    "supports_response_schema": "schema",
    "supports_function_calling": "tool",
    "supports_forced_tool_use": "forced_tool",
    "supports_tool_choice": "tool_choice",
    "supports_sampling_params": "sampling",
    "supports_vision": "vision",
    "supports_pdf_input": "pdf",
}

# The letters of a rate: input, output, cache read, cache write, long cache write (an hour; OpenAI's 12), reasoning.
LITELLM_RATES = {
    "i": "input_cost_per_token",
    "o": "output_cost_per_token",
    "r": "cache_read_input_token_cost",
    "w": "cache_creation_input_token_cost",
    "t": "output_cost_per_reasoning_token",
}
GENAI_RATES = {
    "i": "input_mtok",
    "o": "output_mtok",
    "r": "cache_read_mtok",
    "w": "cache_write_mtok",
    "h": "cache_write_1h_mtok",
}
LITELLM_VARIANTS = {"batches": "batch", "flex": "flex", "priority": "priority", "ultrafast": "ultrafast"}

# Models that answer with text may accept and produce more than text tokens under these names.
NOT_TEXT = re.compile(r"audio|tts|transcribe|realtime|image|live|whisper|embed|moderation|ocr|veo|imagen|computer-use")
DATED = re.compile(r"-(20\d\d-\d\d-\d\d|20\d{6})$")


def pico(usd, per):
    """Whole picodollars per token."""
    amount = Decimal(str(usd)) * 10**12 / per
    if amount != int(amount):
        raise SystemExit(f"{usd} per {per} is not a whole number of picodollars")
    return int(amount)


def rates_of(found):
    return {letter: amount for letter, amount in found.items() if amount}


def litellm_rates(facts, suffix):
    """The rates under keys that end with `suffix`, or None."""
    keys = {letter: key + suffix for letter, key in LITELLM_RATES.items()}
    found = {letter: pico(facts[key], 1) for letter, key in keys.items() if facts.get(key)}
    for long in ("above_1hr", "above_12hr"):
        key = f"cache_creation_input_token_cost_{long}{suffix}"
        if facts.get(key):
            found["h"] = pico(facts[key], 1)
    if found.get("t") == found.get("o"):
        found.pop("t", None)
    return rates_of(found) if found.get("i") and found.get("o") else None


def litellm_prices(provider, facts):
    # A price per request does not follow from tokens.
    if facts.get("input_cost_per_request") or (provider == "perplexity" and facts.get("search_context_cost_per_query")):
        return []
    rates = "|".join(LITELLM_RATES[letter] for letter in "io")
    named = [re.match(rf"(?:{rates})_above_(\d+)k_tokens", key) for key, cost in facts.items() if cost is not None]
    thresholds = sorted({int(found[1]) for found in named if found})
    items = []
    for suffix, variant in [("", None), *((f"_{theirs}", ours) for theirs, ours in LITELLM_VARIANTS.items())]:
        base = litellm_rates(facts, suffix)
        if base is None:
            continue
        item = {"for": variant} if variant else {}
        item.update(base)
        above = []
        for thousands in thresholds:
            tier = litellm_rates(facts, f"_above_{thousands}k_tokens{suffix}")
            # xAI's upper tier begins at its threshold, the others' above it.
            limit = thousands * 1000 - (1 if provider == "xai" else 0)
            # A tier may exist without a price, or without one for this variant.
            above.append([limit, tier if tier is not None else {}])
        if above:
            item["above"] = above
        items.append(item)
    return [*items, *off_peak(facts)]


def off_peak(facts):
    """The hours and days on which LiteLLM has other prices; the plain prices apply at all other times."""
    found = facts.get("off_peak_pricing")
    rates = litellm_rates(found, "") if found else None
    for window in found["windows"] if rates else []:
        hours = window["hours_utc"] if isinstance(window["hours_utc"], list) else [window["hours_utc"]]
        hours = [[minutes(end) for end in span.split("-")] for span in hours]
        # A window up to 00:00 lasts until the end of the day.
        hours = [[start, end or 24 * 60] for start, end in hours]
        yield {**({} if hours == [[0, 24 * 60]] else {"hours": hours}), "days": window["weekdays"], **rates}


def minutes(clock):
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def genai_rates(price):
    """The rates of a genai-prices `ModelPrice` with its tiers, or None."""
    base, tiers = {}, {}
    for letter, field in GENAI_RATES.items():
        amount = getattr(price, field, None)
        if amount is None:
            continue
        if hasattr(amount, "base"):
            base[letter] = pico(amount.base, 10**6)
            for tier in amount.tiers:
                tiers.setdefault(tier.start, {})[letter] = pico(tier.price, 10**6)
        else:
            base[letter] = pico(amount, 10**6)
    if not base.get("i") or not base.get("o"):
        return None
    item = rates_of(base)
    above = []
    so_far = dict(item)
    for start in sorted(tiers):
        so_far = {**so_far, **rates_of(tiers[start])}
        above.append([start, dict(so_far)])
    if above:
        item["above"] = above
    return item


def midnight(day):
    return datetime(day.year, day.month, day.day, tzinfo=timezone.utc)


def start_of(constraint):
    return getattr(constraint, "start_date", None)


def genai_prices_of(model):
    """The items of a genai-prices model: by date, by variant; and its daily windows, which are handled separately."""
    conditional = model.prices if isinstance(model.prices, list) else []
    windows = [entry for entry in conditional if hasattr(entry.constraint, "start_time")]
    variants = model.price_variants or []
    contexts = [None]
    for variant in variants:
        if len(variant.when) == 1 and dict(variant.when) not in contexts and "default" not in variant.when.values():
            contexts.append(dict(variant.when))
    items = []
    for context in contexts:
        of_context = [v for v in variants if context and dict(v.when) == context]
        starts = {start_of(entry.constraint) for entry in conditional} | {start_of(v.constraint) for v in of_context}
        days = sorted(day for day in starts if day)
        for day in [None, *days]:
            at = midnight(day or date(2000, 1, 1))
            if context and not any(v.constraint is None or v.constraint.active(at) for v in of_context):
                continue
            # The price of a window must not be taken for that of the whole day.
            hour = next(h for h in range(24) if not any(w.constraint.active(at + timedelta(hours=h)) for w in windows))
            resolved = genai_rates(model.get_prices(at + timedelta(hours=hour), context))
            if resolved is None:
                continue
            item = {"for": next(iter(context.values()))} if context else {}
            if day:
                item["from"] = day.isoformat()
            items.append({**item, **resolved})
    if windows and items[-1].get("from") == "2026-08-17":
        return [*items, *deepseek_windows(items, windows)]
    # Windows of other models belong to pricing schemes that have ended.
    return [] if windows else items


def deepseek_windows(items, windows):
    """DeepSeek's peak hours began on 2026-08-17; since 2026-08-23 there are none on weekends, which only LiteLLM's table can express.
    The hours are on the same weekday in UTC as in Beijing."""
    off_peak = items[-1]
    hours = [[w.constraint.start_time.hour * 60, w.constraint.end_time.hour * 60] for w in windows]
    peaks = [genai_rates(w.prices) for w in windows]
    if any(peak != peaks[0] for peak in peaks):
        raise SystemExit("daily windows with different prices")
    yield {"from": "2026-08-17", "hours": hours, **peaks[0]}
    yield {**off_peak, "from": "2026-08-23", "days": [6, 7]}


def equals(clause):
    """The names that a match rule spells out."""
    if hasattr(clause, "equals"):
        return [clause.equals]
    return [name for part in getattr(clause, "or_", None) or [] for name in equals(part)]


def overlay(chosen):
    """genai-prices' entries by our provider and name: the items, and whether a date may follow the name."""
    from genai_prices.data import providers

    found = {}
    for provider in providers:
        ours = OVERLAID.get(provider.id)
        for model in provider.models if ours else []:
            items = genai_prices_of(model)
            if not items:
                continue
            for name in dict.fromkeys([model.id, *equals(model.match)]):
                # With a provider prefix it is meant for gateways, unless that is the model's own name.
                if ("/" in name and (ours, name) not in chosen) or ":" in name or NOT_TEXT.search(name) or (ours, name) in KEPT:
                    continue
                dated = any(model.match.is_match(name + end) for end in ("-2031-12-11", "-20311211"))
                found[ours, name] = (items, dated)
    return found


def main(target):
    folder = Path(importlib.util.find_spec("litellm").submodule_search_locations[0])
    source = (folder / "model_prices_and_context_window_backup.json").read_bytes()
    models = json.loads(source)
    chosen = {}
    for theirs, prefix, ours in PROVIDERS:
        named = [(name, facts) for name, facts in models.items() if facts.get("litellm_provider") == theirs]
        # A name with the prefix is more reliable.
        for name, facts in sorted(named, key=lambda pair: pair[0].startswith(prefix)):
            if facts.get("mode") in ("chat", "responses") and not name.startswith("together-ai-"):
                chosen[ours, name.removeprefix(prefix)] = facts
    table, over = {}, overlay(chosen)
    differing = []
    for (provider, name), facts in chosen.items():
        entry = {"can": {ours: facts[theirs] for theirs, ours in FACTS.items() if isinstance(facts.get(theirs), bool)}}
        for theirs, ours in [("max_input_tokens", "max_in"), ("max_output_tokens", "max_out"), ("deprecation_date", "retires")]:
            if facts.get(theirs):
                entry[ours] = facts[theirs]
        if facts["mode"] == "responses":
            entry["only_responses"] = True
        items = litellm_prices(provider, facts)
        stem = (provider, DATED.sub("", name))
        better = over.get((provider, name)) or (over[stem] if stem in over and over[stem][1] else None)
        if better and (provider, name) not in KEPT:
            theirs, (better, entry["dated"]) = items, better
            now = [item for item in better if "for" not in item and "hours" not in item and item.get("from", "") <= TAKEN]
            if theirs and now and rates(now[-1]) != rates(theirs[0]):
                differing.append((provider, name, rates(theirs[0]), rates(now[-1])))
            known = {item.get("for") for item in better}
            agree = not theirs or not now or rates(now[-1]) == rates(theirs[0])
            better = [with_long_writes(item, theirs) for item in better]
            # A variant that only LiteLLM knows is used if the two agree on the standard price.
            items = better + [item for item in theirs if item.get("for") not in known and agree]
        if not entry.get("dated"):
            entry.pop("dated", None)
        if items:
            entry["prices"] = items
        table.setdefault(provider, {})[name] = entry
    for (provider, name), (items, dated) in over.items():
        if name not in table.setdefault(provider, {}):
            table[provider][name] = {"prices": items, **({"dated": True} if dated else {})}
    for provider, name, theirs, ours in differing:
        print(f"{provider}/{name}: LiteLLM {theirs}, taken {ours}", file=sys.stderr)
    write(Path(target), table, hashlib.sha256(source).hexdigest())


def with_long_writes(item, theirs):
    """The item with LiteLLM's price of long cache writes, which genai-prices has only for Anthropic, if the two agree otherwise."""
    for other in theirs:
        same = other.get("for") == item.get("for") and rates(other) == rates(item) and other.get("w") == item.get("w")
        if not same or "h" in item or "h" not in other or "hours" in item:
            continue
        long = {limit: tier.get("h") for limit, tier in other.get("above", [])}
        tiers = [[limit, {**tier, **({"h": long[limit]} if long.get(limit) else {})}] for limit, tier in item.get("above", [])]
        item = {**item, "h": other["h"], **({"above": tiers} if tiers else {})}
    return item


def rates(item):
    return {letter: item[letter] for letter in "io" if letter in item}


def write(target, table, of_litellm):
    """One model per line, so that a newer table can be compared with an older one."""
    folder = Path(importlib.util.find_spec("genai_prices").submodule_search_locations[0])
    about = {
        "taken": TAKEN,
        "unit": "picodollars per token",
        "sources": [
            {"name": "litellm", "version": version("litellm"), "sha256": of_litellm, "licence": "MIT"},
            {
                "name": "genai-prices",
                "version": version("genai-prices"),
                "sha256": hashlib.sha256((folder / "data.py").read_bytes()).hexdigest(),
                "licence": "MIT",
            },
        ],
    }
    compact = lambda value: json.dumps(value, separators=(",", ":"))
    lines = [f'{{"about":{compact(about)},"providers":{{']
    for at, (provider, models) in enumerate(sorted(table.items())):
        lines.append(f"{compact(provider)}:{{")
        lines.extend(f"{compact(name)}:{compact(entry)}," for name, entry in sorted(models.items()))
        lines[-1] = lines[-1].removesuffix(",")
        lines.append("}," if at + 1 < len(table) else "}")
    lines.append("}}")
    target.write_text("\n".join(lines) + "\n")


# The day on which the packages were taken.
TAKEN = "2026-11-28"

if __name__ == "__main__":
    main(sys.argv[1])
