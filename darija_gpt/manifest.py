"""The manifest of a directory, a checkpoint above all: what it is of, and the SHA-256 of each of its files."""

import json
from pathlib import Path
from typing import Any

from darija_gpt import durable
from darija_gpt.fingerprint import hash_file, hash_record


FORMAT = 1
MANIFEST_FILE = "manifest.json"


class DamagedFilesError(ValueError):
    """A checkpoint that is not what was saved."""


def write_manifest(checkpoint: Path, progress: dict[str, Any], identity: dict[str, str]) -> None:
    """Describes every file, seals the description, and waits until all of it is on the disk."""
    files = {}
    for name in _list_files(checkpoint):
        path = checkpoint / name
        files[name] = {"bytes": path.stat().st_size, "sha256": hash_file(path)}
        durable.sync(path)
    manifest = {"format": FORMAT, "progress": progress, "identity": identity, "files": files}
    manifest = json.loads(json.dumps(manifest))
    sealed = json.dumps({**manifest, "seal": hash_record(manifest)}, indent=1)
    durable.write_in_place(checkpoint / MANIFEST_FILE, sealed.encode())
    durable.sync(checkpoint / MANIFEST_FILE)
    for folder in [*(path for path in checkpoint.rglob("*") if path.is_dir()), checkpoint]:
        durable.sync(folder)


def read_manifest(checkpoint: Path) -> dict[str, Any]:
    """What a checkpoint says of itself.

    Raises:
        DamagedFilesError: If that is not what was written.
    """
    try:
        manifest = json.loads((checkpoint / MANIFEST_FILE).read_text(encoding="utf-8"))
        seal = manifest.pop("seal")
    except FileNotFoundError:
        raise DamagedFilesError(f"{checkpoint}: {MANIFEST_FILE} is missing") from None
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise DamagedFilesError(f"{checkpoint}: {MANIFEST_FILE} is damaged") from None
    if seal != hash_record(manifest):
        raise DamagedFilesError(f"{checkpoint}: {MANIFEST_FILE} is damaged")
    return manifest


def verify_checkpoint(checkpoint: Path, identity: dict[str, str]) -> dict[str, Any]:
    """The progress of a checkpoint, every file of which is as it was saved.

    Raises:
        DamagedFilesError: With the file and what is wrong with it.
    """
    # Before its files are compared: all of them would be called damaged, where only the name is wrong.
    step = read_manifest(checkpoint)["progress"]["step"]
    if checkpoint.name != f"step-{step:08}":
        raise DamagedFilesError(f"{checkpoint}: holds the state of step {step}")
    return verify_files(checkpoint, identity)


def verify_files(directory: Path, identity: dict[str, str]) -> dict[str, Any]:
    """The progress that a manifest tells, if every file beside it is as it was written.

    Raises:
        DamagedFilesError: With the file and what is wrong with it.
    """
    manifest = read_manifest(directory)
    if manifest["format"] != FORMAT:
        raise DamagedFilesError(f"{directory}: is of format {manifest['format']}, and {FORMAT} was expected")
    for name, fingerprint in identity.items():
        if manifest["identity"].get(name) != fingerprint:
            raise DamagedFilesError(f"{directory}: belongs to a run with another {name}")
    expected = manifest["files"]
    for name in sorted({*expected, *_list_files(directory)}):
        path = directory / name
        if name not in expected:
            raise DamagedFilesError(f"{path}: is not in the manifest")
        if not path.is_file():
            raise DamagedFilesError(f"{path}: is missing")
        size, written = path.stat().st_size, expected[name]["bytes"]
        if size != written:
            raise DamagedFilesError(f"{path}: has {size:,} bytes of {written:,}")
        if hash_file(path) != expected[name]["sha256"]:
            raise DamagedFilesError(f"{path}: has other contents than were written")
    return manifest["progress"]


def _list_files(checkpoint: Path) -> list[str]:
    """All but the manifest, sharded ones in folders too."""
    names = (path.relative_to(checkpoint).as_posix() for path in checkpoint.rglob("*") if not path.is_dir())
    return sorted(name for name in names if name != MANIFEST_FILE)
