import copy
import re
import unicodedata
from html.parser import HTMLParser

import pytest
from huggingface_hub import ModelCard

from darija_gpt.card import render_card, render_results
from darija_gpt.markdown import (
    escape_bibtex,
    escape_lines,
    escape_markdown,
    escape_python,
    format_count,
    format_counts,
    format_decimal,
    format_duration,
    one_line,
)


BY_SCRIPT = {
    script: {"bits_per_byte": value, "perplexity": 45.14, "bytes": 123456, "tokens": 40000, "documents": 12}
    for script, value in {"all": 1.93456, "Arab": 1.5, "Latn": 2.25, "mixed": 2.0}.items()
}
METRICS = {
    "model": {"parameters": 7345152, "context_tokens": 512},
    "training": [
        {
            "stage": "pretrain",
            "parameters": 7345152,
            "trainable_parameters": 7345152,
            "tokens": 3112960,
            "epochs": 3.0,
            "steps": 1520,
            "tokens_per_second": 4301.4,
            "wall_seconds": 725.3,
            "train_loss": 3.812,
            "validation_loss": 3.971,
            "device": "cpu",
            "num_threads": 2,
            "mixed_precision": "bf16",
        },
        {"stage": "finetune", "method": "lora", "trainable_parameters": 196608, "epochs": 2.0, "steps": 331},
    ],
    "dataset": {
        "messages": 63414,
        "kept": 60713,
        "dropped": {"system": 12, "media": 2100},
        "conversations": 5300,
        "splits": {
            "train": {
                "conversations": 4770,
                "messages": 52470,
                "turns": 38160,
                "words": 286200,
                "bytes": 1908000,
                "scripts": {"Arab": 2385, "Latn": 1590, "mixed": 795},
            }
        },
    },
    "tokenizer": {
        "vocab_size": 4096,
        "split": "validation",
        "bytes_per_token": {"all": 3.2, "Arab": 4.1, "Latn": 2.7, "mixed": 3.3},
    },
    "bits_per_byte": {"validation": BY_SCRIPT, "test": BY_SCRIPT},
    "wall_seconds": 41.2,
}
DIALOGUES = [
    {
        "messages": [
            {"role": "user", "content": "salam, labas?"},
            {"role": "assistant", "content": "الحمد لله\nw nta?"},
        ],
        "longest_shared_words": 4,
    }
]
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror="alert(1)">',
    "<!-- results:end -->",
    "a | b | c\n| --- | --- |",
    "---\nlicense: mit\n---\n# Heading",
    "```\n<b>out of the fence</b>\n```",
    "[click](javascript:alert(1)) ![](http://127.0.0.1/x.png)",
    "\x1b[31mred\x1b[0m \x1b]8;;http://127.0.0.1\x07link\x1b]8;;\x07 \x9b2J",
    "\u202egnihtyna\u202c \u2066isolated\u2069 \u200fmark \ufeff\U000e0041",
    "{{ 7 * 7 }} {% raw %} {# comment #}",
    "name: [unclosed, \"quote': !!python/object:os.system &anchor *alias %",
    "- item\r\n1. item\r# heading\u2028> quote\x85\x0b\x00\ud800 &lt;b&gt; \\* ~~gone~~ $x$",
    "},\n  url = {http://127.0.0.1}\\input{/etc/passwd}",
]


def render(text: str = "plain") -> str:
    """A card with `text` wherever something comes from outside."""
    metrics = copy.deepcopy(METRICS)
    metrics["dataset"]["dropped"][text] = 3
    metrics["training"][1] |= {"stage": text, "method": text, "device": text}
    metrics["bits_per_byte"]["test"] = BY_SCRIPT | {text: BY_SCRIPT["all"]}
    dialogue = {"messages": [{"role": text, "content": text}], "longest_shared_words": 1}
    return render_card(
        metrics,
        [dialogue],
        model_name=text,
        license=text,
        datasets=[text],
        data_description=text,
        repo_id=text,
    )


def body_of(card: str) -> str:
    return card.split("\n---\n", 1)[1]


def structure_of(card: str) -> list[str]:
    """What Markdown acts upon in each line of the body, code and escaped signs apart."""
    body = re.sub(r"^```.*?^```$", "```", body_of(card), flags=re.DOTALL | re.MULTILINE)
    return [re.sub(r"&#\d+;|<br>|[^|`#*\[\]<>~$_\\!{}&]", "", line) for line in body.splitlines()]


