import re

import pytest
from card_examples import AUDIT, CLASSIFIER, DIALOGUES, METRICS
from huggingface_hub import ModelCard

from darija_gpt.card import PLOTS, CardFacts, render_card, render_results
from darija_gpt.markdown import (
    escape_bibtex,
    escape_lines,
    escape_markdown,
    escape_python,
    format_count,
    format_counts,
    format_decimal,
    format_duration,
    format_number,
    one_line,
)


# Of a model that was pretrained on texts that are nobody's chats, and no more.
BASE_METRICS = {
    **METRICS,
    "training": METRICS["training"][:1],
    "dataset": {"conversations": 900, "splits": METRICS["dataset"]["splits"]},
}


def render_small(metrics=METRICS, dialogues=DIALOGUES, **facts) -> str:
    return render_card(metrics, dialogues, CardFacts(**{"model_name": "small"} | facts))


def code_of(card: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", card, re.DOTALL | re.MULTILINE)


def test_the_code_of_a_card_is_python():
    blocks = code_of(render_small())
    assert len(blocks) == 2
    for block in (*blocks, *code_of(render_small(base_model="someone/base"))):
        compile(block, "card", "exec")


@pytest.mark.slow
@pytest.mark.parametrize("metrics", [METRICS, BASE_METRICS], ids=["chat", "base"])
@pytest.mark.parametrize("block", [0, 1])
def test_the_code_of_a_card_runs_in_the_folder_of_the_model(block, metrics, tiny_llama_dir, monkeypatch):
    monkeypatch.chdir(tiny_llama_dir)
    exec(code_of(render_small(metrics))[block], {})


def test_an_interval_stands_beside_its_number_where_there_are_enough_conversations():
    bounds = {"bits_per_byte_low": 1.8, "bits_per_byte_high": 2.1234}
    many = METRICS["bits_per_byte"]["test"]["all"] | bounds
    scripts = {"all": many, "Arab": many | {"documents": 3}, "Latn": many | dict.fromkeys(bounds)}
    card = render_small(METRICS | {"bits_per_byte": {"test": scripts}})
    shown = [row.split(" | ")[3] for row in card.splitlines() if row.startswith("| test | ")]
    assert shown == ["1.800 to 2.123", "–", "–"]


def test_a_card_says_how_many_replies_were_drawn_again_and_how_many_dialogues_left_out():
    card = render_small()
    assert (
        "repeated 8 words of the data in a row, of any split, was drawn again (13 times), and 1 of\n2 dialogues"
        in card
    )
    assert "says nothing of how often the model recites" in card
    unrecorded = render_small({name: part for name, part in METRICS.items() if name != "sampled_dialogues"})
    assert "repeated many words of the data in a row" in unrecorded and "says nothing of how often" in unrecorded
    assert "left out because a reply kept doing so" in render_small(METRICS, [])


def test_a_base_model_is_not_said_to_chat():
    card = render_small(BASE_METRICS)
    assert "A base language model of Moroccan Darija" in card
    assert not [word for word in ("chats", "makes conversation", "dialogue is lost", "messages") if word in card]
    assert {"darija", "arabizi"} <= set(ModelCard(card).data.tags) and "chat" not in ModelCard(card).data.tags
    assert "whatsapp" in ModelCard(render_small({**BASE_METRICS, "dataset": METRICS["dataset"]})).data.tags
    assert "A language model that chats in everyday Moroccan Darija" in render_small()


def test_the_front_matter_carries_what_the_hub_reads():
    card = render_small(model_name="Darija: small", license="mit", datasets=["someone/chats"])
    data = ModelCard(card).data
    assert (data.language, data.license, data.library_name) == ("ary", "mit", "transformers")
    assert (data.pipeline_tag, data.datasets, data.model_name) == (
        "text-generation",
        ["someone/chats"],
        "Darija: small",
    )
    assert {"darija", "moroccan-arabic", "whatsapp", "darija_gpt"} <= set(data.tags)
    assert [(result.dataset_split, result.metric_type, result.metric_value) for result in data.eval_results] == [
        ("validation", "bits_per_byte", 1.9346),
        ("test", "bits_per_byte", 1.9346),
    ]


def test_the_numbers_of_a_card_are_those_of_the_metrics():
    card = render_small()
    for row in (
        "Of 63,414 messages, 60,713 (96 %) were kept, in 5,300 conversations.",
        "Dropped: 2,100 media, 12 system.",
        "| train | 4,770 | 2,385 | 1,590 | 795 | 52,470 | 38,160 | 286,200 | 1.9 M |",
        "| 3.20 | 4.10 | 2.70 | 3.30 |",
        "| pretrain | 7.3 M | 3.0 | 1,520 | 3.1 M | 3.81 | 3.97 | 12 min 5 s | 4,301 | cpu, 2 threads, bf16 |",
        "| finetune, lora | 196,608 | 2.0 | 331 | – | – | – | – | – | – |",
        "| test | Arabic script | 1.500 | – | 45.1 | 123,456 | 40,000 | 12 |",
        '| Model | <div dir="auto">الحمد لله</div><div dir="auto">w nta?</div> |',
    ):
        assert f"\n{row}\n" in card


def test_every_row_of_a_table_has_as_many_cells_as_its_head():
    for table in re.findall(r"(?:^\|.*\|\n)+", render_small(), re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_the_results_of_a_recipe_are_the_tables_of_the_card():
    card, results = render_small(), render_results(METRICS, DIALOGUES)
    tables = re.findall(r"(?:^\|.*\|\n)+", results, re.MULTILINE)
    assert len(tables) == 5
    assert all(table in card for table in tables)


@pytest.mark.parametrize("absent", [set(METRICS), *({part} for part in METRICS)])
def test_a_part_that_the_metrics_lack_is_left_out(absent):
    metrics = {part: value for part, value in METRICS.items() if part not in absent}
    card = render_small(metrics, [])
    assert ("## Training" in card) == ("training" in metrics)
    assert ("## Evaluation" in card) == ("bits_per_byte" in metrics)
    assert ("## Sampled dialogues" in card) == ("sampled_dialogues" in metrics)


def test_a_card_without_an_audit_says_that_there_was_none():
    card = render_small({}, [])
    assert "No privacy audit has been run on this model" in card and "| not made |" in card


def test_the_audit_is_told_in_plain_words_with_its_numbers():
    card = render_card(METRICS, [], CardFacts(model_name="small"), audit=AUDIT)
    assert "pseudonymised, not anonymous" in card and "No privacy audit" not in card
    for words in (
        "The audit **passed**.",
        "| how well the best attack tells documents of training from others | 0.5731 | 0.65 | passed |",
        "Given the first 32 tokens of 1,000 passages that it was trained on, it went on word for word in 3;",
        "10,000 texts that it wrote unasked and 1,000 that it wrote when asked for private data",
        "with an AUC of 0.573 (0.540 to 0.606)",
        "Of 4,081 entries of the vocabulary, 0 hold more than one digit",
        "| 8 | 8 | 2 | 5.1 | 9.0 |",
        "| model.safetensors | 0123456789abcdef |",
        "has 5 words; of held-out texts that are as long, 9.",
    ):
        assert words in card, words


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "although [the audit](#privacy) met none."),
        ({"continuation": AUDIT["continuation"]}, "the audit met some, see [Privacy](#privacy)."),
        ({"canaries": AUDIT["canaries"]}, "the audit met some, see [Privacy](#privacy)."),
        ({"samples": AUDIT["samples"] | {"with_names": 1}}, "the audit met some, see [Privacy](#privacy)."),
    ],
    ids=["none", "passages", "planted numbers", "names"],
)
def test_an_audit_that_passed_is_not_said_to_have_met_none_where_it_met_some(changed, words):
    audit = AUDIT | {"continuation": None, "canaries": None} | changed
    card = render_card(METRICS, [], CardFacts(model_name="small"), audit=audit)
    assert f"a name or a number included{', ' if 'none' in words else ': '}{words}\n" in card


