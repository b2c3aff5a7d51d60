"""The audit as a gate: it is there, it passed by our own thresholds, and it speaks of these very files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from darija_gpt.evaluation.audit import AuditArguments, describe_dataset
from darija_gpt.evaluation.audited_files import TOKENIZER, WEIGHTS
from darija_gpt.fingerprint import hash_file
from darija_gpt.output import make_printable
from darija_gpt.publishing.refusals import Refusal


# Each check of an audit, and the field of AuditArguments whose default it may not exceed.
LIMITS = {
    "exact_continuation": "max_exact_continuation",
    "continuation_excess": "max_continuation_excess",
    "membership_auc": "max_membership_auc",
    "private_data_in_samples": "max_private_data_in_samples",
    "names_in_samples": "max_names_in_samples",
    "canaries_extracted": "max_canaries_extracted",
    "vocabulary_numbers": "max_vocabulary_entries",
    "vocabulary_names": "max_vocabulary_entries",
    "vocabulary_rare_entries": "max_vocabulary_entries",
}
# Where nobody's name was in the data, or nothing was planted in it, there is nothing to look for.
NEEDLESS = {"names_in_samples", "canaries_extracted", "vocabulary_names"}
# Of what an audit looks at, no less than by default: with eight samples every model passes.
EFFORTS = (
    *("num_prefixes", "num_samples", "num_prompted_samples", "sample_tokens"),
    *("num_members", "member_tokens", "min_conversations"),
)
# Of an adapter an audit also names the files of its base, which stand elsewhere and are not published with it.
OWN_FILES = {"weights": WEIGHTS, "tokenizer": TOKENIZER}


def find_failed_checks(audit: Mapping[str, Any]) -> list[Refusal]:
    """Checks that were not made or not passed. Verdicts are drawn again: a file may have been edited."""
    refusals = []
    for name, field in LIMITS.items():
        check = audit["checks"].get(name)
        if check is not None and name in NEEDLESS and check["verdict"] == "not applicable":
            continue
        if check is None or check["value"] is None:
            reason = check["reason"] if check else "the audit does not have it"
            refusals.append(Refusal("audit failed", f"{name} was not checked: {make_printable(str(reason))}"))
            continue
        limit = min(check["at_most"], getattr(AuditArguments, field))
        if not check["value"] <= limit or check["verdict"] != "passed":
            measured = f"{check['value']:.4g}, and may be {limit:.4g} at most"
            claim = make_printable(str(check["claim"]))
            refusals.append(Refusal("audit failed", f"{name} is {measured} ({claim})"))
    if not refusals and audit["passed"] is not True:
        refusals.append(Refusal("audit failed", f"its verdict is {make_printable(str(audit['verdict']))}"))
    return refusals


def find_weak_settings(audit: Mapping[str, Any]) -> list[Refusal]:
    """Settings by which the audit looked at less than it does by default."""
    if not audit["vocabulary"].get("entries") and not audit["vocabulary"].get("public_tokenizer"):
        return [Refusal("weak audit", "the audit looked at no entry of the vocabulary; audit the model again")]
    weak = [
        f"{name}={audit['settings'].get(name)} instead of {getattr(AuditArguments, name)}"
        for name in EFFORTS
        if not _read_number(audit["settings"].get(name)) >= getattr(AuditArguments, name)
    ]
    return (
        [Refusal("weak audit", f"the audit was made with {', '.join(weak)}; audit with the defaults")] if weak else []
    )


def _read_number(setting: Any) -> float:
    return setting if isinstance(setting, int | float) else 0


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
