"""Whatever somebody is called, and whatever somebody wrote: every place that shows it shows it as text."""

import ast
import copy
import re
import unicodedata
from html.parser import HTMLParser

import pytest
import yaml
from card_examples import AUDIT, CLASSIFIER, METRICS, REPORT
from hostile_names import HOSTILE_NAMES
from markdown_it import MarkdownIt

from darija_gpt.card import CardFacts, render_card, render_results
from darija_gpt.data.consent import draft_consent, load_consent
from darija_gpt.data.dataset_card import render_dataset_card
from darija_gpt.demo.demo import DemoArguments
from darija_gpt.finetuning.classifier_report import render_classifier_results
from darija_gpt.markdown import one_line
from darija_gpt.output import make_printable


PLAIN = "plain"
# What a text may bring along by itself: the lines of a reply.
OF_LINES = ("div", (("dir", "auto"),))


def fill_metrics(text: str) -> dict:
    metrics = copy.deepcopy(METRICS)
    metrics["dataset"]["dropped"][text] = 3
    metrics["dataset"]["private_data"] = {text: 3}
    metrics["training"][1] |= {"stage": text, "method": text, "device": text}
    metrics["bits_per_byte"]["test"] |= {text: metrics["bits_per_byte"]["test"]["all"]}
    scores = {"value": 0.3, "stderr": None, "chance": None}
    metrics["harness"] = {text: {"examples": 5, "metrics": {text: scores}}}
    metrics["kl_divergence"] = {"nats_per_token": 0.1, "reference": text}
    return metrics


def fill_audit(text: str) -> dict:
    audit = copy.deepcopy(AUDIT)
    audit["verdict"] = text
    audit["checks"] = {text: {"verdict": text, "claim": text, "value": None, "at_most": 0, "reason": text}}
    audit["membership"]["attacks"] = {text: audit["membership"]["attacks"]["zlib"]}
    audit["canaries"] = {text: audit["canaries"]["8"]}
    audit["samples"]["invented"] = {text: 2}
    audit["files"]["weights"] = {f"{text}.safetensors": text}
    return audit


def fill_classifier(text: str) -> dict:
    metrics = copy.deepcopy(CLASSIFIER)
    metrics |= {"base_model": text, "labels": [text, "other"]}
    for split in metrics["data"].values():
        split["labels"] = {text: 3, "other": 4}
    result = metrics["results"]["model"]
    result["classes"] = {text: next(iter(result["classes"].values()))}
    metrics["training"]["model"] |= {"method": text, "device": text, "mixed_precision": text}
    return metrics


def fill_facts(text: str, **more) -> CardFacts:
    return CardFacts(
        model_name=text, license=text, language=text, datasets=[text], data_description=text, repo_id=text, **more
    )


def fill_dialogues(text: str) -> list[dict]:
    return [{"messages": [{"role": text, "content": text}], "longest_shared_words": 1}]


def fill_report(text: str) -> dict:
    report = copy.deepcopy(REPORT)
    report["formats"] = {text: 3}
    report["dropped"][text] = 1
    report["private_data"] = {text: 1}
    report["splits"] = {text: report["splits"]["train"]}
    return report


# Markdown with a text in every place where one from outside may stand.
SINKS = {
    "model card": lambda text: render_card(
        fill_metrics(text), fill_dialogues(text), fill_facts(text), audit=fill_audit(text)
    ),
    "adapter card": lambda text: render_card(
        fill_metrics(text), [], fill_facts(text, base_model=text), audit=fill_audit(text)
    ),
    "classifier card": lambda text: render_card(
        fill_classifier(text), [], fill_facts(text), audit=fill_audit(text), plots=["confusion_matrix"]
    ),
    "dataset card": lambda text: render_dataset_card(
        fill_report(text), dataset_name=text, license=text, data_description=text, repo_id=text
    ),
    "results of a recipe": lambda text: render_results(fill_metrics(text), fill_dialogues(text)),
    "results of a classifier": lambda text: render_classifier_results(fill_classifier(text)),
}
CARDS = [sink for sink in SINKS if sink.endswith("card")]
every_name = pytest.mark.parametrize("text", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)
every_sink = pytest.mark.parametrize("sink", SINKS)
every_card = pytest.mark.parametrize("sink", CARDS)


def split_card(card: str) -> tuple[str, str]:
    _, front_matter, body = card.split("---\n", 2)
    return front_matter, body