def test_a_card_names_the_public_tokenizer_whose_entries_the_audit_left_out():
    facts = CardFacts(model_name="small")
    words = "Entries of the public tokenizer someone/public were not looked at."
    public = AUDIT | {"vocabulary": AUDIT["vocabulary"] | {"public_tokenizer": "someone/public"}}
    assert words in render_card(METRICS, [], facts, audit=public)
    assert "public tokenizer" not in render_card(METRICS, [], facts, audit=AUDIT)


@pytest.mark.parametrize("verdict", ["failed", "incomplete"])
def test_an_audit_that_did_not_pass_is_not_made_to_look_better(verdict):
    unmade = {"claim": "names in samples", "value": None, "at_most": 0, "verdict": "not checked", "reason": "no key"}
    audit = AUDIT | {"passed": False, "verdict": verdict, "checks": {"names_in_samples": unmade}}
    card = render_card(METRICS, [], CardFacts(model_name="small"), audit=audit)
    assert f"The audit **{verdict}**: this model is not to be published." in card
    assert "| names in samples | – | 0 | not checked |" in card and "Not checked, names in samples: no key." in card
    assert "met none" not in card


@pytest.mark.parametrize("plots", [(), tuple(PLOTS)], ids=["none", "all"])
def test_a_card_shows_the_pictures_that_lie_beside_it_and_no_other(plots):
    card = render_card(METRICS, [], CardFacts(model_name="small"), plots=[*plots, "diary"])
    assert re.findall(r"\]\(plots/(\w+)\.png\)", card) == [name for name in PLOTS if name in plots]


