"""The costs of usages according to genai-prices and LiteLLM themselves, as a table for the tests: for 30 models at five instants, if
the library has the model. LiteLLM uses the time of its own calculation, so its clock is set."""

import json
import os
import sys
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

# Use its bundled table, not the newest from the network.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

INSTANTS = [
    "2026-11-25T02:30:00Z",  # a Wednesday, within DeepSeek's peak hours
    "2026-11-25T12:30:00Z",  # the same day outside of them
    "2026-11-28T02:30:00Z",  # a Saturday
    "2026-11-30T23:59:59Z",  # the last second before prices change
    "2026-12-01T00:00:00Z",
    "2027-01-01T00:00:00Z",
]

# Totals of input, of which cached, written, written with a long lifetime; of output, of which reasoning.
USAGES = {
    "plain": (96, 0, 0, 0, 31, 0),
    "cached": (10_000, 8_000, 0, 0, 500, 300),
    "written": (10_000, 8_000, 1_000, 0, 500, 0),
    "written_long": (10_000, 8_000, 1_000, 1_000, 500, 0),
    "long": (250_000, 200_000, 0, 0, 500, 400),
    "at_200000": (200_000, 0, 0, 0, 100, 0),
    "over_272000": (272_001, 1_000, 0, 0, 100, 0),
}

MODELS = """
openai/gpt-4o openai/gpt-4o-mini openai/gpt-4.1 openai/gpt-5 openai/gpt-5-mini openai/gpt-5.4 openai/gpt-5.5 openai/gpt-6-luna
openai/gpt-6-sol openai/o3 openai/o4-mini anthropic/claude-haiku-4-5 anthropic/claude-haiku-5-5 anthropic/claude-opus-5
anthropic/claude-opus-5-5 anthropic/claude-sonnet-4-5 anthropic/claude-sonnet-5 anthropic/claude-sonnet-5-5 google/gemini-2.5-flash
google/gemini-2.5-pro google/gemini-3.8-flash google/gemini-4-argon mistral/mistral-large-4 mistral/mistral-small-latest
deepseek/deepseek-flash deepseek/deepseek-v4-pro deepseek/deepseek-chat xai/grok-4.6 xai/grok-4 groq/openai/gpt-oss-120b
""".split()

GENAI = {"xai": "x-ai"}
LITELLM = {"google": "gemini", "xai": "xai"}
# The services to price, in each library's terms.
SERVICES = {
    None: (None, None),
    "batch": ({"processing": "batch"}, "batch"),
    "flex": ({"service_tier": "flex"}, "flex"),
    "priority": ({"service_tier": "priority"}, "priority"),
}


def by_genai_prices(provider, model, usage, at, context):
    from genai_prices import Usage, calc_price
    from genai_prices.data import providers

    total, cached, written, long, output, _ = usage
    known = {provider.id: provider for provider in providers}[GENAI.get(provider, provider)]
    found = known.find_model(model)
    if found is None:
        return None
    if context:
        variants = [v for v in found.price_variants or [] if dict(v.when) == context]
        # It falls back to the standard price, which means nothing.
        if not any(v.constraint is None or v.constraint.active(at) for v in variants):
            return None
    counts = {"input_tokens": total, "output_tokens": output}
    counts |= {"cache_read_tokens": cached} if cached else {}
    counts |= {"cache_write_tokens": written} if written else {}
    counts |= {"cache_write_1h_tokens": long} if long else {}
    price = calc_price(
        Usage(**counts),
        model_ref=model,
        provider_id=known.id,
        genai_request_timestamp=at,
        price_context=context,
    )
    return price.total_price


def by_litellm(provider, model, usage, at, service):
    import litellm
    from litellm.litellm_core_utils.llm_cost_calc import utils
    from litellm.types.utils import (
        CacheCreationTokenDetails,
        CompletionTokensDetailsWrapper,
        PromptTokensDetailsWrapper,
        Usage,
    )

    name = model if provider in ("openai", "anthropic") else f"{LITELLM.get(provider, provider)}/{model}"
    if name not in litellm.model_cost:
        return None
    suffix = {"batch": "batches"}.get(service, service)
    if service and not litellm.model_cost[name].get(f"input_cost_per_token_{suffix}"):
        return None
    total, cached, written, long, output, reasoning = usage
    details = PromptTokensDetailsWrapper(
        cached_tokens=cached,
        cache_creation_tokens=written,
        cache_creation_token_details=CacheCreationTokenDetails(
            ephemeral_5m_input_tokens=written - long, ephemeral_1h_input_tokens=long
        ),
    )
    counts = Usage(
        prompt_tokens=total,
        completion_tokens=output,
        total_tokens=total + output,
        prompt_tokens_details=details,
        completion_tokens_details=CompletionTokensDetailsWrapper(reasoning_tokens=reasoning),
        cache_creation_input_tokens=written,
        cache_read_input_tokens=cached,
    )

    before = utils.current_billing_time
    utils.current_billing_time = lambda: at
    try:
        if service == "batch":
            from litellm.cost_calculator import batch_cost_calculator

            parts = batch_cost_calculator(usage=counts, model=name, custom_llm_provider=LITELLM.get(provider, provider))
        else:
            parts = utils.generic_cost_per_token(
                model=name, usage=counts, custom_llm_provider=LITELLM.get(provider, provider), service_tier=service
            )
    finally:
        utils.current_billing_time = before
    # Drop the noise of floats below a picodollar.
    return round(Decimal(repr(parts[0])) + Decimal(repr(parts[1])), 12)


def main(target):
    lines = []
    for path in MODELS:
        provider, model = path.split("/", 1)
        for instant in INSTANTS:
            at = datetime.fromisoformat(instant.replace("Z", "+00:00")).astimezone(timezone.utc)
            for kind, usage in USAGES.items():
                if (usage[2] or usage[3]) and provider not in ("anthropic", "openai"):
                    continue
                if usage[3] and provider != "anthropic":
                    continue
                if instant != INSTANTS[1] and kind not in ("plain", "cached"):
                    continue
                for service, (context, tier) in SERVICES.items():
                    if service and (kind not in ("plain", "cached", "over_272000") or instant != INSTANTS[1]):
                        continue
                    of_genai = by_genai_prices(provider, model, usage, at, context)
                    of_litellm = by_litellm(provider, model, usage, at, tier)
                    if of_genai is None and of_litellm is None:
                        continue
                    write = lambda usd: None if usd is None else format(usd.normalize(), "f")
                    case = {"model": path, "at": instant, "usage": kind}
                    case |= {"service": service} if service else {}
                    lines.append(json.dumps(case | {"genai_prices": write(of_genai), "litellm": write(of_litellm)}))
    usages = json.dumps({kind: list(usage) for kind, usage in USAGES.items()})
    Path(target).write_text(f'{{"usages":{usages},\n"cases":[\n' + ",\n".join(lines) + "\n]}\n")


if __name__ == "__main__":
    main(sys.argv[1])
