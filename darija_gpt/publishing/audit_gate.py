"""The audit as a gate: its figures pass by our own thresholds, and it speaks of these very files."""

from collections.abc import Mapping
from operator import eq, ge, le
from pathlib import Path
from typing import Any

from darija_gpt.evaluation.audit import AuditArguments, describe_dataset
from darija_gpt.evaluation.audit_checks import Check, list_checks
from darija_gpt.evaluation.audited_files import TOKENIZER, WEIGHTS
from darija_gpt.fingerprint import hash_file
from darija_gpt.output import make_printable
from darija_gpt.publishing.refusals import Refusal


# Our own thresholds and settings, whatever an audit was made with.
DEFAULTS = AuditArguments(model="", dataset=Path(), output_dir=Path())
# How a setting must stand to its default, or the audit sees less: with eight samples every model passes, one token is
# no beginning that anybody could go on with, and what is drawn at a temperature of 50 is noise.
EFFORTS = {
    **dict.fromkeys(("num_prefixes", "num_samples", "num_prompted_samples", "sample_tokens"), ge),
    **dict.fromkeys(("num_members", "member_tokens", "min_conversations", "prefix_tokens"), ge),
    "continuation_tokens": le,
    **dict.fromkeys(("top_k", "temperature"), eq),
}
# Of an adapter an audit also names the files of its base, which stand elsewhere and are not published with it.
OWN_FILES = {"weights": WEIGHTS, "tokenizer": TOKENIZER}


def find_failed_checks(audit: Mapping[str, Any]) -> list[Refusal]:
    """Checks that were not made or not passed, drawn again from the audit's figures: somebody may have edited it."""
    checks = _draw_checks(audit)
    written = {name: check["value"] for name, check in audit["checks"].items()}
    drawn = {check.name: check.value for check in checks}
    edited = sorted(name for name in written | drawn if written.get(name) != drawn.get(name))
    if edited:
        words = "not what follows from the audit's own figures; audit the model again"
        return [Refusal("edited audit", f"{', '.join(map(make_printable, edited))}: {words}")]
    refusals = [Refusal("audit failed", _describe_failure(check)) for check in checks if not check.has_passed]
    if not refusals and audit["passed"] is not True:
        refusals.append(Refusal("audit failed", f"its verdict is {make_printable(str(audit['verdict']))}"))
    return refusals


def _describe_failure(check: Check) -> str:
    if check.value is None:
        return f"{check.name} was not checked: {check.reason}"
    return f"{check.name} is {check.value:.4g}, and may be {check.at_most:.4g} at most ({check.claim})"


def _draw_checks(audit: Mapping[str, Any]) -> list[Check]:
    """The checks as they follow from the figures of an audit; none where the figures are no figures."""
    try:
        return list_checks(
            DEFAULTS,
            audit,
            audit,
            audit["vocabulary"],
            audit["canaries"],
            has_index=audit["samples"]["with_private_data"] is not None,
            were_planted=bool((audit["dataset"]["report"] or {}).get("canaries")),
        )
    except (LookupError, TypeError, ValueError, AttributeError):
        return []


def find_weak_settings(audit: Mapping[str, Any]) -> list[Refusal]:
    """Settings by which the audit looked at less than it does by default."""
    if not audit["vocabulary"].get("entries") and not audit["vocabulary"].get("public_tokenizer"):
        return [Refusal("weak audit", "the audit looked at no entry of the vocabulary; audit the model again")]
    settings = {name: (audit["settings"].get(name), getattr(DEFAULTS, name)) for name in EFFORTS}
    weak = [
        f"{name}={make_printable(str(setting))} instead of {default}"
        for name, (setting, default) in settings.items()
        if not isinstance(setting, int | float) or not EFFORTS[name](setting, default)
    ]
    return (
        [Refusal("weak audit", f"the audit was made with {', '.join(weak)}; audit with the defaults")] if weak else []
    )


def find_changed_files(audit: Mapping[str, Any], model: Path) -> list[Refusal]:
    """Files of the model, or of the adapter without its base, that are not those that were audited."""
    audited = {(group, name): digest for group in OWN_FILES for name, digest in audit["files"].get(group, {}).items()}
    there = {
        (group, path.relative_to(model).as_posix()): hash_file(path)
        for group, patterns in OWN_FILES.items()
        for pattern in patterns
        for path in model.glob(pattern)
        if path.is_file()
    }
    has_weights = any(name.endswith(".safetensors") for _, name in audited)
    if not has_weights or not any(digest == there.get(place) for place, digest in audited.items()):
        return [Refusal("other model", "the audit speaks of another model, of which no file is here; audit this one")]
    changed = sorted(
        {name for _, name in (place for place in audited | there if audited.get(place) != there.get(place))}
    )
    if not changed:
        return []
    names = ", ".join(map(make_printable, changed))
    return [Refusal("changed files", f"{names}: not the same as when the model was audited; audit it again")]


def find_other_dataset(audit: Mapping[str, Any], dataset: Path) -> list[Refusal]:
    """Whether the dataset that is given is the one that the model was audited with."""
    given = describe_dataset(dataset)
    if given == audit["dataset"]:
        return []
    return [Refusal("other dataset", f"{dataset} is not the dataset that the model was audited with; give that one")]
