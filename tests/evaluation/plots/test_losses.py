"""Loss curves: the table and the picture of a log."""

import csv
import io

import pytest
from PIL import Image

from darija_gpt.evaluation.plots.losses import format_losses, plot_losses, tabulate_losses


def make_log(num_steps: int) -> list[dict]:
    """A log as a run writes it, with a skipped step, one whose loss is no number, and two validations."""
    records = []
    for step in range(1, num_steps + 1):
        record = {"step": step, "loss": 8 / step**0.3, "grad_norm": 1.0, "learning_rate": 1e-3 / step}
        record |= {"tokens": step * 64, "epoch": round(step / 10, 4)}
        if step == 5:
            record |= {"loss": 900.0, "skipped": "spike"}
        if step == 6:
            record |= {"loss": None, "grad_norm": None, "skipped": "non_finite"}
        records.append(record)
        if step in (num_steps // 2, num_steps):
            records.append({"step": step, "validation_loss": 4.0, "validation_bits_per_byte": 1.5})
    return records


def test_the_table_has_a_row_for_each_step_with_what_the_log_says():
    log = make_log(20)
    rows = list(csv.DictReader(io.StringIO(format_losses(tabulate_losses(log)))))
    assert [int(row["step"]) for row in rows] == list(range(1, 21))
    assert list(rows[0]) == [
        *("step", "tokens", "epoch", "train_loss", "smoothed_train_loss", "validation_loss"),
        *("validation_bits_per_byte", "learning_rate", "grad_norm", "skipped"),
    ]
    by_step = {record["step"]: record for record in log if "grad_norm" in record}
    for row in rows:
        record = by_step[int(row["step"])]
        assert row["train_loss"] == ("" if record["loss"] is None else str(record["loss"]))
        assert (int(row["tokens"]), float(row["epoch"])) == (record["tokens"], record["epoch"])
        assert row["skipped"] == record.get("skipped", "")
    measured = {int(row["step"]): row["validation_loss"] for row in rows if row["validation_loss"]}
    assert measured == {10: "4.0", 20: "4.0"}
    assert [row["validation_bits_per_byte"] for row in rows if row["validation_loss"]] == ["1.5", "1.5"]


def test_the_smoothed_loss_is_an_average_that_skipped_steps_are_no_part_of():
    rows = tabulate_losses(make_log(200))
    assert rows[0].smoothed_train_loss == pytest.approx(rows[0].train_loss, abs=1e-5)
    assert rows[4].smoothed_train_loss is None and rows[5].smoothed_train_loss is None
    losses = [row.train_loss for row in rows if not row.skipped]
    # By the definition: weights that fall by a factor e in five steps.
    weights = [2.718281828459045 ** (-age / 5) for age in range(len(losses))]
    expected = sum(map(float.__mul__, weights, reversed(losses))) / sum(weights)
    assert rows[-1].smoothed_train_loss == pytest.approx(expected, abs=1e-5)
    assert all(row.smoothed_train_loss == 3 for row in tabulate_losses({"step": s, "loss": 3.0} for s in range(1, 99)))


@pytest.mark.parametrize(
    "records",
    [
        make_log(300),
        make_log(1),
        [{"step": 3, "loss": None, "skipped": "non_finite"}],
        [{"step": 3, "validation_loss": 2.0}],
    ],
    ids=["usual", "one step", "no loss", "validation only"],
)
def test_the_picture_is_a_png_whatever_the_log_holds(records):
    with Image.open(io.BytesIO(plot_losses(tabulate_losses(records)))) as picture:
        assert picture.format == "PNG" and picture.width > 1000
        assert len(set(picture.convert("L").resize((90, 56)).tobytes())) > 5
