"""Each variant against the class of transformers that is known for it, with copied weights, or against its formula."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from transformers import (
    DeepseekV3Config,
    DeepseekV3ForCausalLM,
    DynamicCache,
    Gemma2Config,
    Gemma2ForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    MptConfig,
    MptForCausalLM,
    OpenAIGPTConfig,
    OpenAIGPTLMHeadModel,
    T5Config,
)
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.t5.modeling_t5 import T5Attention

from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM
from darija_gpt.model.masks_darija_gpt import create_masks
from darija_gpt.model.positions_darija_gpt import POSITION_EMBEDDINGS


LENGTH = 40


@pytest.fixture
def input_ids():
    return torch.randint(4, 97, (2, LENGTH), generator=torch.Generator().manual_seed(1))


def build(**fields) -> DarijaGPTForCausalLM:
    torch.manual_seed(0)
    sizes = {
        "vocab_size": 97,
        "hidden_size": 32,
        "intermediate_size": 128,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "max_position_embeddings": 64,
        "initializer_range": 0.2,
    }
    model = DarijaGPTForCausalLM(DarijaGPTConfig(**{**sizes, **fields})).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    return model


def test_sliding_attention_is_mistrals(input_ids):
    fields = {"num_key_value_heads": 2, "sliding_window": 8}
    ours = build(attention="sliding", **fields)
    reference = MistralForCausalLM(
        MistralConfig(**{**ours.config.to_dict(), "rms_norm_eps": 1e-6, "model_type": "mistral"})
    ).eval()
    reference.load_state_dict(ours.state_dict(), strict=True)
    torch.testing.assert_close(ours(input_ids).logits, reference(input_ids).logits, atol=1e-6, rtol=0)


ROPES = [
    {"rope_type": "default", "rope_theta": 1e4},
    {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0, "original_max_position_embeddings": 16},
    {
        "rope_type": "yarn",
        "rope_theta": 1e4,
        "factor": 4.0,
        "original_max_position_embeddings": 16,
        "mscale": 0.7,
        "mscale_all_dim": 0.7,
    },
]


@pytest.mark.parametrize("rope_parameters", ROPES)
@pytest.mark.parametrize(("q_lora_rank", "v_head_dim"), [(None, 14), (12, 20)])
def test_latent_attention_is_deepseeks(input_ids, q_lora_rank, v_head_dim, rope_parameters):
    ours = build(
        attention="latent",
        q_lora_rank=q_lora_rank,
        kv_lora_rank=20,
        qk_rope_head_dim=6,
        qk_nope_head_dim=10,
        v_head_dim=v_head_dim,
        rope_parameters=dict(rope_parameters),
    )
    fields = ours.config.to_dict()
    reference = DeepseekV3ForCausalLM(
        DeepseekV3Config(
            **{**fields, "model_type": "deepseek_v3", "rms_norm_eps": 1e-6},
            first_k_dense_replace=3,
            rope_interleave=False,
        )
    ).eval()
    reference.load_state_dict(ours.state_dict(), strict=True)
    torch.testing.assert_close(ours(input_ids).logits, reference(input_ids).logits, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_one_new_token_attends_over_the_latents_as_they_lie(input_ids):
    """The short way, which never makes keys and values, against the long one."""
    model = build(attention="latent", q_lora_rank=12, kv_lora_rank=20, qk_rope_head_dim=6, v_head_dim=14)
    whole = model(input_ids).logits
    cache = model(input_ids[:, :-1], use_cache=True).past_key_values
    made = []
    for layer in model.model.layers:
        layer.self_attn.kv_b_proj.register_forward_hook(lambda *_: made.append(1))
    last = model(input_ids[:, -1:], past_key_values=cache).logits
    torch.testing.assert_close(last, whole[:, -1:], atol=1e-5, rtol=1e-5)
    assert not made


def test_an_adapter_of_the_latent_projection_acts_in_generation_too(input_ids):
    from peft import LoraConfig, get_peft_model

    model = build(attention="latent")
    adapted = get_peft_model(model, LoraConfig(target_modules=["kv_b_proj"], init_lora_weights=False)).eval()
    with torch.no_grad():
        whole = adapted(input_ids).logits
        cache = adapted(input_ids[:, :-1], use_cache=True).past_key_values
        last = adapted(input_ids[:, -1:], past_key_values=cache).logits
    torch.testing.assert_close(last, whole[:, -1:], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_flash_kernels_get_no_latents_which_are_wider_than_they_can_take(input_ids, monkeypatch):
    """With a stand-in for the kernel, because that wants a GPU: the mask that it gets is None, and causal is meant."""
    model = build(attention="latent", hidden_size=256)
    settings = {"max_new_tokens": 3, "do_sample": False}
    expected = model.generate(input_ids, **settings)
    widths = set()

    def attend(module, query, key, value, attention_mask, **kwargs):
        assert attention_mask is None
        widths.update((query.shape[-1], value.shape[-1]))
        is_causal = query.shape[2] > 1
        attended = nn.functional.scaled_dot_product_attention(
            query, key, value, is_causal=is_causal, scale=kwargs["scaling"]
        )
        return attended.transpose(1, 2), None

    monkeypatch.setitem(ALL_ATTENTION_FUNCTIONS, "flash_attention_2", attend)
    model.config._attn_implementation = "flash_attention_2"
    assert torch.equal(model.generate(input_ids, **settings), expected)
    assert max(widths) <= 256


class QuantizedWeight(torch.Tensor):
    """As torchao's: it stands in a module that stays nn.Linear, multiplies, and has no view."""

    @staticmethod
    def __new__(cls, weight):
        return torch.Tensor._make_wrapper_subclass(cls, weight.shape, dtype=weight.dtype)

    def __init__(self, weight):
        self.held = weight

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if function is nn.functional.linear:
            return function(args[0], args[1].held, *args[2:])
        return super().__torch_function__(function, types, args, kwargs)

    @classmethod
    def __torch_dispatch__(cls, function, types, args, kwargs=None):
        if function is torch.ops.aten.detach.default:
            return cls(args[0].held)
        raise NotImplementedError(f"{function} of a quantized weight")


