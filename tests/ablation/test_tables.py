"""What a table of an ablation claims."""

import pytest
from invented_results import RESULTS, SPEED, make_result
from scipy import stats

from darija_gpt.ablation.tables import Findings, estimate_difference, judge, render_results


def read_rows(table):
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("|")]


def test_the_interval_of_a_difference_is_that_of_students_t_test():
    base, own = [1.60, 1.62, 1.59, 1.61], [1.55, 1.57]
    results = [make_result("base", seed, bits) for seed, bits in enumerate(base)]
    results += [make_result("own", seed, bits) for seed, bits in enumerate(own)]
    difference, half_width = Findings(results, "base").compare("own")
    interval = stats.ttest_ind(own, base).confidence_interval()
    assert (difference - half_width, difference + half_width) == pytest.approx((interval.low, interval.high))


def test_what_seeds_do_is_pooled_over_all_recipes_with_several_runs():
    groups = {"base": [1.60, 1.62, 1.59, 1.61], "one": [1.5], "two": [1.55, 1.57], "three": [1.7, 1.8, 1.75]}
    results = [make_result(name, seed, bits) for name, of in groups.items() for seed, bits in enumerate(of)]
    deviation, degrees = Findings(results, "base").measure_spread()
    # The mean square within groups of an analysis of variance.
    values = [(bits, sum(of) / len(of)) for of in groups.values() for bits in of]
    assert degrees == len(values) - len(groups)
    assert deviation**2 == pytest.approx(sum((bits - mean) ** 2 for bits, mean in values) / degrees)
    lonely = [result for result in results if (result["name"], result["seed"] > 0) != ("base", True)]
    assert Findings(lonely, "base").measure_spread() is None


def test_of_intervals_that_hold_the_truth_there_are_95_in_100():
    noise = stats.norm(0, 0.01).rvs(size=(4000, 5), random_state=0)
    hits = 0
    for *base, own in noise.tolist():
        difference, half_width = estimate_difference([own], base, (stats.tstd(base), len(base) - 1))
        hits += abs(difference) <= half_width
    assert hits / len(noise) == pytest.approx(0.95, abs=0.012)


def test_nothing_is_claimed_beyond_the_spread():
    assert judge(-0.01, 0.02) == judge(0.01, 0.02) == "no difference shown"
    assert (judge(-0.03, 0.02), judge(0.03, 0.02)) == ("better", "worse")
    assert judge(-0.5, None) == "one run of the base: no judgement"


def test_a_table_has_a_row_for_each_recipe_with_its_changes_and_means():
    table = render_results(Findings(RESULTS, "base"))
    rows = read_rows(table)
    bits = ["2.110 ± 0.014", "1.310 ± 0.014", "1.610 ± 0.014"]
    assert rows[2] == ["base", "–", "1,000", "2", *bits, "–", "–", "–", "701"]
    assert rows[3][:2] == ["norm_layernorm", "`norm` layernorm"] and rows[3][7].startswith("-0.110 ± 0.2")
    assert rows[4][1] == "`gated_mlp` false" and rows[4][-3:-1] == ["no difference shown", "+0.010"]
    assert rows[3][-2] == "-0.100"
    assert "gated_mlp_false 96" in table and "base 64" in table
    assert "4 runs of 5,000 tokens (cpu, no, commit c0ffee)." in table and "same texts" not in table
    assert "skipped" not in table


def test_what_makes_runs_unlike_each_other_is_told():
    results = [*RESULTS, {**make_result("wild", 0, 1.9), "skipped_steps": {"spike": 9, "nan": 3}, "data": "d1"}]
    table = render_results(Findings(results, "base"))
    assert "skipped as spikes, where there were 5 or more: wild, seed 0 12." in table
    assert "They did not all learn from the same texts." in table


def test_one_run_of_the_base_gives_no_interval():
    results = [make_result("base", 0, 1.6), make_result("other", 0, 1.5, z_loss=1)]
    table = render_results(Findings(results, "base"))
    assert read_rows(table)[3][-3:-1] == ["-0.100", "one run of the base: no judgement"] and "95 %" not in table


def test_speeds_stand_beside_the_losses_of_the_recipes_that_have_one():
    table = render_results(Findings(RESULTS, "base", {"norm_layernorm": SPEED}))
    by_name = {row[0]: row for row in read_rows(table)}
    assert by_name["norm_layernorm"][-4:] == ["0.90 (0.85 to 1.01)", "310", "1,024", "700"]
    assert by_name["base"][-4:] == ["–", "–", "–", "701"]
    assert "2 threads, training in bf16): the median of 5 turns" in table


def test_each_group_has_a_table_with_the_base_on_top_and_nobody_is_lost():
    table = render_results(Findings(RESULTS, "base", groups={"Norms": ["norm_*"], "Nothing": ["none_*"]}))
    assert [line for line in table.splitlines() if line.startswith("#")] == ["### Norms"]
    names = [row[0] for row in read_rows(table) if row[0] != "Recipe" and not row[0].startswith(":")]
    assert names == ["base", "norm_layernorm", "base", "gated_mlp_false"]


def test_labels_give_words_and_order():
    labels = {"norm_layernorm": "older norms", "base": "the base", "absent": "not run"}
    rows = read_rows(render_results(Findings(RESULTS, "base", labels=labels)))
    assert [row[:2] for row in rows[2:]] == [
        ["norm_layernorm", "older norms"],
        ["base", "the base"],
        ["gated_mlp_false", "`gated_mlp` false"],
    ]


def test_of_many_recipes_it_is_said_how_many_chance_alone_would_judge():
    many = [make_result(f"z_loss_{number}", 0, 1.6, z_loss=number) for number in range(38)]
    table = render_results(Findings([*RESULTS, *many], "base"))
    assert "Of 40 recipes that are judged so, chance alone makes about 2 look" in table
    assert "chance alone" not in render_results(Findings(RESULTS, "base"))
