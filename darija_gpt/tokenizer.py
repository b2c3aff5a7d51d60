"""The tokenizer: byte-level BPE for Darija in Arabic script and Arabizi, its control tokens and its chat template."""

import re
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from itertools import chain, repeat
from json import dumps
from pathlib import Path
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError
from tokenizers import AddedToken, Encoding, Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

from darija_gpt.control_tokens import CONTROL_TOKENS, END_OF_TEXT, PADDING, TURN_END, TURN_START
from darija_gpt.data.dataset_directory import load_dataset_directory
from darija_gpt.data.private_data.patterns import PLACEHOLDERS
from darija_gpt.output import require_new, write_directory


ROLES = ("system", "user", "assistant")
MAX_VOCAB_SIZE = 2**20  # four times that of the largest models
MAX_FREQUENCY = 1000  # Each role is counted a thousand times as often.

# A word may hold single digits beside letters, the consonants of Arabizi (3la, 7it, m3a, s7ab). Every other digit
# stands alone, so that no token can hold a piece of a telephone number.
PRE_TOKENIZATION = "|".join(
    [
        r" ?(?:(?<!\p{N})\p{N})?\p{L}[\p{L}\p{M}]*(?:\p{N}\p{L}[\p{L}\p{M}]*)*(?:\p{N}(?!\p{N}))?",
        r" ?\p{N}",
        r" ?[^\s\p{L}\p{N}]+",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)

# ChatML. Text is broken at `<|`, so that a control token somebody typed stays text in every program that renders this
# template, also in those that know nothing of this project. With `mark_all` the generation marks stand around what
# every role says, not only the assistant.
CHAT_TEMPLATE = """\
{{- bos_token }}
{%- for message in messages %}
    {%- if message['role'] not in ['system', 'user', 'assistant'] %}
        {{- raise_exception('A role is system, user or assistant.') }}
    {%- endif %}
    {%- set content = message['content'] | trim | replace('<|', '< |') %}
    {{- '<|im_start|>' + message['role'] + '\\n' }}
    {%- if message['role'] == 'assistant' or mark_all is defined and mark_all %}
        {%- generation %}
            {{- content + '<|im_end|>' }}
        {%- endgeneration %}
    {%- else %}
        {{- content + '<|im_end|>' }}
    {%- endif %}
    {{- '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}"""


@dataclass
class TokenizerArguments:
    dataset: Path = field(metadata={"help": "directory that prepare_data.py wrote"})
    output_dir: Path = field(metadata={"help": "directory to write the tokenizer to"})
    vocab_size: int = field(default=1024, metadata={"help": "entries, control tokens and placeholders included"})
    min_frequency: int = field(default=2, metadata={"help": "a pair seen less often is not merged"})
    min_conversations: int = field(
        default=3, metadata={"help": "nothing is learnt from words that fewer conversations hold; 1 learns from all"}
    )

    def __post_init__(self):
        if self.vocab_size > MAX_VOCAB_SIZE:
            raise ValueError(f"vocab_size={self.vocab_size} must be at most {MAX_VOCAB_SIZE:,}; try 1024.")
        if not 1 <= self.min_frequency <= MAX_FREQUENCY:
            raise ValueError(f"min_frequency={self.min_frequency} must be between 1 and {MAX_FREQUENCY:,}; try 2.")
        if self.min_conversations < 1:
            raise ValueError(f"min_conversations={self.min_conversations} must be at least 1; try 3.")


def select_common_words(
    texts: Iterable[str], conversations: Iterable[Hashable], min_conversations: int
) -> dict[str, int]:
    """The words that enough conversations hold, and how often each stands in all of the texts.

    A word is what the tokenizer never merges beyond. BPE that is trained on these words alone can learn no piece of
    any other: a name that one person wrote a thousand times leaves no trace in the vocabulary.

    Args:
        texts (`Iterable[str]`):
            The training texts.
        conversations (`Iterable[Hashable]`):
            The conversation of each text.
        min_conversations (`int`):
            How many different conversations must hold a word.
    """
    splitter = Split(Regex(PRE_TOKENIZATION), behavior="isolated")
    counts: Counter[str] = Counter()
    seen_in: dict[str, tuple[Hashable, ...]] = {}  # of a word that is not common yet
    common: set[str] = set()
    for text, conversation in zip(texts, conversations, strict=True):
        words = [word for word, _ in splitter.pre_tokenize_str(text)]
        counts.update(words)
        for word in set(words) - common:
            holders = seen_in.pop(word, ())
            holders = holders if conversation in holders else (*holders, conversation)
            if len(holders) >= min_conversations:
                common.add(word)
            else:
                seen_in[word] = holders
    return {word: count for word, count in counts.items() if word in common}


def train_tokenizer(
    texts: Iterable[str],
    *,
    vocab_size: int = 1024,
    min_frequency: int = 2,
    conversations: Iterable[Hashable] | None = None,
    min_conversations: int = 3,
) -> PreTrainedTokenizerFast:
    """A lossless tokenizer: `decode(encode(text)) == text` for every text.

    Args:
        texts (`Iterable[str]`):
            The training texts. Control tokens in them are taken out: they are never learnt as ordinary pieces.
        vocab_size (`int`, *optional*, defaults to `1024`):
            Entries at most, control tokens and placeholders included. Little text gives fewer.
        min_frequency (`int`, *optional*, defaults to `2`):
            A pair of pieces seen less often than this is not merged.
        conversations (`Iterable[Hashable]`, *optional*):
            The conversation of each text. With it, the vocabulary is learnt only from words that several
            conversations hold; without it, from all words.
        min_conversations (`int`, *optional*, defaults to `3`):
            How many conversations that is.

    Returns:
        `PreTrainedTokenizerFast`: with the chat template.

    Raises:
        ValueError: If `vocab_size` leaves no room for the 256 bytes.
    """
    smallest = len(CONTROL_TOKENS) + len(PLACEHOLDERS) + 256
    if vocab_size < smallest:
        raise ValueError(f"vocab_size={vocab_size} is too small: bytes and added tokens take {smallest}; try 1024.")

    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = Sequence(
        [Split(Regex(PRE_TOKENIZATION), behavior="isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=vocab_size - len(PLACEHOLDERS),
        min_frequency=min_frequency,
        special_tokens=list(CONTROL_TOKENS),
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    control = re.compile("|".join(map(re.escape, CONTROL_TOKENS)))
    # The template writes a role before every turn, so each role is worth an entry; no chat is full of these words.
    roles = chain.from_iterable(repeat("\n".join([role] * 1000), min_frequency) for role in ROLES)
    texts = (control.sub(" ", text) for text in texts)
    if conversations is not None:
        words = select_common_words(texts, conversations, min_conversations)
        texts = chain.from_iterable(repeat(word, count) for word, count in words.items())
    tokenizer.train_from_iterator(chain(roles, texts), trainer)
    tokenizer.add_tokens([AddedToken(text, special=False, normalized=False) for text in PLACEHOLDERS])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=END_OF_TEXT,
        eos_token=END_OF_TEXT,
        pad_token=PADDING,
        extra_special_tokens=[TURN_START, TURN_END],
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        padding_side="right",
    )


def render_messages(tokenizer: PreTrainedTokenizerFast, messages: list[dict[str, str]], **kwargs) -> dict[str, list]:
    """A conversation under the chat template: `input_ids`, and what `kwargs` ask of `apply_chat_template`.

    Raises:
        ValueError: If the template refuses the conversation.
    """
    try:
        # Not verbose: a conversation longer than the context is no reason to warn, it is about to be divided.
        return tokenizer.apply_chat_template(messages, return_dict=True, tokenizer_kwargs={"verbose": False}, **kwargs)
    except TemplateError as error:
        raise ValueError(f"a conversation cannot be rendered: {error}") from error


def open_document(tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """The token that opens a document of plain text.

    Raises:
        ValueError: If the tokenizer has none.
    """
    opening = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    if opening is None:
        raise ValueError("the tokenizer has neither a bos nor an eos token to open a document with; set bos_token.")
    return [opening]


def encode_texts(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> list[list[int]]:
    """Token ids of plain texts, in which control tokens that somebody typed stay text."""
    if tokenizer.is_fast:
        return [encoding.ids for encoding in encode_batch(tokenizer, texts, split_special_tokens=True)]
    # Not verbose, as above.
    return [
        tokenizer(text, add_special_tokens=False, split_special_tokens=True, verbose=False)["input_ids"]
        for text in texts
    ]


def encode_batch(
    tokenizer: PreTrainedTokenizerFast, texts: list[str], *, split_special_tokens: bool
) -> list[Encoding]:
    """Texts encoded in the library's own threads, without what a BatchEncoding has beside the ids."""
    if not texts:
        return []
    backend = tokenizer.backend_tokenizer
    # As calling the tokenizer does, whatever its file says.
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = split_special_tokens
    return backend.encode_batch_fast(texts, add_special_tokens=False)


def load_tokenizer(directory: str | Path) -> PreTrainedTokenizerFast:
    """The tokenizer of a local directory.

    Raises:
        ValueError: If the directory holds none, a damaged one, or one without a chat template.
    """
    directory = Path(directory)
    if not (directory / "tokenizer.json").is_file():
        raise ValueError(f"{directory} holds no tokenizer.json; give a directory that train_tokenizer.py wrote.")
    try:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(directory)
    except Exception as error:  # Of every kind: they come from whatever reads the file in question.
        raise ValueError(
            f"{directory}: a file of this tokenizer is damaged ({type(error).__name__}); train it again."
        ) from error
    if tokenizer.chat_template is None:
        raise ValueError(f"{directory} holds a tokenizer without a chat template; train one with train_tokenizer.py.")
    try:
        tokenizer.apply_chat_template([{"role": "user", "content": "salam"}], tokenize=False)
    except TemplateSyntaxError as error:
        place = directory / "chat_template.jinja"
        raise ValueError(
            f"{place if place.exists() else directory}: the chat template is damaged ({error}); train it again."
        ) from error
    except (TemplateError, TypeError):
        pass  # A template may want another conversation than this one.
    return tokenizer


def save_tokenizer(tokenizer: PreTrainedTokenizerFast, directory: str | Path) -> None:
    """Writes a tokenizer, without the traces of where it was loaded from."""
    for trace in ("is_local", "local_files_only"):
        tokenizer.init_kwargs.pop(trace, None)
    tokenizer.save_pretrained(directory)


def measure_compression(tokenizer: PreTrainedTokenizerFast, texts: list[str], scripts: list[str]) -> dict[str, float]:
    """UTF-8 bytes per token over all texts, and over the texts of each script."""
    num_bytes, num_tokens = Counter(), Counter()
    for text, script, ids in zip(texts, scripts, encode_texts(tokenizer, texts), strict=True):
        for group in ("all", script):
            num_bytes[group] += len(text.encode())
            num_tokens[group] += len(ids)
    return {group: round(num_bytes[group] / num_tokens[group], 4) for group in sorted(num_tokens)}


def train_tokenizer_on_dataset(arguments: TokenizerArguments) -> None:
    """The tokenizer stage: dataset/ -> tokenizer/, with report.json beside it."""
    require_new(arguments.output_dir)
    dataset = load_dataset_directory(arguments.dataset)
    train = dataset["train"]
    tokenizer = train_tokenizer(
        train["text"],
        vocab_size=arguments.vocab_size,
        min_frequency=arguments.min_frequency,
        conversations=train["conversation_id"],
        min_conversations=arguments.min_conversations,
    )
    held_out = dataset["validation"]
    report: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "min_conversations": arguments.min_conversations,
        "split": "validation",
        "bytes_per_token": measure_compression(tokenizer, list(held_out["text"]), list(held_out["script"])),
    }
    with write_directory(arguments.output_dir) as directory:
        save_tokenizer(tokenizer, directory)
        (directory / "report.json").write_text(dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"tokenizer: {len(tokenizer):,} entries (asked for {arguments.vocab_size:,}) -> {arguments.output_dir}")
    for group, bytes_per_token in report["bytes_per_token"].items():
        print(f"  {group:5}  {bytes_per_token:.2f} bytes per token on validation")
