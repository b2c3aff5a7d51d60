"""Publishing: the card is written beside the model; then, if the gate lets it, a list of files goes to the Hub.

The gate cannot be told to look away. What goes around it is a bare `model.push_to_hub`, which sends what it likes.
"""

import sys
import time
from collections.abc import Callable

from darija_gpt.card import CardFacts, render_card, render_results
from darija_gpt.output import replace_section, write_text
from darija_gpt.publishing.arguments import (
    RESULTS_BEGIN,
    RESULTS_END,
    PublishArguments,
    check_arguments,
    find_base,
)
from darija_gpt.publishing.companions import find_license, find_plots, gather_companions, write_companions
from darija_gpt.publishing.evaluations import read_audit, read_evaluation
from darija_gpt.publishing.gate import describe_refusals
from darija_gpt.publishing.shipments import pack_shipments, print_shipments
from darija_gpt.publishing.upload import push_files


__all__ = ["RESULTS_BEGIN", "RESULTS_END", "PublishArguments", "publish"]


def write_card(arguments: PublishArguments) -> None:
    """Writes the card and what goes with it beside the model, and the results into a README that asks for them."""
    base = find_base(arguments)
    metrics, dialogues = read_evaluation(arguments.evaluation)
    audit = read_audit(arguments.audit_file) if arguments.audit_file else None
    plots = find_plots(arguments.plot_folders)
    facts = CardFacts(
        model_name=arguments.model_name,
        license=arguments.license,
        language=arguments.language,
        datasets=arguments.datasets,
        data_description=arguments.data_description,
        repo_id=arguments.repo_id,
        base_model=base,
    )
    card = render_card(metrics, dialogues, facts, audit=audit, plots=plots)
    texts = {}
    if arguments.results_readme and not arguments.dry_run:
        results = render_results(metrics, dialogues)
        section = arguments.results_section
        texts[arguments.results_readme] = replace_section(arguments.results_readme, section, results)
        # Beside a README that is committed, so is what its numbers come from.
        prefix = "" if section == "results" else f"{section}_"
        for name in ("metrics.json", "samples.jsonl"):
            source = (arguments.evaluation / name).read_text(encoding="utf-8")
            texts[arguments.results_readme.parent / "results" / f"{prefix}{name}"] = source
    companions = gather_companions(
        card,
        license=find_license(arguments.license, arguments.license_file),
        audit=arguments.audit_file,
        plots=plots,
        recipes=arguments.recipes,
    )
    write_companions(arguments.model, companions)
    for path, text in texts.items():
        path.parent.mkdir(exist_ok=True)
        write_text(path, text)
    print(f"written: {arguments.model / 'README.md'}")
    print(f"beside it: {', '.join(name for name in companions if name != 'README.md')}")
    for path in texts:
        print(f"written: {path}")


def publish(arguments: PublishArguments, sleep: Callable[[float], None] = time.sleep) -> None:
    """Writes the card of a model beside it and, when asked and when the gate lets it, sends both to the Hub.

    Args:
        arguments (`PublishArguments`):
            The model, what is known of it, and what the card says about it.
        sleep (`Callable`, *optional*):
            Waits between tries to reach the Hub.

    Raises:
        ValueError: If an input is missing or wrong, before anything is written; if the gate refuses, before anything
            is sent; or if the Hub refuses.
    """
    check_arguments(arguments)
    write_card(arguments)
    with pack_shipments(arguments) as shipments:
        refusals = [refusal for shipment in shipments for refusal in shipment.refusals]
        if arguments.dry_run:
            print_shipments(shipments, arguments.private)
        if refusals and (arguments.push or arguments.dry_run):
            raise ValueError(f"nothing is sent, for {len(refusals)} reasons: {describe_refusals(refusals)}.")
        if arguments.dry_run or not arguments.push:
            for words in dict.fromkeys(refusal.words for refusal in refusals):
                print(f"missing for a push: {words}")
            if not refusals and not arguments.dry_run:
                print("nothing is missing for a push: add --push and --repo_id user/name")
            return
        if not arguments.private:
            print(f"warning: {arguments.repo_id} will be public, for everybody and for good.", file=sys.stderr)
        for shipment in shipments:
            address = push_files(
                shipment.directory,
                shipment.files,
                shipment.repo_id,
                repo_type=shipment.repo_type,
                private=arguments.private,
                sleep=sleep,
            )
            print(f"published: {address}")