class Tags(HTMLParser):
    """The tags and comments that a browser would act upon."""

    def __init__(self, text: str):
        super().__init__()
        self.found: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.found.add(self.get_starttag_text())

    def handle_comment(self, data):
        self.found.add("comment")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_html_from_outside_comes_to_life(text):
    assert Tags(body_of(render(text))).found <= {'<div dir="auto">', "<br>"}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_string_never_changes_the_front_matter_around_it(text):
    data, plain = (ModelCard(card).data.to_dict() for card in (render(text), render()))
    assert data.keys() == plain.keys()
    assert data["license"] == data["model-index"][0]["name"] == data["datasets"][0] == one_line(text)
    assert data["tags"] == plain["tags"]
    assert len(data["model-index"][0]["results"]) == 2


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_string_never_changes_the_structure_of_the_body(text):
    assert structure_of(render(text)) == structure_of(render())


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_invisible_survives_in_a_card(text):
    categories = {unicodedata.category(character) for character in render(text).replace("\n", "")}
    assert not categories & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def code_of(card: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", card, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_code_of_a_card_is_python_whatever_the_repository_is_called(text):
    blocks = code_of(render(text))
    assert len(blocks) == 2
    for block in blocks:
        compile(block, "card", "exec")


@pytest.mark.slow
@pytest.mark.parametrize("block", [0, 1])
def test_the_code_of_a_card_runs_in_the_folder_of_the_model(block, tiny_llama_dir, monkeypatch):
    monkeypatch.chdir(tiny_llama_dir)
    exec(code_of(render_card(METRICS, DIALOGUES, model_name="small"))[block], {})


def test_the_front_matter_carries_what_the_hub_reads():
    card = render_card(METRICS, DIALOGUES, model_name="Darija: small", license="mit", datasets=["someone/chats"])
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
    card = render_card(METRICS, DIALOGUES, model_name="small")
    for row in (
        "Of 63,414 messages, 60,713 (96 %) were kept, in 5,300 conversations.",
        "Dropped: 2,100 media, 12 system.",
        "| train | 4,770 | 2,385 | 1,590 | 795 | 52,470 | 38,160 | 286,200 | 1.9 M |",
        "| 3.20 | 4.10 | 2.70 | 3.30 |",
        "| pretrain | 7.3 M | 3.0 | 1,520 | 3.1 M | 3.81 | 3.97 | 12 min 5 s | 4,301 | cpu, 2 threads, bf16 |",
        "| finetune, lora | 196,608 | 2.0 | 331 | – | – | – | – | – | – |",
        "| test | Arabic script | 1.500 | 45.1 | 123,456 | 40,000 | 12 |",
        '| Model | <div dir="auto">الحمد لله<br>w nta?</div> |',
    ):
        assert f"\n{row}\n" in card


def test_every_row_of_a_table_has_as_many_cells_as_its_head():
    for table in re.findall(r"(?:^\|.*\|\n)+", render_card(METRICS, DIALOGUES, model_name="small"), re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_the_results_of_a_recipe_are_the_tables_of_the_card():
    card, results = render_card(METRICS, DIALOGUES, model_name="small"), render_results(METRICS, DIALOGUES)
    tables = re.findall(r"(?:^\|.*\|\n)+", results, re.MULTILINE)
    assert len(tables) == 5
    assert all(table in card for table in tables)


@pytest.mark.parametrize("absent", [set(METRICS), *({part} for part in METRICS)])
def test_a_part_that_the_metrics_lack_is_left_out(absent):
    metrics = {part: value for part, value in METRICS.items() if part not in absent}
    card = render_card(metrics, [], model_name="small")
    assert ("## Training" in card) == ("training" in metrics)
    assert ("## Evaluation" in card) == ("bits_per_byte" in metrics)
    assert "## Sampled dialogues" not in card


def test_a_card_always_says_that_no_privacy_audit_was_run():
    assert "No privacy audit has been run on this model" in render_card({}, [], model_name="small")


def test_only_the_users_description_speaks_of_synthetic_data():
    assert "synthetic" not in render_card(METRICS, DIALOGUES, model_name="small")
    described = render_card(METRICS, DIALOGUES, model_name="small", data_description="All chats are synthetic.")
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
        (escape_lines, "<a>\n\nb\rc", "&#60;a&#62;<br>b<br>c"),
        (escape_python, 'a"\n<b>', '"a\\" \\u003cb>"'),
        (escape_bibtex, "a}, url = {b\\c", "a, url = bc"),
        (format_count, 999999, "999,999"),
        (format_count, 7345152, "7.3 M"),
        (format_count, 1500000000, "1.5 B"),
        (format_counts, {"system": 12, "media": 2100}, "2,100 media, 12 system"),
        (format_decimal, 1.93456, "1.93"),
        (format_duration, 41.2, "41 s"),
        (format_duration, 725.3, "12 min 5 s"),
        (format_duration, 12000, "3 h 20 min"),
    ],
)
def test_a_value_is_written_as_a_reader_expects(escape, text, escaped):
    assert escape(text) == escaped
