"""Tables of measurements: as Markdown, and as the JSON file that the numbers in it come from."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from darija_gpt.output import replace_section, write_text


def render_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its first column to the left and the others to the right, padded to be read as it is."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]

    def render_row(cells: Sequence[str]) -> str:
        first, *others = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        others = [cell.strip().rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        return f"| {' | '.join([first, *others])} |"

    rule = "|".join([f":{'-' * (widths[0] + 1)}", *(f"{'-' * (width + 1)}:" for width in widths[1:])])
    return "\n".join([render_row(header), f"|{rule}|", *map(render_row, rows)])


def write_report(name: str, report: dict[str, Any], table: str, readme: Path | None) -> None:
    """Puts a table between the markers of its name in a README, and what it was made from into results/ beside it.

    Args:
        name (`str`):
            Of the benchmark.
        report (`dict`):
            All that was measured, and on what.
        table (`str`):
            Markdown.
        readme (`Path`, *optional*):
            The file; nothing is written without it.

    Raises:
        ValueError: If the README has not the two markers.
    """
    if readme is None:
        return
    text = replace_section(readme, name, table)
    results = readme.parent / "results" / f"{name}.json"
    results.parent.mkdir(exist_ok=True)
    write_text(results, json.dumps(report, indent=2) + "\n")
    write_text(readme, text)
    print(f"written: {readme}, {results}")
