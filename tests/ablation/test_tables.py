"""What a table of an ablation claims."""

import pytest
from invented_results import RESULTS, SPEED, make_result
from scipy import stats

from darija_gpt.ablation.tables import Findings, render_results


def read_rows(table):
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("|")]


def make_results(groups):
    return [make_result(name, seed, bits) for name, of in groups.items() for seed, bits in enumerate(of)]


def test_the_interval_of_one_difference_is_that_of_students_t_test():
    base, own = [1.60, 1.62, 1.59, 1.61], [1.55, 1.57]
    difference, half_width = Findings(make_results({"base": base, "own": own}), "base").compare("own")
    interval = stats.ttest_ind(own, base).confidence_interval()
    expected = pytest.approx((interval.low, interval.high), abs=1e-5)
    assert (difference - half_width, difference + half_width) == expected


def test_intervals_of_many_differences_hold_together():
    groups = {"base": [1.60, 1.62, 1.59, 1.61], "one": [1.55, 1.56], "two": [1.60, 1.63], "three": [1.70]}
    findings = Findings(make_results(groups), "base")
    dunnett = stats.dunnett(
        *([*of, *[sum(of) / len(of)] * (len(of) == 1)][: len(of)] for name, of in groups.items() if name != "base"),
        control=groups["base"],
        rng=0,
    ).confidence_interval()
    for number, name in enumerate(("one", "two", "three")):
        difference, half_width = findings.compare(name)
        low, high = dunnett.low[number], dunnett.high[number]
        assert (difference - half_width, difference + half_width) == pytest.approx((low, high), abs=2e-3)


def test_results_that_are_not_shown_tell_what_seeds_do_too():
    shown = make_results({"base": [1.60, 1.62], "one": [1.5]})
    others = make_results({"two": [1.55, 1.57], "three": [1.7, 1.72, 1.71]})
    alone, together = Findings(shown, "base"), Findings(shown, "base", others=others)
    assert together.noise.degrees == 4 and together.compare("one")[1] < alone.compare("one")[1]
    assert "is known from 7 runs of 3 recipes that have several" in render_results(together)


def test_nothing_is_claimed_beyond_the_spread():
    groups = {"base": [1.60, 1.62, 1.59, 1.61], "near": [1.59], "lower": [1.4], "higher": [1.9]}
    findings = Findings(make_results(groups), "base")
    verdicts = [findings.judge(name) for name in ("near", "lower", "higher")]
    assert verdicts == ["no difference shown", "better", "worse"]
    lonely = Findings(make_results({"base": [1.6], "lower": [1.1]}), "base")
    assert lonely.judge("lower") == "one run of the base: no judgement"


def test_a_recipe_whose_runs_differ_more_than_others_is_not_judged():
    groups = {f"recipe_{number}": [1.5, 1.501 + number / 10_000] for number in range(6)}
    findings = Findings(make_results({"base": [1.60, 1.601, 1.602], **groups, "wild": [1.4, 1.5]}), "base")
    assert findings.judge("wild") == "its seeds differ: no judgement" and findings.judge("recipe_1") == "better"
    table = render_results(findings)
    assert "Runs of wild differ by more than those of others (F test), and are not judged; a" in table
    assert {row[0]: row[7] for row in read_rows(table)}["wild"] == "-0.151"


def test_a_table_has_a_row_for_each_recipe_with_its_changes_and_means():
    table = render_results(Findings(RESULTS, "base"))
    rows = read_rows(table)
    bits = ["2.110 ± 0.014", "1.310 ± 0.014", "1.610 ± 0.014"]
    assert rows[2] == ["base", "–", "1,000", "2", *bits, "–", "–", "701"]
    assert rows[3][:2] == ["norm_layernorm", "`norm` layernorm"] and rows[3][7].startswith("-0.110 ± 0.")
    assert rows[4][1] == "`gated_mlp` false" and rows[4][-2] == "no difference shown"
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
    assert read_rows(table)[3][-3:-1] == ["-0.100", "one run of the base: no judgement"] and "Dunnett" not in table


def test_speeds_stand_beside_the_losses_of_the_recipes_that_have_one():
    table = render_results(Findings(RESULTS, "base", {"norm_layernorm": SPEED}))
    by_name = {row[0]: row for row in read_rows(table)}
    assert by_name["norm_layernorm"][-4:] == ["0.90 (0.85 to 1.01)", "310", "1,024", "700"]
    assert by_name["base"][-4:] == ["–", "–", "–", "701"]
    assert "threads: 2, training in bf16): the median of 5 turns" in table


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