def test_latent_attention_generates_with_weights_that_are_quantized_in_place(input_ids):
    model = build(attention="latent")
    settings = {"max_new_tokens": 3, "do_sample": False}
    expected = model.generate(input_ids, **settings)
    for layer in model.model.layers:
        projection = layer.self_attn.kv_b_proj
        projection.weight = nn.Parameter(QuantizedWeight(projection.weight.detach()), requires_grad=False)
    assert torch.equal(model.generate(input_ids, **settings), expected)


def test_the_cache_of_latent_attention_holds_the_latent_and_the_rotated_key_only(input_ids):
    model = build(attention="latent", kv_lora_rank=20, qk_rope_head_dim=6)
    cache = model(input_ids, use_cache=True).past_key_values
    assert [(layer.keys.shape, layer.values.shape) for layer in cache.layers] == [
        ((2, 1, LENGTH, 20), (2, 1, LENGTH, 6))
    ] * 3


def test_alibi_is_mpts(input_ids):
    ours = build(
        position_embedding="alibi", norm="layernorm", hidden_act="gelu", gated_mlp=False, num_attention_heads=6,
        hidden_size=48, intermediate_size=192, norm_eps=1e-5,
    )  # fmt: skip
    reference = MptForCausalLM(
        MptConfig(vocab_size=97, d_model=48, n_heads=6, n_layers=3, expansion_ratio=4, max_seq_len=64)
    ).eval()
    state = ours.state_dict()
    renamed = {
        "transformer.wte.weight": state["model.embed_tokens.weight"],
        "transformer.norm_f.weight": state["model.norm.weight"],
        "lm_head.weight": state["lm_head.weight"],
    }
    for index in range(3):
        block, layer = f"transformer.blocks.{index}", f"model.layers.{index}"
        projections = [state[f"{layer}.self_attn.{name}_proj.weight"] for name in "qkv"]
        renamed |= {
            f"{block}.norm_1.weight": state[f"{layer}.input_layernorm.weight"],
            f"{block}.norm_2.weight": state[f"{layer}.post_attention_layernorm.weight"],
            f"{block}.attn.Wqkv.weight": torch.cat(projections),
            f"{block}.attn.out_proj.weight": state[f"{layer}.self_attn.o_proj.weight"],
            f"{block}.ffn.up_proj.weight": state[f"{layer}.mlp.up_proj.weight"],
            f"{block}.ffn.down_proj.weight": state[f"{layer}.mlp.down_proj.weight"],
        }
    reference.load_state_dict(renamed, strict=True)
    with torch.no_grad():  # MPT's norms have no bias
        for name, parameter in ours.named_parameters():
            if name.endswith("norm.bias"):
                parameter.zero_()
    torch.testing.assert_close(ours(input_ids).logits, reference(input_ids).logits, atol=1e-5, rtol=1e-5)


