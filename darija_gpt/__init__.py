"""Train a language model of Moroccan Darija on your own WhatsApp conversations.

Public names load when they are first used: importing the package alone imports no torch.
"""

import importlib


__version__ = "0.1.0"

_HOMES = {
    "DarijaGPTConfig": "darija_gpt.model",
    "DarijaGPTForCausalLM": "darija_gpt.model",
    "DarijaGPTForSequenceClassification": "darija_gpt.model",
    "DarijaGPTModel": "darija_gpt.model",
    "Message": "darija_gpt.data.whatsapp",
    "parse_export": "darija_gpt.data.whatsapp",
    "train_tokenizer": "darija_gpt.tokenizer",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
