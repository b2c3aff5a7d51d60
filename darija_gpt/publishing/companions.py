"""What publish puts beside a model: its card, licence, audit, pictures and recipes."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from darija_gpt.card import PLOTS
from darija_gpt.evaluation.audit import AUDIT_FILE
from darija_gpt.fingerprint import hash_file
from darija_gpt.output import write_bytes
from darija_gpt.publishing.files import COMPANIONS_FILE, OF_PUBLISH, matches
from darija_gpt.publishing.pictures import strip_picture
from darija_gpt.records import read_record


APACHE = Path(__file__).parents[2] / "LICENSE"


def find_plots(folders: Sequence[Path]) -> dict[str, Path]:
    """The pictures that a card shows, by name, each from the first folder that has it."""
    found = {}
    for name in PLOTS:
        there = [folder / f"{name}.png" for folder in folders if (folder / f"{name}.png").is_file()]
        found |= {name: there[0]} if there else {}
    return found


def find_license(license: str, license_file: Path | None) -> Path | None:
    """The text of a licence: the file that is given, or this project's for its own licence."""
    return license_file or (APACHE if license == "apache-2.0" and APACHE.is_file() else None)


def gather_companions(
    card: str, *, license: Path | None, audit: Path | None, plots: Mapping[str, Path], recipes: Sequence[Path]
) -> dict[str, bytes]:
    """Contents by their paths beside the model; of pictures only what is seen.

    Raises:
        ValueError: If a picture is none.
    """
    sources = {"LICENSE": license, AUDIT_FILE: audit}
    sources |= {f"recipes/{path.name}": path for path in recipes}
    contents = {name: path.read_bytes() for name, path in sources.items() if path}
    return (
        {"README.md": card.encode()}
        | contents
        | {f"plots/{name}.png": _read_picture(path) for name, path in plots.items()}
    )


def _read_picture(picture: Path) -> bytes:
    try:
        return strip_picture(picture.read_bytes())
    except ValueError:
        raise ValueError(f"{picture} is no whole PNG; draw it anew, or take it away.") from None


def read_companions(model: Path) -> dict[str, str]:
    """What an earlier publish wrote beside a model: SHA-256 by path; nothing where there was none.

    Raises:
        ValueError: If companions.json is not what publish writes.
    """
    return read_record(model / COMPANIONS_FILE, "publish")


def write_companions(model: Path, companions: Mapping[str, bytes]) -> None:
    """Writes them, and removes those of an earlier card that are no longer among them, unless somebody changed them.

    companions.json says which those are: whatever else lies beside the model is its owner's, and stays.
    """
    for name, digest in read_companions(model).items():
        path = model / name
        is_ours = matches(name, OF_PUBLISH) and path.is_file() and hash_file(path) == digest
        if name not in companions and is_ours:
            path.unlink()
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in companions.items()}
    write_bytes(model / COMPANIONS_FILE, json.dumps(digests, indent=1).encode() + b"\n")
    for name, content in companions.items():
        (model / name).parent.mkdir(exist_ok=True)
        write_bytes(model / name, content)