def test_post_norm_with_learned_positions_is_gpt_1(input_ids):
    ours = build(
        position_embedding="learned", norm="layernorm", norm_position="post", hidden_act="gelu_new", gated_mlp=False,
        attention_bias=True, mlp_bias=True, norm_eps=1e-5,
    )  # fmt: skip
    reference = OpenAIGPTLMHeadModel(
        OpenAIGPTConfig(vocab_size=97, n_positions=64, n_embd=32, n_layer=3, n_head=4, afn="gelu")
    ).eval()
    state = ours.state_dict()
    renamed = {
        "transformer.tokens_embed.weight": state["model.embed_tokens.weight"],
        "transformer.positions_embed.weight": state["model.position_embedding.embed_positions.weight"],
        "lm_head.weight": state["lm_head.weight"],
    }
    for index in range(3):
        for kind in ("weight", "bias"):
            block, layer = f"transformer.h.{index}", f"model.layers.{index}"
            projections = [state[f"{layer}.self_attn.{name}_proj.{kind}"] for name in "qkv"]
            renamed |= {
                f"{block}.attn.c_attn.{kind}": torch.cat(projections).t(),
                f"{block}.attn.c_proj.{kind}": state[f"{layer}.self_attn.o_proj.{kind}"].t(),
                f"{block}.ln_1.{kind}": state[f"{layer}.post_attention_layernorm.{kind}"],
                f"{block}.mlp.c_fc.{kind}": state[f"{layer}.mlp.up_proj.{kind}"].t(),
                f"{block}.mlp.c_proj.{kind}": state[f"{layer}.mlp.down_proj.{kind}"].t(),
                f"{block}.ln_2.{kind}": state[f"{layer}.post_feedforward_layernorm.{kind}"],
            }
    reference.load_state_dict(renamed, strict=False)
    torch.testing.assert_close(ours(input_ids).logits, reference(input_ids).logits, atol=1e-5, rtol=1e-5)


def test_the_sandwich_with_soft_capped_logits_is_gemma_2s(input_ids):
    ours = build(norm_position="sandwich", final_logit_softcapping=4.0, hidden_act="gelu_new", num_key_value_heads=2)
    reference = Gemma2ForCausalLM(
        Gemma2Config(
            **{**ours.config.to_dict(), "model_type": "gemma2", "rms_norm_eps": 1e-6, "sliding_window": 64},
            hidden_activation="gelu_new",
            query_pre_attn_scalar=8,
            attn_logit_softcapping=None,
            layer_types=["full_attention"] * 3,
        ),
    ).eval()
    state = ours.state_dict()
    # Gemma's norms multiply by 1 + weight, and its embeddings are scaled by sqrt(hidden_size).
    reference.load_state_dict(
        {name: weight - 1 if "norm" in name else weight for name, weight in state.items()}, strict=True
    )
    logits = ours(inputs_embeds=ours.model.embed_tokens(input_ids) * math.sqrt(32)).logits
    torch.testing.assert_close(logits, reference(input_ids).logits, atol=1e-5, rtol=1e-5)


def test_relative_positions_are_t5s():
    config = DarijaGPTConfig(position_embedding="relative", num_attention_heads=8)
    ours = POSITION_EMBEDDINGS["relative"](config)
    reference = T5Attention(
        T5Config(d_model=256, num_heads=8, d_kv=32, is_decoder=True), has_relative_attention_bias=True
    )
    reference.relative_attention_bias.load_state_dict(ours.relative_attention_bias.state_dict())
    positions = torch.arange(300)
    bias = ours.bias(torch.zeros(2, 300, 256), positions[None], None, 0)
    expected = reference.compute_bias(300, 300)
    causal = torch.ones(300, 300, dtype=torch.bool).tril()
    assert torch.equal(bias[0][:, causal], expected[0][:, causal])


