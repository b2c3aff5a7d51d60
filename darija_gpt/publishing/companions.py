"""What publish puts beside a model: its card, licence, audit, pictures and recipes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from darija_gpt.card import PLOTS
from darija_gpt.evaluation.audit import AUDIT_FILE
from darija_gpt.output import write_bytes
from darija_gpt.publishing.files import list_files, matches


APACHE = Path(__file__).parents[2] / "LICENSE"
# Of an earlier card, and no longer of this one.
RENEWED = (AUDIT_FILE, "plots/*", "recipes/*")


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
    """Contents by their paths beside the model."""
    sources = {"LICENSE": license, AUDIT_FILE: audit}
    sources |= {f"plots/{name}.png": path for name, path in plots.items()}
    sources |= {f"recipes/{path.name}": path for path in recipes}
    return {"README.md": card.encode()} | {name: path.read_bytes() for name, path in sources.items() if path}


def write_companions(model: Path, companions: Mapping[str, bytes]) -> None:
    """Writes them, and removes those of an earlier card that are no longer among them."""
    for name in list_files(model):
        if matches(name, RENEWED) and name not in companions:
            (model / name).unlink()
    for name, content in companions.items():
        (model / name).parent.mkdir(exist_ok=True)
        write_bytes(model / name, content)
