"""Models of one size as contestants: a training step in each library's own way, and its own generation with a cache.

Peers have the parts of ours where they know them (RoPE, RMSNorm, SwiGLU, no biases); GPT-2 has its own, and a
feed-forward half as wide again, which makes as many parameters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from darija_gpt.benchmark.contests import ContestSetup


if TYPE_CHECKING:
    from torch import Tensor, nn

PROMPT_TOKENS = 16


@dataclass(frozen=True)
class Player:
    """A model, its loss of a batch of tokens, and its continuation of a prompt by so many tokens.

    A loss that is given `num_more_tokens` than a block has cuts them off itself, so that all compute a whole block.
    """

    model: "nn.Module"
    compute_loss: Callable[["Tensor"], "Tensor"]
    generate: Callable[["Tensor", int], "Tensor"]
    num_more_tokens: int = 0


def prepare_training(setup: ContestSetup, name: str) -> tuple[Callable[[], Any], dict[str, Any]]:
    """Steps of AdamW on one batch: forward, backward, update."""
    import torch

    _begin(setup)
    player = PLAYERS[name](setup)
    model = player.model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    tokens = _draw_tokens(setup, (setup.batch_size, setup.block_size + player.num_more_tokens))

    def step() -> float:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=setup.mixed_precision == "bf16"):
            loss = player.compute_loss(tokens)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    return step, {"parameters": _count_parameters(model), "first_loss": step()}


def prepare_generation(setup: ContestSetup, name: str) -> tuple[Callable[[], Any], dict[str, Any]]:
    """One text, always the likeliest token next, in float32."""
    import torch

    _begin(setup)
    player = PLAYERS[name](setup)
    player.model.eval()
    prompt = _draw_tokens(setup, (1, PROMPT_TOKENS))

    @torch.inference_mode()
    def generate() -> "Tensor":
        return player.generate(prompt, setup.num_new_tokens)

    return generate, {"parameters": _count_parameters(player.model), "tokens": generate().numel()}


def _begin(setup: ContestSetup) -> None:
    import torch

    torch.set_num_threads(setup.num_threads)
    torch.manual_seed(0)


def _draw_tokens(setup: ContestSetup, shape: tuple[int, int]) -> "Tensor":
    import torch

    return torch.randint(5, setup.vocab_size, shape, generator=torch.Generator().manual_seed(0))


def _count_parameters(model: "nn.Module") -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _wrap_transformers(model: Any) -> Player:
    """What transformers' own models and ours are asked for alike."""
    import torch

    def generate(prompt: "Tensor", num_new_tokens: int) -> "Tensor":
        return model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            min_new_tokens=num_new_tokens,
            max_new_tokens=num_new_tokens,
            do_sample=False,
        )[:, prompt.shape[1] :]

    return Player(model, lambda tokens: model(input_ids=tokens, labels=tokens, use_cache=False).loss, generate)


def _name_dimensions(setup: ContestSetup) -> dict[str, int]:
    """The dimensions by their names in a configuration of ours, which are Llama's."""
    return {
        "vocab_size": setup.vocab_size,
        "hidden_size": setup.hidden_size,
        "intermediate_size": setup.intermediate_size,
        "num_hidden_layers": setup.num_hidden_layers,
        "num_attention_heads": setup.num_attention_heads,
        "max_position_embeddings": setup.block_size,
    }


def build_ours(setup: ContestSetup) -> Player:
    """DarijaGPT, with the loss that pretraining gives it on a CPU."""
    from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM
    from darija_gpt.training_loss import compute_causal_lm_loss

    config = DarijaGPTConfig(**_name_dimensions(setup))
    model = DarijaGPTForCausalLM(config)
    model.loss_function = compute_causal_lm_loss
    return _wrap_transformers(model)


def build_llama(setup: ContestSetup) -> Player:
    """LlamaForCausalLM as transformers has it."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(**_name_dimensions(setup), tie_word_embeddings=True)
    return _wrap_transformers(LlamaForCausalLM(config))


def build_gpt2(setup: ContestSetup) -> Player:
    """GPT2LMHeadModel, without dropout."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=setup.vocab_size,
        n_positions=setup.block_size,
        n_embd=setup.hidden_size,
        n_inner=setup.intermediate_size * 3 // 2,
        n_layer=setup.num_hidden_layers,
        n_head=setup.num_attention_heads,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        resid_pdrop=0.0,
        bos_token_id=0,
        eos_token_id=0,
    )
    return _wrap_transformers(GPT2LMHeadModel(config))


def build_x_transformers(setup: ContestSetup) -> Player:
    """x-transformers' decoder."""
    from x_transformers import AutoregressiveWrapper, Decoder, TransformerWrapper

    decoder = Decoder(
        dim=setup.hidden_size,
        depth=setup.num_hidden_layers,
        heads=setup.num_attention_heads,
        attn_dim_head=setup.hidden_size // setup.num_attention_heads,
        attn_flash=True,
        rotary_pos_emb=True,
        use_rmsnorm=True,
        ff_glu=True,
        ff_swish=True,
        ff_no_bias=True,
        ff_mult=setup.intermediate_size / setup.hidden_size,
    )
    model = AutoregressiveWrapper(
        TransformerWrapper(
            num_tokens=setup.vocab_size,
            max_seq_len=setup.block_size,
            attn_layers=decoder,
            use_abs_pos_emb=False,
            tie_embedding=True,
        )
    )

    def generate(prompt: "Tensor", num_new_tokens: int) -> "Tensor":
        return model.generate(prompt, num_new_tokens, temperature=0.0, cache_kv=True)

    return Player(model, model, generate, num_more_tokens=1)


def build_litgpt(setup: ContestSetup) -> Player:
    """litgpt's GPT, with its output layer tied to its embeddings, as its pretraining does where asked."""
    from litgpt.config import Config
    from litgpt.generate.base import generate
    from litgpt.model import GPT
    from litgpt.utils import chunked_cross_entropy

    config = Config(
        block_size=setup.block_size,
        vocab_size=setup.vocab_size,
        padded_vocab_size=setup.vocab_size,
        n_layer=setup.num_hidden_layers,
        n_embd=setup.hidden_size,
        n_head=setup.num_attention_heads,
        rotary_percentage=1.0,
        parallel_residual=False,
        bias=False,
        norm_class_name="RMSNorm",
        mlp_class_name="LLaMAMLP",
        intermediate_size=setup.intermediate_size,
    )
    model = GPT(config)
    model.lm_head.weight = model.transformer.wte.weight

    def compute_loss(tokens: "Tensor") -> "Tensor":
        return chunked_cross_entropy(model(tokens[:, :-1]), tokens[:, 1:])

    def continue_prompt(prompt: "Tensor", num_new_tokens: int) -> "Tensor":
        if model.mask_cache is None:
            model.set_kv_cache(batch_size=1)
        length = prompt.shape[1] + num_new_tokens
        # top_p=0 is its word for the likeliest token.
        return generate(model, prompt[0], length, top_p=0.0, include_prompt=False)

    return Player(model, compute_loss, continue_prompt, num_more_tokens=1)


PLAYERS: dict[str, Callable[[ContestSetup], Player]] = {
    "ours": build_ours,
    "llama": build_llama,
    "gpt2": build_gpt2,
    "x_transformers": build_x_transformers,
    "litgpt": build_litgpt,
}
