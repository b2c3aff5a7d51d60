"""Samples of a run: what the model writes at each evaluation, so that one can see it learn."""

import numpy as np
import torch

from darija_gpt.generation import SamplingArguments, continue_tokens, encode_prompt
from darija_gpt.tokenizer import TURN_START, encode_texts


class Sampler:
    """Continues the prompts of a recipe with a model in training, always with the same draws.

    Args:
        tokenizer (`PreTrainedTokenizerFast`):
            A tokenizer with a chat template.
        prompts (`list[str]`):
            What to continue.
        max_new_tokens (`int`):
            Longest continuation.
        seed (`int`):
            Of the draws: the same at each evaluation, so that only the model differs.
        example (`np.ndarray`):
            Token ids of some block that the model reads. If it holds conversations, a prompt is what the user says and
            the continuation the assistant's reply; otherwise it begins a text.
        context_tokens (`int`):
            Tokens that the model reads at once.

    Raises:
        ValueError: If a prompt and its continuation do not fit.
    """

    def __init__(
        self,
        tokenizer,
        prompts: list[str],
        *,
        max_new_tokens: int,
        seed: int,
        example: np.ndarray,
        context_tokens: int,
    ):
        self.tokenizer = tokenizer
        self.sampling = SamplingArguments(max_new_tokens=max_new_tokens, seed=seed)
        turn_start = tokenizer.get_vocab().get(TURN_START)
        is_conversation = turn_start is not None and bool((np.asarray(example) == turn_start).any())
        self.prompts = {prompt: self._encode(prompt, is_conversation) for prompt in prompts}
        for prompt, ids in self.prompts.items():
            if len(ids) + max_new_tokens > context_tokens:
                raise ValueError(
                    f"sample_prompts: {prompt!r} takes {len(ids)} tokens and sample_max_new_tokens={max_new_tokens}, "
                    f"more than the {context_tokens} that the model reads; shorten one of them."
                )

    def sample(self, model) -> list[tuple[str, str]]:
        """Each prompt with its continuation.

        Args:
            model (`PreTrainedModel`):
                In evaluation mode; whole in this process. It runs uncompiled, as each new length would be compiled.
        """
        with torch.compiler.set_stance("force_eager"):
            return [
                (prompt, continue_tokens(model, self.tokenizer, ids, self.sampling))
                for prompt, ids in self.prompts.items()
            ]

    def _encode(self, prompt: str, is_conversation: bool) -> list[int]:
        if is_conversation:
            return encode_prompt([{"role": "user", "content": prompt}], self.tokenizer)
        [ids] = encode_texts(self.tokenizer, [prompt])
        return [self.tokenizer.bos_token_id, *ids]