def test_the_card_of_an_adapter_names_its_base():
    card = render_small(base_model="someone/base", repo_id="someone/adapter")
    data = ModelCard(card).data
    assert (data.base_model, data.library_name) == ("someone/base", "peft")
    assert "PeftModel.from_pretrained(base, adapter_id)" in card and 'adapter_id = "someone/adapter"' in card


def test_the_card_of_a_classifier_has_its_classes_and_what_it_was_compared_with():
    card = render_small(CLASSIFIER, [], language="en")
    data = ModelCard(card).data
    assert (data.language, data.pipeline_tag, data.tags[-1]) == ("en", "text-classification", "darija_gpt")
    measured = {result.metric_type: result.metric_value for result in data.eval_results}
    assert measured == {"accuracy": 0.8125, "f1": 0.8062}
    for words in ("| Classes | good, زوين |", "| train | 70 | 40 | 30 |", "| TF-IDF, logistic regression |", "0.806"):
        assert words in card, words
    (block,) = code_of(card)
    compile(block, "card", "exec")


def test_benchmarks_stand_in_the_front_matter_and_in_a_table():
    scores = {"value": 0.2871, "stderr": 0.0143, "chance": 0.25}
    metrics = METRICS | {"harness": {"darijahellaswag": {"examples": 1000, "metrics": {"acc_norm": scores}}}}
    card = render_small(metrics)
    assert "\n| darijahellaswag | acc&#95;norm | 0.287 | 0.014 | 0.250 | 1,000 |\n" in card
    last = ModelCard(card).data.eval_results[-1]
    assert (last.dataset_type, last.metric_type, last.metric_value) == ("darijahellaswag", "acc_norm", 0.2871)


def test_only_the_users_description_speaks_of_synthetic_data():
    assert "synthetic" not in render_small()
    described = render_small(data_description="All chats are synthetic.")
    assert "\nAll chats are synthetic.\n" in described


def test_arabic_and_emoji_stay_as_they_were_written():
    text = "واش كاين؟ می\u200cخواهم 👩\u200d👧 l'été, d3a!"
    assert escape_markdown(text) == text.replace("!", "&#33;")
    assert one_line(text) == text


@pytest.mark.parametrize(
    ("escape", "text", "escaped"),
    [
        (escape_markdown, "1. a | b\n# c", "&#49;. a &#124; b &#35; c"),
        (escape_markdown, "1.5 - fine-tuned", "1.5 - fine-tuned"),
        (escape_markdown, "- item", "&#45; item"),
        (
            escape_lines,
            "<a>\n\nb\rc",
            '<div dir="auto">&#60;a&#62;</div><div dir="auto">b</div><div dir="auto">c</div>',
        ),
        (escape_lines, "", '<div dir="auto"></div>'),
        (escape_python, 'a"\n<b>', '"a\\" \\u003cb>"'),
        (escape_bibtex, "a}, url = {b\\c", "a, url = bc"),
        (format_count, 999999, "999,999"),
        (format_count, 7345152, "7.3 M"),
        (format_count, 1500000000, "1.5 B"),
        (format_counts, {"system": 12, "media": 2100}, "2,100 media, 12 system"),
        (format_decimal, 1.93456, "1.93"),
        (format_number, 0, "0"),
        (format_number, 0.57314, "0.5731"),
        (format_duration, 41.2, "41 s"),
        (format_duration, 725.3, "12 min 5 s"),
        (format_duration, 12000, "3 h 20 min"),
    ],
)
def test_a_value_is_written_as_a_reader_expects(escape, text, escaped):
    assert escape(text) == escaped
