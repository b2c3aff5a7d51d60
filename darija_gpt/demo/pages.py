"""The pages of gradio, and how they are served."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from darija_gpt.conversation import Conversation
from darija_gpt.demo.limits import read_limits
from darija_gpt.demo.markup import escape_text, render_note, render_shares, render_text, render_transcript
from darija_gpt.demo.style import CSS, FONTS
from darija_gpt.demo.tasks import classify, summarize
from darija_gpt.generation import Messages, SamplingArguments, count_context_tokens, count_prompt_tokens
from darija_gpt.loading import Task, load_model


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Characters of a message: far more than small models read, and little enough to tokenise at once.
MAX_CHARACTERS = 20_000
# Calls come from the page alone, not from clients of the API that gradio would publish.
_FROM_THE_PAGE = {"api_visibility": "private", "show_progress": "hidden"}


def build_page(
    model_id: str,
    task: Task,
    sampling: SamplingArguments,
    *,
    base: str | None = None,
    system_prompt: str | None = None,
    source_prefix: str = "",
    max_source_length: int | None = None,
) -> gr.Blocks:
    """The page of a model, with the limits of its card beside what it does.

    Args:
        model_id (`str`):
            A local directory or an id on the Hub.
        task (`str`):
            What the model is for: `"chat"`, `"classification"` or `"summarization"`.
        sampling (`SamplingArguments`):
            Where the controls of a chat stand at first; of a summariser, beams and longest output.
        base (`str`, *optional*):
            The model that an adapter belongs to, where its own files do not say.
        system_prompt (`str`, *optional*):
            The instruction that opens a chat.
        source_prefix (`str`, *optional*):
            What stands before each text that is summarised.
        max_source_length (`int`, *optional*):
            Tokens of such a text; by default what the model reads.

    Raises:
        ValueError: If the model cannot be loaded, or has no room for a prompt.
    """
    model, tokenizer = load_model(model_id, base, task=task)
    name = model_id.rstrip("/").split("/")[-1]
    # A local path is nobody's business but the owner's; an id on the Hub is two words.
    title = model_id if model_id.count("/") == 1 and not model_id.startswith((".", "/")) else name
    with gr.Blocks(title=f"{name}: {task}", analytics_enabled=False) as page:
        gr.HTML(f"<h1>{escape_text(title)}</h1>", elem_id="title", js_on_load=None)
        with gr.Row():
            with gr.Column(scale=3):
                if task == "chat":
                    _add_chat(model, tokenizer, sampling, system_prompt)
                elif task == "classification":
                    _add_form("Classify", lambda text: render_shares(classify(model, tokenizer, text)))
                else:
                    settings = {
                        "source_prefix": source_prefix,
                        "max_source_length": max_source_length,
                        "max_new_tokens": sampling.max_new_tokens,
                        "num_beams": sampling.num_beams,
                    }
                    _add_form(
                        "Summarise",
                        lambda text: render_text(summarize(model, tokenizer, text, **settings), "summary"),
                    )
            with gr.Column(scale=1, min_width=280):
                gr.HTML(f"<h2>Limits</h2>{read_limits(model_id)}", elem_id="limits", js_on_load=None)
    # One text at a time: the model is one, and small machines are slow.
    return page.queue(default_concurrency_limit=1, max_size=32)


def launch_page(page: gr.Blocks, host: str | None = None, port: int | None = None, block: bool = True) -> None:
    """Serves a page, without telemetry, public tunnel, browser history or pages of gradio's own.

    Args:
        page (`gr.Blocks`):
            What `build_page` gave.
        host (`str`, *optional*):
            The address to listen on: by default what GRADIO_SERVER_NAME says, as it does in a Space, or 127.0.0.1.
        port (`int`, *optional*):
            The port: by default GRADIO_SERVER_PORT, or a free one from 7860 on.
        block (`bool`, *optional*, defaults to `True`):
            Whether to wait until the page is closed.
    """
    page.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=not block,
        share=False,
        run_history=False,
        enable_monitoring=False,
        mcp_server=False,
        pwa=False,
        ssr_mode=False,
        footer_links=[],
        quiet=True,
        css=CSS,
        # Families of the reader's own system: gradio's themes fetch theirs from Google.
        theme=gr.themes.Soft(font=FONTS, font_mono=["ui-monospace", "monospace"]),
    )


def _span(least: float, most: float, value: float) -> tuple[float, float, float]:
    """Minimum, maximum and value of a slider on which the value has a place, whatever it is."""
    return min(least, value), max(most, value), value


def _add_chat(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    sampling: SamplingArguments,
    system_prompt: str | None,
) -> None:
    max_new_tokens = count_context_tokens(model) - 1
    count_prompt_tokens(model, sampling)
    messages = gr.State([])
    transcript = gr.HTML(
        render_transcript([]), elem_id="transcript", max_height="52vh", autoscroll=True, js_on_load=None
    )
    plain = "" if tokenizer.chat_template else "The model has no chat template: it continues what you write."
    note = gr.HTML(render_note(plain), elem_id="note", js_on_load=None)
    box = _add_text_box("Your message", "Write in Arabic script or in Arabizi…", lines=2)
    with gr.Row():
        send = gr.Button("Send", variant="primary", elem_id="send", min_width=60)
        stop = gr.Button("Stop", elem_id="stop", min_width=60)
        undo = gr.Button("Undo", elem_id="undo", min_width=60)
        reset = gr.Button("Begin anew", elem_id="reset", min_width=60)
    with gr.Accordion("How replies are drawn", open=False, elem_id="sampling"):
        controls = {
            "do_sample": gr.Checkbox(sampling.do_sample, label="Draw (without: the likeliest tokens)"),
            "temperature": gr.Slider(*_span(0.05, 2, sampling.temperature), step=0.05, label="Temperature"),
            "top_k": gr.Slider(*_span(0, 200, sampling.top_k), step=1, label="Top-k (0: all)"),
            "top_p": gr.Slider(*_span(0.05, 1, sampling.top_p), step=0.05, label="Top-p"),
            "min_p": gr.Slider(*_span(0, 0.95, sampling.min_p), step=0.01, label="Min-p (0: none)"),
            "repetition_penalty": gr.Slider(
                *_span(1, 2, sampling.repetition_penalty), step=0.05, label="Repetition penalty"
            ),
            "num_beams": gr.Slider(
                *_span(1, 8, sampling.num_beams), step=1, label="Beams (above 1, nothing is streamed)"
            ),
            "max_new_tokens": gr.Slider(
                1, max_new_tokens, sampling.max_new_tokens, step=1, label="Longest reply, in tokens"
            ),
            "seed": gr.Number(sampling.seed, label="Seed", precision=0, minimum=0),
        }
        instruction = gr.Textbox(system_prompt or "", label="System prompt", max_length=MAX_CHARACTERS)

    def reply(text: str, before: Messages, instruction: str, *values: Any) -> Iterator[tuple[str, Messages, str, str]]:
        if not text.strip():
            yield text, before, render_transcript(before), render_note("")
            return
        said = ""
        try:
            _check_length(text)
            drawn = replace(sampling, **dict(zip(controls, values, strict=True)))
            conversation = Conversation(model, tokenizer, drawn, instruction.strip() or None)
            conversation.messages += before
            pieces = conversation.reply(text.strip())
            forgotten = f"The context is full: the oldest {conversation.num_forgotten} messages are forgotten."
            remark = render_note(forgotten if conversation.num_forgotten else plain)
            now = [*before, {"role": "user", "content": text.strip()}]
            yield "", before, render_transcript([*now, {"role": "assistant", "content": ""}]), remark
            for piece in pieces:
                said += piece
                now = [*now[: len(before) + 1], {"role": "assistant", "content": said}]
                # The state goes along, so that a reply that was stopped stays.
                yield "", now, render_transcript(now), remark
            if not said:
                yield "", before, render_transcript(before), render_note("The model said nothing.")
        except ValueError as error:
            yield text, before, render_transcript(before), render_note(f"Not sent: {error}")

    def take_back(before: Messages) -> tuple[Messages, str, str]:
        return before[:-2], render_transcript(before[:-2]), render_note(plain)

    def begin_anew() -> tuple[Messages, str, str]:
        return [], render_transcript([]), render_note(plain)

    shown = [messages, transcript, note]
    talk = {"fn": reply, "inputs": [box, messages, instruction, *controls.values()], "outputs": [box, *shown]}
    replying = [send.click(**talk, **_FROM_THE_PAGE), box.submit(**talk, **_FROM_THE_PAGE)]
    stop.click(render_transcript, messages, transcript, cancels=replying, **_FROM_THE_PAGE)
    undo.click(take_back, messages, shown, cancels=replying, **_FROM_THE_PAGE)
    reset.click(begin_anew, None, shown, cancels=replying, **_FROM_THE_PAGE)


def _add_form(verb: str, answer: Callable[[str], str]) -> None:
    """A box for a text, a button, and what the model makes of it."""
    box = _add_text_box("Text", "Paste a text in either script…", lines=6)
    button = gr.Button(verb, variant="primary", elem_id="send")
    result = gr.HTML("", elem_id="result", js_on_load=None)

    def work(text: str) -> str:
        if not text.strip():
            return render_note("Write something first.")
        try:
            _check_length(text)
            return answer(text.strip())
        except ValueError as error:
            return render_note(f"Not sent: {error}")

    for start in (button.click, box.submit):
        start(work, box, result, api_visibility="private")


def _add_text_box(label: str, placeholder: str, lines: int) -> gr.Textbox:
    return gr.Textbox(
        label=label,
        show_label=False,
        placeholder=placeholder,
        lines=lines,
        max_lines=12,
        max_length=MAX_CHARACTERS,
        autofocus=True,
        elem_id="message",
    )


def _check_length(text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise ValueError(
            f"the text has {len(text):,} characters and {MAX_CHARACTERS:,} are taken; write a shorter one."
        )
