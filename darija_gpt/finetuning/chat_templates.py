"""Chat templates for models that have none, or one that forgets: a model of the Hub learns to take turns."""

from typing import TYPE_CHECKING, Literal

from darija_gpt.chat_examples import ConversationError, encode_messages
from darija_gpt.control_tokens import TURN_END, TURN_START
from darija_gpt.tokenizer import CHAT_TEMPLATE


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

ChatTemplate = Literal["chatml", "llama2"]

# Of Llama 2's chat models (Touvron et al. 2023): brackets are text, and only <s> and </s> are control tokens.
LLAMA2_TEMPLATE = """\
{%- set system = messages[0]['content'] | trim if messages[0]['role'] == 'system' %}
{%- for message in messages if message['role'] != 'system' %}
    {%- if message['role'] not in ['user', 'assistant'] %}
        {{- raise_exception('A role is system, user or assistant.') }}
    {%- endif %}
    {%- if message['role'] == 'assistant' %}
        {{- ' ' + message['content'] | trim + ' ' + eos_token }}
    {%- elif loop.first and system %}
        {{- bos_token + '[INST] <<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + message['content'] | trim + ' [/INST]' }}
    {%- else %}
        {{- bos_token + '[INST] ' + message['content'] | trim + ' [/INST]' }}
    {%- endif %}
{%- endfor %}"""

# A template, and the control tokens that it writes besides those that every tokenizer has.
CHAT_TEMPLATES: dict[ChatTemplate, tuple[str, list[str]]] = {
    "chatml": (CHAT_TEMPLATE, [TURN_START, TURN_END]),
    "llama2": (LLAMA2_TEMPLATE, []),
}

# Of two exchanges, as a template that forgets writes the first one in another way once the second follows.
_PROBE = [{"role": role, "content": "salam"} for role in ("user", "assistant") * 2]


def mend_chat_template(tokenizer: "PreTrainedTokenizerBase") -> None:
    """Gives a tokenizer whose template changes earlier turns, as Qwen3's drops thoughts, the one that TRL trains with.

    Where TRL has none, or one that changes them, too, the tokenizer stays as it is.
    """
    from accelerate import PartialState
    from trl.chat_template_utils import get_training_chat_template

    own_template = tokenizer.chat_template
    if _is_fit(tokenizer):
        return
    try:
        tokenizer.chat_template = get_training_chat_template(tokenizer) or own_template
    except ValueError:  # TRL does not know this template.
        return
    if not _is_fit(tokenizer):
        tokenizer.chat_template = own_template
    elif PartialState().is_main_process:
        print("the chat template changes earlier turns: TRL's for training takes its place, and is saved")


def set_chat_template(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", chat_template: ChatTemplate
) -> list[int]:
    """Gives a tokenizer a chat template, and its model a row of embeddings for each control token that is new to it.

    Args:
        model (`PreTrainedModel`), tokenizer (`PreTrainedTokenizerBase`):
            Both are changed in place.
        chat_template (`"chatml"` or `"llama2"`):
            `chatml` adds `<|im_start|>` and `<|im_end|>`, `llama2` needs no token but the beginning and the end.

    Returns:
        `list[int]`: ids of the new tokens, whose embeddings still have to learn what they mean.

    Raises:
        ValueError: If the template needs tokens that the tokenizer does not have.
    """
    from tokenizers import AddedToken
    from transformers.utils import logging

    template, control_tokens = CHAT_TEMPLATES[chat_template]
    if "bos_token +" in template and (tokenizer.bos_token is None or tokenizer.eos_token is None):
        raise ValueError(
            f"chat_template={chat_template} needs tokens that begin and end a text, and this tokenizer lacks one of "
            "them; take chatml."
        )
    new = [token for token in control_tokens if token not in tokenizer.added_tokens_encoder]
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in new], special_tokens=True)
    tokenizer.chat_template = template
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        verbosity = logging.get_verbosity()
        logging.set_verbosity_error()  # It tells how new rows are drawn: around the mean of the others.
        model.resize_token_embeddings(len(tokenizer))
        logging.set_verbosity(verbosity)
    return tokenizer.convert_tokens_to_ids(new)


def _is_fit(tokenizer: "PreTrainedTokenizerBase") -> bool:
    try:
        encode_messages(tokenizer, _PROBE)
    except ConversationError:
        return False
    return True