class Elements(HTMLParser):
    """The elements that a browser would make of a text, with what they are told to do, in order."""

    def __init__(self, html: str):
        super().__init__()
        self.found: list[tuple] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        # Code and captions show a text; where a link leads and what is loaded must be ours.
        self.found.append((tag, tuple(pair for pair in attributes if pair[0] != "alt")))

    def handle_comment(self, data):
        self.found.append(("comment", data))

    def unknown_decl(self, data):
        self.found.append(("declaration", data))


def render_html(markdown: str) -> str:
    """As a reader of cards does that trusts their HTML."""
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown)


def list_elements(markdown: str) -> list[tuple]:
    return [element for element in Elements(render_html(markdown)).found if element != OF_LINES]


def body_of(sink: str, text: str) -> str:
    rendered = SINKS[sink](text)
    return split_card(rendered)[1] if sink in CARDS else rendered


def describe(value, text: str):
    """A front matter with the text taken for the plain one."""
    if isinstance(value, dict):
        return {key: describe(inner, text) for key, inner in value.items()}
    if isinstance(value, list):
        return [describe(inner, text) for inner in value]
    return PLAIN if value == text else value


@every_card
@every_name
def test_the_front_matter_reads_back_as_if_the_name_were_plain(sink, text):
    read = yaml.safe_load(split_card(SINKS[sink](text))[0])
    plain = yaml.safe_load(split_card(SINKS[sink](PLAIN))[0])
    assert describe(read, one_line(text)) == plain


@every_sink
@every_name
def test_a_browser_makes_of_it_the_elements_that_it_makes_of_a_plain_name(sink, text):
    assert list_elements(body_of(sink, text)) == list_elements(body_of(sink, PLAIN))


@every_sink
@every_name
def test_nothing_invisible_and_no_escape_is_written(sink, text):
    categories = {unicodedata.category(character) for character in SINKS[sink](text).replace("\n", "")}
    joiners = "\u200c\u200d"
    kept = {unicodedata.category(joiner) for joiner in joiners if joiner in text}
    assert not (categories - kept) & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\x1b") & set(SINKS[sink](text))


@every_card
@every_name
def test_the_code_of_a_card_stays_what_it_is_and_says_the_name(sink, text):
    for block in re.findall(r"^```python\n(.*?)^```$", SINKS[sink](text), re.DOTALL | re.MULTILINE):
        program, strings = ast.parse(block), []
        for node in ast.walk(program):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                strings.append(node.value)
        assert one_line(text) in strings
        plain = next(
            plain
            for plain in re.findall(r"^```python\n(.*?)^```$", SINKS[sink](PLAIN), re.DOTALL | re.MULTILINE)
            if plain.count("\n") == block.count("\n")
        )
        written = ast.dump(program).replace(repr(one_line(text)), repr(PLAIN))
        assert written == ast.dump(ast.parse(plain))


@pytest.mark.parametrize("sink", ["model card", "adapter card", "classifier card"])
@every_name
def test_the_bibtex_of_a_card_keeps_its_fields(sink, text):
    (entry,) = re.findall(r"^```bibtex\n(.*?)^```$", SINKS[sink](text), re.DOTALL | re.MULTILINE)
    depths = [entry[:place].count("{") - entry[:place].count("}") for place in range(len(entry))]
    assert min(depths) >= 0 and depths[-1] == 0 and entry.count("{") == 6
    assert re.findall(r"^  (\w+) = \{", entry, re.MULTILINE) == ["title", "author", "year", "url", "note"]


@every_name
def test_a_consent_file_gives_back_the_name_that_it_was_given(text, tmp_path):
    export = tmp_path / "chat.txt"
    assert draft_consent(tmp_path / "consent", export, [text, "Salma"], "Salma")
    assert load_consent(tmp_path / "consent", [export]) == {text: "unknown", "Salma": "yes"}


@every_name
def test_a_terminal_is_shown_the_name_and_not_commanded_by_it(text):
    shown = make_printable(text)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\x1b") & set(shown)


@every_name
def test_the_program_of_a_space_holds_the_name_as_a_string_and_no_more(text, tmp_path):
    pytest.importorskip("gradio", reason="the pages need gradio: pip install -c constraints.txt -e '.[demo]'")
    from darija_gpt.demo.space import build_space

    written = {}
    for name, value in (("hostile", text), ("plain", PLAIN)):
        arguments = DemoArguments(
            model="someone/darija", space_dir=tmp_path / name, system_prompt=value, source_prefix=value
        )
        build_space(arguments, "chat")
        written[name] = ast.dump(ast.parse((tmp_path / name / "app.py").read_text(encoding="utf-8")))
    assert written["hostile"].replace(repr(text), repr(PLAIN)) == written["plain"]
