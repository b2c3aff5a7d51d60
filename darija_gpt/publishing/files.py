"""Which files of a directory go to the Hub, which stay at home, and which should not lie there at all."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from darija_gpt.card import PLOTS
from darija_gpt.evaluation.audit import AUDIT_FILE
from darija_gpt.fingerprint import hash_file
from darija_gpt.output import make_printable
from darija_gpt.publishing.refusals import Refusal
from darija_gpt.records import SUMMARY_FILE


Kind = Literal["model", "adapter", "dataset", "space"]
MODEL_CODE = Path(__file__).parents[1] / "model"
# Says which files beside a model are publish's own.
COMPANIONS_FILE = "companions.json"
# Written beside a model by publish itself.
OF_PUBLISH = ("README.md", "LICENSE", AUDIT_FILE, *(f"plots/{name}.png" for name in PLOTS), "recipes/*.yaml")
OF_TOKENIZER = (
    *("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"),
    *("special_tokens_map.json", "added_tokens.json"),
)
OF_ADAPTER = ("adapter_config.json", "adapter_model.safetensors")
# Nothing else leaves the machine. A star stands for anything but a slash.
PUBLISHED_FILES: dict[Kind, tuple[str, ...]] = {
    "model": (
        *OF_PUBLISH,
        *("config.json", "generation_config.json", "model.safetensors", "model-*.safetensors"),
        "model.safetensors.index.json",
        *OF_TOKENIZER,
        *(path.name for path in sorted(MODEL_CODE.glob("*_darija_gpt.py"))),
        *(f"adapter/{name}" for name in OF_ADAPTER),
    ),
    "adapter": (*OF_PUBLISH, *OF_ADAPTER, *OF_TOKENIZER),
    "dataset": ("README.md", "LICENSE", "data/*.parquet"),
    "space": ("README.md", "app.py", "requirements.txt", "darija_gpt/**/*.py"),
}
# What the stages leave beside a model: records of its training, of which some repeat the texts.
LEFT_AT_HOME = (
    *(COMPANIONS_FILE, "run.json", "run.lock", "training_log.jsonl", SUMMARY_FILE, "tokenizer_report.json"),
    *("loss_curve.png", "loss_curve.csv", "samples.jsonl", "metrics.json", "predictions.jsonl"),
    *(
        "confusion_matrix.png",
        "confusion_matrix.csv",
        *(f"plots/{name}.csv" for name in PLOTS),
        "checkpoints/**",
        "trackio/**",
        "tensorboard/**",
        ".gitattributes",
    ),
)
OLD_VOCABULARIES = ("vocab.txt", "vocab.json", "merges.txt", "tokenizer.model", "spiece.model")
# Why a file must not lie in a directory that somebody might send as it is; the first that fits is said.
DANGEROUS: tuple[tuple[str, str], ...] = (
    ("*training_args.bin", "a pickle of training arguments, which holds tokens in clear"),
    ("*trainer_state.json", "the state of a trainer, in which samples of the texts may stand"),
    ("*optimizer.pt", "the state of an optimizer, from which training goes on and nothing else"),
    ("*.bin", "a pickle, which can run programs where it is loaded; weights go as safetensors"),
    ("*.p[tk]*", "a pickle, which can run programs where it is loaded; weights go as safetensors"),
    *((name, "a vocabulary of an older form, which nobody needs beside tokenizer.json") for name in OLD_VOCABULARIES),
    ("*.txt", "a text, such as a chat export"),
    ("*.zip", "an archive, such as a chat export"),
    ("*.jsonl", "rows of data"),
    ("*.arrow", "rows of data"),
    ("*.key", "a key"),
    ("*.py", "a program, and no part of this project's architecture"),
    ("*", "a file that belongs to no model"),
)


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a path, relative and with slashes, fits a pattern: `*` stays within a folder, `**/` and `/**` do not."""
    return any(_matches(name.split("/"), pattern.split("/")) for pattern in patterns)


def _matches(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    if not patterns:
        return not parts
    if patterns[0] == "**":
        # The file itself, or below any number of folders.
        rest = patterns[1:] or ["*"]
        return any(_matches(parts[place:], rest) for place in range(len(parts)))
    return bool(parts) and fnmatchcase(parts[0], patterns[0]) and _matches(parts[1:], patterns[1:])


def find_kind(directory: Path) -> Kind:
    """Whether a directory is an adapter's or a whole model's."""
    is_adapter = (directory / "adapter_config.json").is_file() and not (directory / "config.json").is_file()
    return "adapter" if is_adapter else "model"


def list_files(directory: Path) -> list[str]:
    """Every file and every link below a directory, by its path in there."""
    paths = (path for path in directory.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(path.relative_to(directory).as_posix() for path in paths)


def hash_published_files(directory: Path, kind: Kind) -> dict[str, str]:
    """The files of a directory that go to the Hub, SHA-256 by path: those on the list, and no link to elsewhere."""
    return {
        name: hash_file(directory / name)
        for name in list_files(directory)
        if matches(name, PUBLISHED_FILES[kind]) and not _is_link(directory, name)
    }


def _is_link(directory: Path, name: str) -> bool:
    """Whether a file, or a folder on the way to it, is a link."""
    path = directory / name
    return any(step.is_symlink() for step in (path, *path.parents[: name.count("/")]))


def find_stray_files(directory: Path, kind: Kind) -> list[Refusal]:
    """Files that are neither published nor known to stay at home: whoever sends the folder itself sends them, too."""
    refusals = []
    for name in list_files(directory):
        if _is_link(directory, name):
            reason = "a link, and what it leads to may be anything"
        elif matches(name, (*PUBLISHED_FILES[kind], *LEFT_AT_HOME)):
            continue
        else:
            last = name.rsplit("/", 1)[-1].lower()
            reason = next(reason for pattern, reason in DANGEROUS if fnmatchcase(last, pattern))
        refusals.append(Refusal("stray file", f"{make_printable(name)} is {reason}; move it elsewhere"))
    return refusals
