"""The pages in headless Chromium, as people see them; their pictures stay in tests/output."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from itertools import cycle
from pathlib import Path

import pytest

from darija_gpt.generation import SamplingArguments


pytest.importorskip("gradio", reason="the pages need gradio: pip install -c constraints.txt -e '.[demo]'")

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "tests" / "output"
CARD = "# A model\n\n## Limits\n\n- It is small. What it states is **made up**.\n- <script>hacked = 1</script>\n"
HOSTILE = "<script>hacked = 2</script><img src=x onerror=hacked=3> ${window.hacked=4} {{value}} @children"
ARABIC, ARABIC_REPLY = "السلام عليكم، لاباس؟", "لاباس الحمد لله، غادي للسوق!"
ARABIZI, ARABIZI_REPLY = "salam khouya, labas 3lik?", "labas lhamdolah 😊 ghadi l souk"


@pytest.fixture
def open_page(browser, monkeypatch, tmp_path):
    """Serves the page of a model that is already loaded, and shows it in the browser."""
    from darija_gpt.demo import pages

    opened = []

    def open_it(model, tokenizer, task, max_new_tokens=200, **arguments):
        (tmp_path / "darija-tiny").mkdir()
        (tmp_path / "darija-tiny" / "README.md").write_text(CARD)
        monkeypatch.setattr(pages, "load_model", lambda *_, **__: (model, tokenizer))
        sampling = SamplingArguments(max_new_tokens=max_new_tokens)
        page = pages.build_page(str(tmp_path / "darija-tiny"), task, sampling, **arguments)
        opened.append(page)
        port = find_port()
        pages.launch_page(page, "127.0.0.1", port, block=False)
        browser.get(f"http://127.0.0.1:{port}")
        wait_for(browser, lambda: find(browser, "#message textarea"))
        return f"http://127.0.0.1:{port}"

    yield open_it
    for page in opened:
        page.close(verbose=False)


def find_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def find(browser, selector: str) -> list:
    return browser.find_elements("css selector", selector)


def wait_for(browser, condition):
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.support.wait import WebDriverWait

    # What is being streamed is drawn anew with each word.
    wait = WebDriverWait(browser, 120, poll_frequency=0.1, ignored_exceptions=[StaleElementReferenceException])
    return wait.until(lambda _: condition())


def wait_for_messages(browser, texts: list[str]) -> None:
    wait_for(browser, lambda: [shown for *_, shown in read_bubbles(browser)] == texts)


def write(browser, text: str) -> None:
    [box] = find(browser, "#message textarea")
    # The driver types the letters of the keyboard's first plane only, and so no emoji.
    box.send_keys(text)
    find(browser, "#send")[0].click()


def read_bubbles(browser) -> list[tuple[str, str, str]]:
    """Direction as written, direction as computed, and text of each message."""
    return [
        (bubble.get_attribute("dir"), bubble.value_of_css_property("direction"), bubble.text)
        for bubble in find(browser, "#transcript .bubble")
    ]


def assert_nothing_ran_and_nothing_was_fetched(browser, address: str) -> None:
    assert browser.execute_script("return window.hacked") is None
    names = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert names and all(name.startswith((address, "data:", "blob:")) for name in names)


@pytest.mark.slow
def test_a_chat_streams_in_both_scripts_and_shows_a_script_tag_as_text(browser, open_page, scripted_llama, tokenizer):
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    may_go_on = threading.Event()

    def speak():
        for reply in (ARABIC_REPLY, ARABIZI_REPLY, HOSTILE):
            beginning, space, last_word = reply.rpartition(" ")
            yield from tokenizer.encode(beginning + space)
            may_go_on.wait(120)
            may_go_on.clear()
            yield from (*tokenizer.encode(last_word), end)

    model = scripted_llama(speak(), max_position_embeddings=4_096)
    address = open_page(model, tokenizer, "chat", system_prompt="jaweb b darija")
    said = []
    for text, reply in ((ARABIC, ARABIC_REPLY), (ARABIZI, ARABIZI_REPLY), (HOSTILE, HOSTILE)):
        write(browser, text)
        # The model waits before its last word: what is seen now was streamed.
        wait_for_messages(browser, [*said, text, reply.rpartition(" ")[0]])
        may_go_on.set()
        said += [text, reply]
        wait_for_messages(browser, said)

    directions = [(written, computed) for written, computed, _ in read_bubbles(browser)]
    assert directions == [("rtl", "rtl")] * 2 + [("ltr", "ltr")] * 4
    assert find(browser, "#limits script") == find(browser, "#transcript script, #transcript img") == []
    [limits] = find(browser, "#limits")
    assert "made up" in limits.text and "<script>hacked = 1</script>" in limits.text
    assert_nothing_ran_and_nothing_was_fetched(browser, address)
    PICTURES.mkdir(exist_ok=True)
    browser.save_screenshot(PICTURES / "chat.png")

    find(browser, "#undo")[0].click()
    wait_for(browser, lambda: len(read_bubbles(browser)) == 4)
    find(browser, "#reset")[0].click()
    wait_for(browser, lambda: not read_bubbles(browser))
    write(browser, "7" * 4_000)
    wait_for(browser, lambda: find(browser, "#note .note"))
    assert "Not sent: the last message, with the system prompt, takes" in find(browser, "#note")[0].text
    assert find(browser, "#message textarea")[0].get_attribute("value") == "7" * 4_000


@pytest.mark.slow
def test_stop_ends_a_reply_and_keeps_what_was_said(browser, open_page, scripted_llama, tokenizer):
    said, is_over = [], threading.Event()

    def speak():
        for word in cycle(tokenizer.encode("kayn ")):
            if is_over.wait(0.02):
                break
            said.append(word)
            yield word
        yield from cycle((*tokenizer.encode("safi"), tokenizer.convert_tokens_to_ids("<|im_end|>")))

    def is_silent() -> bool:
        num_said = len(said)
        time.sleep(1)
        return len(said) == num_said

    model = scripted_llama(speak(), max_position_embeddings=20_000)
    open_page(model, tokenizer, "chat", max_new_tokens=10_000)
    write(browser, "salam")
    wait_for(browser, lambda: any("kayn kayn" in shown for *_, shown in read_bubbles(browser)))
    find(browser, "#stop")[0].click()
    wait_for(browser, is_silent)
    is_over.set()
    assert len(said) < 10_000
    write(browser, "fin ghadi?")
    wait_for(browser, lambda: len(read_bubbles(browser)) == 4 and read_bubbles(browser)[-1][2] == "safi")
    assert read_bubbles(browser)[1][2].startswith("kayn kayn") and "safi" not in read_bubbles(browser)[1][2]


@pytest.mark.slow
def test_a_classifier_and_a_summariser_have_the_same_page(browser, open_page, tokenizer, monkeypatch):
    from darija_gpt.demo import pages

    monkeypatch.setattr(pages, "classify", lambda model, tokenizer, text: [("زوين", 0.2), ("<b>khayb</b>", 0.8)])
    address = open_page(None, tokenizer, "classification")
    write(browser, HOSTILE)
    wait_for(browser, lambda: find(browser, "#result .share"))
    assert [label.text for label in find(browser, "#result .label")] == ["<b>khayb</b>", "زوين"]
    assert [label.get_attribute("dir") for label in find(browser, "#result .label")] == ["ltr", "rtl"]
    assert [share.text for share in find(browser, "#result .percent")] == ["80.0 %", "20.0 %"]
    assert "made up" in find(browser, "#limits")[0].text
    assert_nothing_ran_and_nothing_was_fetched(browser, address)
    PICTURES.mkdir(exist_ok=True)
    browser.save_screenshot(PICTURES / "classifier.png")


@pytest.mark.slow
def test_a_summary_reads_from_its_own_side(browser, open_page, tokenizer, monkeypatch):
    from darija_gpt.demo import pages

    asked = []

    def summarize(model, tokenizer, text, **settings):
        asked.append((text, settings))
        return f"ملخص: {HOSTILE}"

    monkeypatch.setattr(pages, "summarize", summarize)
    address = open_page(None, tokenizer, "summarization", source_prefix="lkhess: ", max_source_length=50)
    write(browser, ARABIC)
    wait_for(browser, lambda: find(browser, "#result .summary"))
    [summary] = find(browser, "#result .summary")
    assert summary.value_of_css_property("direction") == "rtl" and summary.text == f"ملخص: {HOSTILE}"
    lengths = {"max_source_length": 50, "max_new_tokens": 200}
    assert asked == [(ARABIC, {"source_prefix": "lkhess: ", "num_beams": 1, **lengths})]
    assert_nothing_ran_and_nothing_was_fetched(browser, address)
    PICTURES.mkdir(exist_ok=True)
    browser.save_screenshot(PICTURES / "summariser.png")


@pytest.mark.slow
def test_the_script_serves_its_page_to_this_machine_alone_and_no_api(tiny_llama_dir):
    port = find_port()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    serving = subprocess.Popen(
        [sys.executable, "scripts/demo.py", "--model", tiny_llama_dir, "--port", str(port), "--max_new_tokens", "8"],
        cwd=ROOT,
        # What gradio would otherwise do by itself.
        env=os.environ | {"PYTHONPATH": str(ROOT), "GRADIO_SERVER_NAME": "0.0.0.0", "NO_PROXY": "127.0.0.1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert f"http://127.0.0.1:{port} shows" in serving.stdout.readline()
        while True:
            try:
                page = opener.open(f"http://127.0.0.1:{port}/").read().decode()
                break
            except urllib.error.URLError:
                assert serving.poll() is None, serving.stderr.read()
        assert "darija" not in page or str(tiny_llama_dir.parent) not in page
        assert listening_addresses(port) == {"127.0.0.1"}
        api = json.loads(opener.open(f"http://127.0.0.1:{port}/gradio_api/info").read())
        assert api["named_endpoints"] == api["unnamed_endpoints"] == {}
        serving.send_signal(signal.SIGINT)
        assert serving.wait(60) in (0, 130)
        assert "Traceback" not in serving.stderr.read()
    finally:
        serving.kill()
        serving.wait()


def listening_addresses(port: int) -> set[str]:
    """The addresses of this machine on which something listens at a port, as Linux lists them."""
    found = set()
    for version, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        table = Path(f"/proc/net/{version}")
        for row in table.read_text().splitlines()[1:] if table.is_file() else ():
            local, _, state = row.split()[1:4]
            address, _, its_port = local.partition(":")
            if state == "0A" and int(its_port, 16) == port:
                words = bytes.fromhex(address)
                swapped = b"".join(words[place : place + 4][::-1] for place in range(0, len(words), 4))
                found.add(socket.inet_ntop(family, swapped))
    return found
