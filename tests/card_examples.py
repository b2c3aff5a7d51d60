"""What evaluate, audit, finetune_classifier and prepare_data write, made up: what a card is rendered from."""

BY_SCRIPT = {
    script: {"bits_per_byte": value, "perplexity": 45.14, "bytes": 123456, "tokens": 40000, "documents": 12}
    for script, value in {"all": 1.93456, "Arab": 1.5, "Latn": 2.25, "mixed": 2.0}.items()
}
METRICS = {
    "model": {"parameters": 7345152, "context_tokens": 512},
    "training": [
        {
            "stage": "pretrain",
            "parameters": 7345152,
            "trainable_parameters": 7345152,
            "tokens": 3112960,
            "epochs": 3.0,
            "steps": 1520,
            "tokens_per_second": 4301.4,
            "wall_seconds": 725.3,
            "train_loss": 3.812,
            "validation_loss": 3.971,
            "device": "cpu",
            "num_threads": 2,
            "mixed_precision": "bf16",
        },
        {"stage": "finetune", "method": "lora", "trainable_parameters": 196608, "epochs": 2.0, "steps": 331},
    ],
    "dataset": {
        "messages": 63414,
        "kept": 60713,
        "dropped": {"system": 12, "media": 2100},
        "private_data": {"PHONE": 100, "NAME": 780},
        "conversations": 5300,
        "splits": {
            "train": {
                "conversations": 4770,
                "messages": 52470,
                "turns": 38160,
                "words": 286200,
                "bytes": 1908000,
                "scripts": {"Arab": 2385, "Latn": 1590, "mixed": 795},
            }
        },
    },
    "tokenizer": {
        "vocab_size": 4096,
        "split": "validation",
        "bytes_per_token": {"all": 3.2, "Arab": 4.1, "Latn": 2.7, "mixed": 3.3},
    },
    "bits_per_byte": {"validation": BY_SCRIPT, "test": BY_SCRIPT},
    "sampled_dialogues": {"asked": 2, "left_out": 1, "redrawn": 13, "max_shared_words": 8},
    "wall_seconds": 41.2,
}
DIALOGUES = [
    {
        "messages": [
            {"role": "user", "content": "salam, labas?"},
            {"role": "assistant", "content": "الحمد لله\nw nta?"},
        ],
        "longest_shared_words": 4,
    }
]
RATE = {"rate": 0.003, "interval": [0.0006, 0.0087], "hits": 3, "of": 1000}
AUDIT = {
    "format": 3,
    "passed": True,
    "verdict": "passed",
    "checks": {
        "membership_auc": {
            "verdict": "passed",
            "claim": "how well the best attack tells documents of training from others",
            "value": 0.57312,
            "at_most": 0.65,
            "reason": None,
        },
    },
    "files": {
        "weights": {"config.json": "f" * 64, "model.safetensors": "0123456789abcdef" * 4},
        "tokenizer": {"tokenizer.json": "e" * 64},
    },
    "continuation": {
        "train": RATE,
        "held_out": RATE | {"hits": 1},
        "prefix_tokens": 32,
        "continuation_tokens": 32,
    },
    "membership": {"num_tokens": 64, "attacks": {"zlib": {"auc": 0.57312, "auc_interval": [0.54, 0.606]}}},
    "canaries": {
        "8": {
            "canaries": 8,
            "exposure_mean": 5.1,
            "exposure_max": 8.2,
            "exposure_possible": 9.0,
            "extracted": {"hits": 2, "of": 8},
        }
    },
    "samples": {
        "free": 10_000,
        "prompted": 1_000,
        "with_private_data": 0,
        "with_names": 0,
        "invented": {"PHONE": 12},
        "words_shared_with_training": {"mean": 1.6, "percentile_99": 3.0, "longest": 5},
        "words_shared_by_held_out_texts": {"mean": 2.4, "percentile_99": 6.0, "longest": 9},
    },
    "vocabulary": {"entries": 4081, "numbers": 0, "names": 0, "rare": 0},
    "settings": {"min_conversations": 3},
}
ESTIMATE = {"value": 0.80624, "low": 0.72, "high": 0.88}
MEASURED = {
    "texts": 32,
    "accuracy": {"value": 0.8125, "low": 0.74, "high": 0.89},
    "macro_f1": ESTIMATE,
    "classes": {label: {"precision": 0.8, "recall": 0.81, "f1": 0.806, "texts": 16} for label in ("good", "زوين")},
}
CLASSIFIER = {
    "task": "text-classification",
    "base_model": "base",
    "labels": ["good", "زوين"],
    "max_length": 64,
    "data": {
        name: {"rows": 70, "labels": {"good": 40, "زوين": 30}, "dropped": {}, "cut": 0}
        for name in ("train", "validation", "test")
    },
    "measured_on": "test",
    "results": {"model": MEASURED, "baseline": MEASURED},
    "differences": {"baseline": {"accuracy": ESTIMATE, "macro_f1": ESTIMATE}},
    "training": {
        "model": {
            "method": "full",
            "parameters": 30_272,
            "trainable_parameters": 30_272,
            "best_epoch": 1,
            "epochs": 3,
            "wall_seconds": 3.2,
            "device": "cpu",
            "mixed_precision": "no",
        }
    },
}
SPLIT = {
    "conversations": 5,
    "rows": 6,
    "messages": 70,
    "turns": 40,
    "words": 300,
    "bytes": 2000,
    "tokens": {"Arab": 100, "Latn": 190, "other": 10},
    "scripts": {"Arab": 2, "Latn": 4},
}
REPORT = {
    "files": [{"file": "WhatsApp Chat with Zineb.txt", "messages": 100}],
    "sources": [{"source": "diary-of-zineb.jsonl", "rows": 3}],
    "num_files": 3,
    "num_chats": 2,
    "num_groups": 1,
    "formats": {"android": 2, "ios": 1},
    "messages": 1100,
    "kinds": {"text": 1000, "media": 100},
    "kept": 990,
    "dropped": {"media": 100, "only_private_data": 6, "repeated": 4},
    "private_data": {"PHONE": 12, "NAME": 30},
    "duplicates": {
        "messages": {"before": 994, "repeated": 4, "forwarded": 0, "greeting": 0, "duplicate": 0, "after": 990},
        "rows": {"before": 20, "exact": 1, "near": 1, "after": 18},
    },
    "tokens": {"Arab": 300, "Latn": 570, "other": 30},
    "conversations": 15,
    "splits": {"train": SPLIT, "validation": SPLIT, "test": SPLIT},
    "session_gap_minutes": 180,
    "split_by": "conversation",
    "seed": 0,
    "canaries": 4,
    "near_duplicate_threshold": 0.7,
}
