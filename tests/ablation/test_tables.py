"""What a table of an ablation claims."""

import pytest
from scipy import stats

from darija_gpt.ablation.tables import estimate_difference, judge, render_results


def make_result(name, seed, bits, **changes):
    measured = {"bits_per_byte": {"all": bits, "Arab": bits - 0.3, "Latn": bits + 0.5}, "intermediate_size": 64}
    run = {"name": name, "seed": seed, "changes": changes, "commit": "c0ffee", "tokens": 5000, "parameters": 1000}
    return {**run, "device": "cpu", "mixed_precision": "no", **measured}


def test_the_interval_of_a_difference_is_that_of_students_t_test():
    base, own = [1.60, 1.62, 1.59, 1.61], [1.55, 1.57]
    difference, half_width = estimate_difference(own, base)
    assert difference == pytest.approx(-0.045)
    # A sample of the same spread as the base's: what is pooled is then the base's own spread.
    spread = stats.tstd(base)
    quantile = stats.t.ppf(0.975, 3)
    assert half_width == pytest.approx(quantile * spread * (1 / 2 + 1 / 4) ** 0.5)
    assert stats.ttest_1samp(base, stats.tmean(base)).pvalue == pytest.approx(1)


def test_of_intervals_that_hold_the_truth_there_are_95_in_100():
    noise = stats.norm(0, 0.01).rvs(size=(4000, 5), random_state=0)
    hits = 0
    for *base, own in noise.tolist():
        difference, half_width = estimate_difference([own], base)
        hits += abs(difference) <= half_width
    assert hits / len(noise) == pytest.approx(0.95, abs=0.012)


def test_nothing_is_claimed_beyond_the_spread():
    assert judge(-0.01, 0.02) == judge(0.01, 0.02) == "no difference shown"
    assert (judge(-0.03, 0.02), judge(0.03, 0.02)) == ("better", "worse")
    assert judge(-0.5, None) == "one run of the base: no judgement"


def test_a_table_has_a_row_for_each_recipe_with_its_changes_and_means():
    table = render_results(
        [
            make_result("base", 0, 1.60),
            make_result("base", 1, 1.62),
            make_result("norm_layernorm", 0, 1.50, **{"model.norm": "layernorm"}),
            {**make_result("gated_mlp_false", 0, 1.61, **{"model.gated_mlp": False}), "intermediate_size": 96},
        ],
        "base",
    )
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("|")]
    assert rows[2] == ["base", "–", "1,000", "2", "2.110 ± 0.014", "1.310 ± 0.014", "1.610 ± 0.014", "–", "–"]
    assert rows[3][:2] == ["norm_layernorm", "`norm` layernorm"] and rows[3][7].startswith("-0.110 ± 0.2")
    assert rows[4][1] == "`gated_mlp` false" and rows[4][-1] == "no difference shown"
    assert "gated_mlp_false 96" in table and "base 64" in table
    assert "4 runs of 5,000 tokens (cpu, no, commit c0ffee)." in table


def test_one_run_of_the_base_gives_no_interval():
    table = render_results([make_result("base", 0, 1.6), make_result("other", 0, 1.5, z_loss=1)], "base")
    last = [cell.strip() for cell in table.splitlines()[3].split("|")]
    assert last[-3:-1] == ["-0.100", "one run of the base: no judgement"] and "95 %" not in table
