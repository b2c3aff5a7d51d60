"""ROUGE in any script, against Lin's formulas and against rouge_score's own words of English."""

import random
from collections import Counter

import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer

from darija_gpt.evaluation.intervals import estimate_means
from darija_gpt.evaluation.lead_baseline import count_usual_words, take_lead_sentence, take_lead_words
from darija_gpt.evaluation.rouge import ROUGE_TYPES, WordTokenizer, score_rouge


def measure_by_hand(prediction: list[str], reference: list[str]) -> dict[str, float]:
    """F1 by the definitions of Lin 2004: shared n-grams, and the longest common subsequence by its recursion."""

    def balance(shared: int, num_predicted: int, num_wanted: int) -> float:
        return 2 * shared / (num_predicted + num_wanted) if shared else 0.0

    def count_runs(words: list[str], size: int) -> Counter:
        return Counter(tuple(words[place : place + size]) for place in range(len(words) - size + 1))

    def find_longest(first: list[str], second: list[str]) -> int:
        lengths = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
        for row, word in enumerate(first):
            for column, other in enumerate(second):
                lengths[row + 1][column + 1] = (
                    lengths[row][column] + 1
                    if word == other
                    else max(lengths[row][column + 1], lengths[row + 1][column])
                )
        return lengths[-1][-1]

    scores = {}
    for size in (1, 2):
        predicted, wanted = count_runs(prediction, size), count_runs(reference, size)
        scores[f"rouge{size}"] = balance((predicted & wanted).total(), predicted.total(), wanted.total())
    scores["rougeL"] = balance(find_longest(prediction, reference), len(prediction), len(reference))
    return scores


WORDS = ("شنو", "كاين", "السوق", "غدا", "والو", "labas", "khouya", "3lik", "bzaf", "l7anout")


@pytest.mark.parametrize("seed", range(20))
def test_scores_of_both_scripts_are_those_of_the_formulas(seed):
    draw = random.Random(seed)
    prediction, reference = (draw.choices(WORDS, k=draw.randint(1, 14)) for _ in range(2))
    scores = score_rouge([" ".join(prediction)], [" ".join(reference)])
    assert {name: values[0] for name, values in scores.items()} == pytest.approx(
        measure_by_hand(prediction, reference), abs=1e-12
    )


@pytest.mark.parametrize("seed", range(20))
def test_scores_of_english_are_those_of_rouge_score_itself(seed):
    draw = random.Random(seed)
    pieces = ["The", "bus", "was", "late,", "too", "to", "St.", "John's", "at", "7:30", "e-mail", "(twice)", "Hello"]
    prediction, reference = (" ".join(draw.choices(pieces, k=draw.randint(1, 20))) for _ in range(2))
    expected = RougeScorer(ROUGE_TYPES).score(reference, prediction)
    assert {name: values[0] for name, values in score_rouge([prediction], [reference]).items()} == {
        name: expected[name].fmeasure for name in ROUGE_TYPES
    }


def test_rouge_scores_own_words_would_find_nothing_in_arabic():
    text = "الأثمنة طالعة فالسوق"
    assert RougeScorer(ROUGE_TYPES).score(text, text)["rouge1"].fmeasure == 0
    assert score_rouge([text], [text])["rouge1"][0] == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("السُّوقُ غـــالي", ["السوق", "غالي"]),
        ("أحمد، إيلا آجي!", ["احمد", "ايلا", "اجي"]),
        ("المدينة والمستشفى", ["المدينه", "والمستشفي"]),
        ("Été 3ndi «déjà» l'bit", ["ete", "3ndi", "deja", "l", "bit"]),
        ("labas?؟ 😊 …", ["labas"]),
        ("snake_case", ["snake", "case"]),
        ("too to", ["too", "to"]),
        ("", []),
    ],
)
def test_words_are_those_people_see_whatever_marks_them(text, words):
    assert WordTokenizer().tokenize(text) == words


def test_an_empty_summary_has_nothing_in_common():
    assert all(values[0] == 0 for values in score_rouge([""], ["labas 3lik"]).values())


def test_the_interval_holds_the_mean_as_often_as_it_says():
    generator = np.random.default_rng(0)
    num_held = 0
    for seed in range(200):
        estimate = estimate_means({"rougeL": generator.beta(2, 5, size=60)}, seed=seed)["rougeL"]
        num_held += estimate["low"] <= 2 / 7 <= estimate["high"]
    # 95 % of 200, within three standard deviations of a binomial.
    assert 180 <= num_held <= 199


def test_the_interval_is_narrower_with_more_texts_and_none_where_all_are_alike():
    few, many = (estimate_means({"rouge1": np.tile([0.1, 0.2, 0.6], count)})["rouge1"] for count in (4, 400))
    assert few["value"] == many["value"] == 0.3
    assert many["high"] - many["low"] < (few["high"] - few["low"]) / 5
    assert estimate_means({"rouge1": np.zeros(30)})["rouge1"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_a_few_summaries_leave_the_mean_without_an_interval():
    assert estimate_means({"rouge1": np.array([0.4])})["rouge1"] == {"value": 0.4, "low": None, "high": None}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Lbareh kont f dar. Lyouma la.", "Lbareh kont f dar."),
        ("فين كنتي؟ كنت فالدار.", "فين كنتي؟"),
        ("Amina: salam\nOmar: labas", "Amina: salam"),
        ("“Safi!” galt lih. Mcha.", "“Safi!"),
        ("3.5 dh l kilo", "3.5 dh l kilo"),
        ("\n\n  bla noqta ", "bla noqta"),
        ("...", "..."),
        ("", ""),
    ],
)
def test_the_lead_is_the_first_sentence_or_line(text, sentence):
    assert take_lead_sentence(text) == sentence


def test_the_lead_has_as_many_words_as_a_usual_summary():
    assert count_usual_words(["wahd", "wahd jouj", "wahd jouj tlata rb3a"]) == 2
    assert take_lead_words("chi\nhaja  jdida lyouma", 2) == "chi haja"