@torch.no_grad()
def test_sinusoidal_positions_are_the_papers():
    model = build(position_embedding="sinusoidal").model
    position = np.arange(LENGTH)[:, None]
    expected = np.zeros((LENGTH, 32))
    for i in range(16):
        expected[:, 2 * i] = np.sin(position[:, 0] / 10000 ** (2 * i / 32))
        expected[:, 2 * i + 1] = np.cos(position[:, 0] / 10000 ** (2 * i / 32))
    embedded = torch.randn(1, LENGTH, 32)
    added = model.position_embedding.add(embedded, torch.arange(LENGTH)[None]) - embedded * math.sqrt(32)
    torch.testing.assert_close(added[0], torch.tensor(expected, dtype=torch.float32), atol=1e-5, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("position_embedding", ["none", "rope"])
def test_linear_attention_is_the_papers_sum(position_embedding):
    """Against the sum over all earlier tokens, one token at a time, in float64."""
    model = build(attention="linear", position_embedding=position_embedding, num_key_value_heads=2).model
    attention = model.layers[0].self_attn
    length = 150  # several chunks
    hidden_states = torch.randn(2, length, 32)
    position_embeddings = model.position_embedding.prepare(hidden_states, torch.arange(length)[None])
    query, key, value = (states.double() for states in attention.project(hidden_states, position_embeddings, None))
    query, key = nn.functional.elu(query) + 1, nn.functional.elu(key) + 1
    expected = torch.zeros(2, length, 4, 8, dtype=torch.float64)
    for head in range(4):
        for t in range(length):
            products = torch.einsum("bk,bsk->bs", query[:, head, t], key[:, head // 2, : t + 1])
            weights = products / products.sum(-1, keepdim=True)
            expected[:, t, head] = torch.einsum("bs,bsv->bv", weights, value[:, head // 2, : t + 1])
    documents = torch.zeros(2, length, dtype=torch.long)
    attended, _ = attention(hidden_states, None, position_embeddings, documents)
    torch.testing.assert_close(attended, attention.o_proj(expected.flatten(2).float()), atol=1e-4, rtol=1e-4)


def test_linear_attention_keeps_a_state_of_one_size(input_ids):
    for attention in ("linear", ["linear", "full", "linear"]):
        model = build(attention=attention)
        cache = model(input_ids[:, :5], use_cache=True).past_key_values
        assert cache.get_seq_length() == 5
        before = cache.layers[0].recurrent_states[0].shape
        model(input_ids[:, 5:], past_key_values=cache)
        assert cache.layers[0].recurrent_states[0].shape == before == (2, 4, 8, 9)
        assert cache.get_seq_length() == LENGTH


@pytest.mark.parametrize("attention", ["linear", ["full", "linear", "full"]])
def test_a_cache_that_does_not_know_the_model_is_refused_in_words(attention, input_ids):
    model = build(attention=attention)
    settings = {"max_new_tokens": 3, "do_sample": False}
    with pytest.raises(ValueError, match=r"attention=linear .* pass DynamicCache\(config=model\.config\)"):
        model.generate(input_ids, past_key_values=DynamicCache(), **settings)
    generated = model.generate(input_ids, past_key_values=DynamicCache(config=model.config), **settings)
    assert torch.equal(generated, model.generate(input_ids, **settings))


@torch.no_grad()
def test_the_cache_of_sliding_attention_is_bounded_by_the_window(input_ids):
    model = build(attention="sliding", sliding_window=8)
    cache = model(input_ids, use_cache=True).past_key_values
    model(input_ids[:, :1], past_key_values=cache)
    assert all(layer.keys.shape[-2] == 7 for layer in cache.layers)


def find_bigbird_keys(query: int, block_size: int, num_global: int) -> set[int]:
    """Positions that BigBird's window and global blocks show, written out."""
    block = query // block_size
    return {
        key for key in range(query + 1) if key // block_size in (block, block - 1) or key // block_size < num_global
    }


@pytest.mark.parametrize(("block_size", "num_global", "num_random"), [(4, 1, 2), (8, 2, 1), (3, 0, 3), (5, 1, 0)])
def test_bigbird_shows_the_window_the_first_blocks_and_a_number_of_others(block_size, num_global, num_random):
    config = DarijaGPTConfig(
        attention="bigbird", block_size=block_size, num_global_blocks=num_global, num_random_blocks=num_random
    )
    config._attn_implementation = "sdpa"
    length = 120
    embeds = torch.zeros(1, length, 1)
    mask = create_masks(config, embeds, None, None, None)["bigbird"][0, 0]
    for query in range(length):
        visible = set(mask[query].nonzero()[:, 0].tolist())
        certain = find_bigbird_keys(query, block_size, num_global)
        assert certain <= visible <= set(range(query + 1))
        random_blocks = {key // block_size for key in visible - certain}
        num_between = max(0, query // block_size - 1 - num_global)
        assert len(random_blocks) == min(num_random, num_between)
        assert len(visible - certain) == block_size * len(random_blocks)
    # A longer text, another batch, padding on the left and a second look change nothing.
    again = create_masks(config, torch.zeros(1, length + 9, 1), None, None, None)["bigbird"][0, 0]
    assert torch.equal(again[:length, :length], mask)
    padding = torch.ones(2, length + 7, dtype=torch.long)
    padding[1, :7] = 0
    padded = create_masks(config, torch.zeros(2, length + 7, 1), padding, None, None)["bigbird"]
    assert torch.equal(padded[1, 0, 7:, 7:], mask)
    assert torch.equal(padded[0, 0, :length, :length], mask)


def test_bigbirds_random_blocks_differ_from_block_to_block():
    config = DarijaGPTConfig(attention="bigbird", block_size=2, num_random_blocks=1, num_global_blocks=0)
    config._attn_implementation = "sdpa"
    mask = create_masks(config, torch.zeros(1, 400, 1), None, None, None)["bigbird"][0, 0]
    distances = [
        query // 2 - next(key for key in range(query) if mask[query, key]) // 2 for query in range(200, 400, 2)
    ]
    assert len(set(distances)) > 50


@pytest.mark.parametrize("rope_type", ["default", *ROPE_INIT_FUNCTIONS])
def test_every_rope_type_turns_as_llamas(rope_type, input_ids):
    from transformers import LlamaConfig, LlamaForCausalLM

    rope_parameters = {"rope_type": rope_type, "rope_theta": 1e4} | {
        "linear": {"factor": 2.0},
        "dynamic": {"factor": 2.0},
        "yarn": {"factor": 2.0, "original_max_position_embeddings": 16},
        "longrope": {
            "short_factor": [1.0] * 4,
            "long_factor": [2.0] * 4,
            "original_max_position_embeddings": 16,
            "factor": 2.0,
        },
        "llama3": {
            "factor": 2.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 16,
        },
    }.get(rope_type, {})
    ours = build(rope_parameters=dict(rope_parameters), max_position_embeddings=32)
    fields = {**ours.config.to_dict(), "model_type": "llama", "rms_norm_eps": 1e-6}
    reference = LlamaForCausalLM(LlamaConfig(**fields)).eval()
    reference.load_state_dict(ours.state_dict(), strict=True)
    torch.testing.assert_close(ours(input_ids).logits, reference(input_ids).logits, atol=1e-6, rtol=0)


@torch.no_grad()
def test_input_skips_and_value_embeddings_are_nanochats(input_ids):
    """Against the layer written out: scaled stream and input, values with gated embeddings in every other layer."""
    model = build(input_skip=True, value_embeddings=True, num_key_value_heads=2).model
    assert [hasattr(layer.self_attn.value_embedding, "embed_values") for layer in model.layers] == [True, False, True]
    with torch.no_grad():
        for index, layer in enumerate(model.layers):
            layer.input_skip.stream_weight.fill_(1.0 + 0.1 * index)
            layer.input_skip.input_weight.fill_(0.3)
    inputs = model.embed_tokens(input_ids)
    rotation = model.position_embedding.prepare(inputs, torch.arange(LENGTH)[None])
    stream = inputs
    for index, layer in enumerate(model.layers):
        stream = (1.0 + 0.1 * index) * stream + 0.3 * inputs
        attention, normed = layer.self_attn, layer.input_layernorm(stream)
        value = attention.v_proj(normed).view(2, LENGTH, 2, 8)
        if index != 1:
            gate = 2 * torch.sigmoid(normed[..., :32] @ attention.value_embedding.gate.weight.t())
            table = attention.value_embedding.embed_values.weight.view(97, 2, 8)
            value = value + gate[..., None] * table[input_ids]
        query = attention.q_proj(normed).view(2, LENGTH, 4, 8).transpose(1, 2)
        key = attention.k_proj(normed).view(2, LENGTH, 2, 8).transpose(1, 2)
        query, key = attention.rotate(query, key, rotation)
        attended = nn.functional.scaled_dot_product_attention(
            query, key, value.transpose(1, 2), is_causal=True, enable_gqa=True
        )
        stream = stream + attention.o_proj(attended.transpose(1, 2).flatten(2))
        stream = stream + layer.mlp(layer.post_attention_layernorm(stream))
    torch.testing.assert_close(model(input_ids)[0], model.norm(stream), atol=1e-5, rtol=1e-5)
