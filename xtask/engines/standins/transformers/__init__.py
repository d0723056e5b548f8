"""Stands in for transformers, of which engines import the names of tokenizers only."""

__version__ = "4.50.0"


class PreTrainedTokenizerBase:
    pass


class PreTrainedTokenizerFast(PreTrainedTokenizerBase):
    pass


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return type(name, (), {})
