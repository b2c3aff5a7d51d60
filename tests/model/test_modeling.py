"""The model against transformers' Llama and Qwen3, and against what every decoder must hold to."""

import math

import pytest
import torch
from accelerate import cpu_offload
from huggingface_hub.errors import StrictDataclassError
from torch import nn
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from variants import BIGBIRD, LATENT, SIZES, VARIANTS, build, draw, start

from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM, DarijaGPTForSequenceClassification, DarijaGPTModel


@pytest.fixture(params=VARIANTS.values(), ids=VARIANTS.keys())
def fields(request):
    return request.param


@pytest.fixture
def input_ids():
    return torch.randint(4, 97, (2, 40), generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_the_default_is_llama(input_ids):
    ours = build()
    llama = LlamaForCausalLM(LlamaConfig(**SIZES, rms_norm_eps=1e-6, pad_token_id=3)).eval()
    llama.load_state_dict(ours.state_dict(), strict=True)
    assert torch.equal(ours(input_ids).logits, llama(input_ids).logits)


@torch.no_grad()
def test_with_qk_norm_it_is_qwen3(input_ids):
    ours = build(qk_norm=True, head_dim=8)
    qwen3 = Qwen3ForCausalLM(Qwen3Config(**SIZES, head_dim=8, rms_norm_eps=1e-6, pad_token_id=3)).eval()
    qwen3.load_state_dict(ours.state_dict(), strict=True)
    assert torch.equal(ours(input_ids).logits, qwen3(input_ids).logits)


@pytest.mark.parametrize("training", [False, True])
def test_changing_a_token_never_changes_earlier_logits(fields, input_ids, training):
    if training and fields.get("norm") == "batchnorm":
        pytest.skip("its statistics contain later tokens in training, which is why it must be asked for by two fields")
    model = build(**fields).train(training)
    changed = input_ids.clone()
    changed[:, 25] = (changed[:, 25] + 1) % 90 + 4

    def run(ids):
        torch.manual_seed(0)
        return model(ids, use_cache=False).logits

    before, after = run(input_ids), run(changed)
    torch.testing.assert_close(before[:, :25], after[:, :25], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(before[:, 25:], after[:, 25:], atol=1e-3)


@torch.no_grad()
def test_a_cache_changes_nothing(fields, input_ids):
    model = build(**fields)
    whole = model(input_ids).logits
    first = model(input_ids[:, :17], use_cache=True)
    rest = [first.logits]
    for position in range(17, 40):
        step = model(input_ids[:, position : position + 1], past_key_values=first.past_key_values)
        rest.append(step.logits)
    torch.testing.assert_close(torch.cat(rest, dim=1), whole, atol=1e-4, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("num_beams", [1, 3])
def test_left_padding_and_the_cache_do_not_change_what_is_generated(fields, input_ids, num_beams):
    model = build(**fields)
    prompt = input_ids[:1, :9]
    settings = {"max_new_tokens": 12, "do_sample": False, "num_beams": num_beams, "eos_token_id": None}
    alone = model.generate(prompt, **settings)[0, 9:]
    padded = torch.cat([torch.full((1, 5), 3), prompt], dim=1)
    batch = torch.cat([padded, input_ids[1:, :14]])
    mask = torch.ones_like(batch)
    mask[0, :5] = 0
    for use_cache in (True, False):
        together = model.generate(batch, attention_mask=mask, use_cache=use_cache, **settings)[0, 14:]
        assert alone.tolist() == together.tolist()


@torch.no_grad()
def test_packed_documents_do_not_see_each_other(fields, input_ids):
    model = build(**fields)
    lengths = (11, 1, 20, 8)
    positions = torch.cat([torch.arange(length) for length in lengths])[None]
    packed = model(input_ids[:1], position_ids=positions, use_cache=False).logits
    alone = [model(document).logits for document in input_ids[:1].split(lengths, dim=1)]
    torch.testing.assert_close(packed, torch.cat(alone, dim=1), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_only_distances_count_where_positions_are_not_added(fields, input_ids):
    if fields.get("position_embedding") in ("learned", "sinusoidal"):
        pytest.skip("a vector for each position says which it is")
    if "linear" in DarijaGPTConfig(**SIZES | fields).layer_attentions:
        pytest.skip("elu + 1 behind the rotation says which position it is")
    model = build(**fields)
    positions = torch.arange(40)[None]
    logits = model(input_ids, position_ids=positions).logits
    torch.testing.assert_close(model(input_ids, position_ids=positions + 100).logits, logits, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_eager_attention_equals_sdpa(fields, input_ids):
    model = build(**fields)
    sdpa = model(input_ids).logits
    model.set_attn_implementation("eager")
    outputs = model(input_ids, output_attentions=True)
    torch.testing.assert_close(outputs.logits, sdpa, atol=1e-4, rtol=1e-4)
    # Linear layers have no weights to return.
    assert len(outputs.attentions) == sum(attention != "linear" for attention in model.config.layer_attentions)
    for weights in outputs.attentions:
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 40))


@pytest.mark.slow
@torch.no_grad()
@pytest.mark.parametrize("variant", ["default", "relative", "alibi", "sliding", "latent", "bigbird", "mixed"])
def test_flex_attention_equals_sdpa(variant, input_ids):
    torch.compiler.reset()
    model = build(**{"hidden_size": 64, **VARIANTS[variant]})
    sdpa = model(input_ids).logits
    model.set_attn_implementation("flex_attention")
    torch.testing.assert_close(model(input_ids).logits, sdpa, atol=1e-4, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("variant", ["default", "learned", "alibi", "sliding", "latent", "bigbird"])
def test_an_exported_program_takes_texts_of_other_lengths(variant, input_ids):
    model = build(**VARIANTS[variant])
    length = torch.export.Dim("length", min=4, max=64)
    program = torch.export.export(
        model,
        (),
        {"input_ids": input_ids, "use_cache": False},
        dynamic_shapes={"input_ids": {1: length}, "use_cache": None},
        strict=False,
    ).module()
    for ids in (input_ids[:, :30], input_ids[:, :5], input_ids.repeat(1, 2)[:, :64]):
        torch.testing.assert_close(program(input_ids=ids, use_cache=False).logits, model(ids).logits)


@torch.no_grad()
def test_an_attention_that_was_registered_without_a_mask_is_refused_in_words_where_one_is_needed(
    input_ids, monkeypatch
):
    model = build(**BIGBIRD)
    expected = model(input_ids).logits
    monkeypatch.setitem(ALL_ATTENTION_FUNCTIONS, "mine", sdpa_attention_forward)
    model.set_attn_implementation("mine")
    with pytest.raises(ValueError, match=r'attention=bigbird .* AttentionMaskInterface\.register\("mine", sdpa_mask'):
        model(input_ids)
    monkeypatch.setitem(ALL_MASK_ATTENTION_FUNCTIONS, "mine", sdpa_mask)
    assert torch.equal(model(input_ids).logits, expected)


@pytest.mark.parametrize("variant", ["relative", "alibi", "bigbird", "mixed_alibi"])
def test_flash_attention_is_refused_where_it_would_leave_something_out(variant):
    with pytest.raises(ValueError, match="does not support Flash Attention"):
        build(**VARIANTS[variant]).set_attn_implementation("flash_attention_2")


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_near_float32(fields, input_ids, dtype):
    model = build(**fields)
    logits = model(input_ids).logits
    with torch.autocast("cpu", dtype=dtype):
        mixed = model(input_ids).logits.float()
    half = model.to(dtype)(input_ids).logits.float()
    for rounded in (mixed, half):
        assert (rounded - logits).norm() < 0.1 * logits.norm()


@torch.no_grad()
def test_a_model_is_the_same_whether_it_is_loaded_in_bf16_or_brought_there(input_ids, tmp_path):
    model = build(max_position_embeddings=64)
    model.save_pretrained(tmp_path)
    loaded = DarijaGPTForCausalLM.from_pretrained(tmp_path, dtype=torch.bfloat16)
    assert torch.equal(model.to(torch.bfloat16)(input_ids).logits, loaded(input_ids).logits)
    assert model.float().model.position_embedding.inv_freq.dtype == torch.float32


ILLEGAL = {(position, attention) for position in ("relative", "alibi") for attention in ("linear", "latent")}


@torch.no_grad()
@pytest.mark.parametrize("attention", ["full", "sliding", "linear", "latent", "bigbird"])
@pytest.mark.parametrize("position", ["none", "learned", "sinusoidal", "relative", "alibi", "rope"])
def test_every_pair_of_position_and_attention_generates_or_is_refused(position, attention, input_ids):
    fields = {"position_embedding": position, "attention": attention, "num_key_value_heads": 4}
    fields |= {"sliding_window": 8, "block_size": 4, "relative_attention_num_buckets": 8}
    if (position, attention) in ILLEGAL:
        with pytest.raises(Exception, match=f"position_embedding={position}.*attention={attention}"):
            DarijaGPTConfig(**{**SIZES, **fields})
        return
    model = build(**fields)
    settings = {"max_new_tokens": 20, "do_sample": False, "eos_token_id": None}
    cached = model.generate(input_ids[:, :20], use_cache=True, **settings)
    assert torch.equal(cached, model.generate(input_ids[:, :20], use_cache=False, **settings))


@pytest.mark.parametrize(
    "fields",
    [
        {"attention": attention, "position_embedding": position}
        for attention in ("full", "sliding", "linear", "latent", "bigbird")
        for position in ("rope", "none", "learned", "sinusoidal")
    ]
    + [{name: value} for name, value in {"norm": "layernorm", "norm_position": "post", "gated_mlp": False}.items()],
)
def test_one_changed_field_is_enough(fields):
    """An ablation changes one key of a recipe, so what a mechanism needs besides has a default."""
    config = DarijaGPTConfig(**fields)
    assert DarijaGPTConfig.from_dict(config.to_dict()).to_dict() == config.to_dict()
    with torch.device("meta"):
        DarijaGPTForCausalLM(config)


@pytest.mark.parametrize(
    "fields",
    [
        {"attention": "sliding"},
        {"attention": "latent", "num_key_value_heads": 4},
        {"attention": ["sliding", "full", "linear"]},
        {"residual_dropout": 0.1, "rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}},
        {"num_labels": 3, "attn_implementation": "eager", "dtype": torch.bfloat16},
        {"id2label": {0: "zwin", 1: "khayb"}, "label2id": {"zwin": 0, "khayb": 1}},
        {"dtype": "auto", "use_cache": False},
    ],
)
def test_a_field_that_is_changed_in_loading_is_as_one_that_was_saved(fields, input_ids, tmp_path):
    DarijaGPTForSequenceClassification(DarijaGPTConfig(**SIZES)).save_pretrained(tmp_path / "saved")
    model = DarijaGPTForSequenceClassification.from_pretrained(
        tmp_path / "saved", ignore_mismatched_sizes=True, **fields
    )
    assert model(input_ids).logits.shape == (2, model.num_labels)
    model.save_pretrained(tmp_path / "changed")
    loaded = DarijaGPTConfig.from_pretrained(tmp_path / "changed", name_or_path=model.name_or_path)
    assert loaded.to_dict() == model.config.to_dict()
    config, unused = DarijaGPTConfig.from_pretrained(
        tmp_path / "saved", **fields, another=1, return_unused_kwargs=True
    )
    assert config.layer_types == model.config.layer_types
    assert unused == {"another": 1}


@torch.no_grad()
@pytest.mark.parametrize("attention", ["full", "sliding", "linear", "latent", "bigbird"])
@pytest.mark.parametrize("position", ["none", "learned", "sinusoidal", "relative", "alibi"])
def test_heads_of_odd_width_are_refused_with_rope_alone(position, attention, input_ids):
    if (position, attention) in ILLEGAL:
        return
    fields = {"position_embedding": position, "attention": attention, "hidden_size": 28, "num_key_value_heads": 4}
    model = build(**fields, qk_rope_head_dim=7 if attention == "latent" else None)
    assert model.config.head_dim == 7 and model(input_ids).logits.isfinite().all()


def test_a_head_dim_that_is_given_need_not_divide_the_width(input_ids):
    assert build(hidden_size=34, head_dim=8)(input_ids).logits.isfinite().all()
    with pytest.raises((ValueError, StrictDataclassError), match="hidden_size=34 is not a multiple of num_attention_"):
        build(hidden_size=34)


def test_the_loss_falls(fields, input_ids):
    model = build(**fields).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(20):
        loss = model(input_ids, labels=input_ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_activation_checkpointing_changes_no_gradient(fields, input_ids):
    gradients = []
    for is_checkpointed in (False, True):
        model = build(**fields).train()
        if is_checkpointed:
            model.activation_checkpointing_enable()
        torch.manual_seed(0)
        model(input_ids, labels=input_ids).loss.backward()
        gradients.append([parameter.grad for parameter in model.parameters()])
    for plain, checkpointed in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, checkpointed)


@torch.no_grad()
@pytest.mark.parametrize("model_class", [DarijaGPTModel, DarijaGPTForCausalLM, DarijaGPTForSequenceClassification])
def test_a_saved_model_is_the_same_again(fields, input_ids, model_class, tmp_path):
    model = draw(model_class(DarijaGPTConfig(**{**SIZES, **fields}))).eval()
    model.save_pretrained(tmp_path)
    loaded = model_class.from_pretrained(tmp_path).eval()
    assert torch.equal(model(input_ids)[0], loaded(input_ids)[0])
    assert not list(tmp_path.glob("*.bin"))


@torch.no_grad()
def test_weights_that_lie_elsewhere_while_they_do_not_compute_change_nothing(fields, input_ids):
    model = build(**fields)
    generated = model.generate(input_ids, max_new_tokens=4, do_sample=False)
    offloaded = cpu_offload(model, execution_device=torch.device("cpu"))
    assert offloaded.model.layers[0].mlp.down_proj.weight.is_meta
    assert torch.equal(offloaded.generate(input_ids, max_new_tokens=4, do_sample=False), generated)


@pytest.mark.parametrize(("residual_init", "scale"), [("plain", 1.0), ("scaled", 6**-0.5), ("zero", 0.0)])
def test_projections_to_the_residual_stream_start_as_configured(residual_init, scale):
    model = start(residual_init=residual_init, hidden_size=128, intermediate_size=256)
    for name, module in model.named_modules():
        if not isinstance(module, nn.Linear) or name == "lm_head":
            continue
        expected = 0.2 * (scale if name.endswith(("o_proj", "down_proj")) else 1.0)
        assert module.weight.std().item() == pytest.approx(expected, rel=0.05), name


def test_every_linear_layer_is_of_the_class_that_quantizers_replace(fields):
    """transformers asks `type(module) is nn.Linear` for bitsandbytes, and torch.ao looks the type up."""
    model = start(**fields)
    assert {type(module) for module in model.modules() if isinstance(module, nn.Linear)} == {nn.Linear}


@torch.no_grad()
@pytest.mark.parametrize("fields", [{}, {"value_embeddings": True}, {"tie_word_embeddings": False}])
def test_a_larger_vocabulary_keeps_the_old_logits(fields, input_ids):
    model = build(**fields)
    before = model(input_ids).logits
    model.resize_token_embeddings(103)
    assert torch.equal(model(input_ids).logits[..., :97], before)
    assert model(torch.full((1, 3), 102)).logits.shape == (1, 3, 103)


@torch.no_grad()
def test_positions_that_were_not_learnt_are_refused_and_no_others(input_ids):
    model = build(position_embedding="learned", max_position_embeddings=20)
    positions = torch.arange(20).repeat(2)[None]
    packed = model(input_ids, position_ids=positions, use_cache=False).logits  # a row of 40, no text longer than 20
    alone = [model(document).logits for document in input_ids.split(20, dim=1)]
    torch.testing.assert_close(packed, torch.cat(alone, dim=1), atol=1e-5, rtol=1e-5)
    words = r"a text of 21 tokens exceeds max_position_embeddings=20"
    with pytest.raises(ValueError, match=words):
        model(input_ids[:, :21])
    with pytest.raises(ValueError, match=words):
        model.generate(input_ids[:, :15], max_new_tokens=10, do_sample=False, eos_token_id=None)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    assert torch.equal(compiled(input_ids[:, :20]).logits, model(input_ids[:, :20]).logits)


def test_a_position_before_the_first_is_named(input_ids):
    model = build(position_embedding="learned")
    with pytest.raises(ValueError, match="position_ids holds -1, and positions begin with 0"):
        model(input_ids[:, :3], position_ids=torch.tensor([[-1, 0, 1]]))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"attention": "linear", "position_embedding": "alibi"}, "position_embedding=alibi is a bias"),
        ({"norm": "batchnorm"}, "norm=batchnorm shows"),
        ({"attention": ["full"]}, "attention lists 1 mechanisms"),
    ],
)
def test_a_configuration_that_was_changed_is_checked_before_a_model_is_built_of_it(fields, words):
    config = DarijaGPTConfig(**SIZES)
    for name, value in fields.items():
        setattr(config, name, value)
    with pytest.raises((ValueError, StrictDataclassError), match=words):
        AutoModelForCausalLM.from_config(config)


@pytest.mark.parametrize("attention", ["sliding", "latent"])
def test_sizes_of_an_attention_that_was_set_later_are_derived(attention, input_ids):
    config = DarijaGPTConfig(**{**SIZES, "num_key_value_heads": 4})
    config.attention = attention
    model = AutoModelForCausalLM.from_config(config).eval()
    assert model.generate(input_ids[:, :5], max_new_tokens=2, do_sample=False).shape == (2, 7)


def test_dropouts_act_in_training_only(input_ids):
    for name in ("embedding_dropout", "attention_dropout", "residual_dropout"):
        model = build(**{name: 0.5})
        with torch.no_grad():
            assert torch.equal(model(input_ids).logits, build()(input_ids).logits)
            model.train()
            assert not torch.equal(model(input_ids).logits, model(input_ids).logits)


def test_the_default_compiles_into_one_graph(input_ids):
    graph = torch.compile(build(), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(graph(input_ids, use_cache=False).logits, build()(input_ids).logits)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"norm": "groupnorm"}, ["norm", "layernorm", "groupnorm"]),
        ({"norm": "batchnorm"}, ["norm=batchnorm", "set allow_future_statistics to true"]),
        ({"attention": ["full", "wide"]}, ["attention", "wide"]),
        ({"attention": ["full", "full"]}, ["attention lists 2", "num_hidden_layers=3"]),
        ({"attention": "linear", "position_embedding": "alibi"}, ["attention=linear", "position_embedding=alibi"]),
        (
            {"attention": "linear", "position_embedding": "relative"},
            ["attention=linear", "position_embedding=relative"],
        ),
        ({**LATENT, "position_embedding": "alibi"}, ["attention=latent", "position_embedding=alibi"]),
        ({**LATENT, "position_embedding": "relative"}, ["attention=latent", "position_embedding=relative"]),
        ({**LATENT, "num_key_value_heads": 2}, ["attention=latent", "num_key_value_heads=2", "num_attention_heads=4"]),
        ({**LATENT, "qk_rope_head_dim": 5}, ["position_embedding=rope", "head_dim=5"]),
        (
            {**LATENT, "attention": ["latent", "full", "full"], "qk_rope_head_dim": 4},
            ["attention", "latent", "qk_rope_head_dim=4", "head_dim=8"],
        ),
        ({"attention": "linear", "attention_dropout": 0.1}, ["attention=linear", "attention_dropout=0.1"]),
        *(
            ({"attention": attention, "num_key_value_heads": 4, "value_embeddings": True}, [attention, "value_embed"])
            for attention in ("linear", "latent", "bigbird")
        ),
        ({"attention": "sliding", "sliding_window": 1}, ["sliding_window=1"]),
        ({**BIGBIRD, "block_size": 0}, ["block_size=0"]),
        ({"position_embedding": "sinusoidal", "hidden_size": 33, "head_dim": 16}, ["sinusoidal", "hidden_size=33"]),
        ({"final_logit_softcapping": -1.0}, ["final_logit_softcapping=-1.0"]),
        ({"layer_types": ["sliding_attention"] * 3}, ["layer_types", "attention"]),
        (
            {"relative_attention_num_buckets": 32, "relative_attention_max_distance": 16},
            ["relative_attention_num_buckets=32", "relative_attention_max_distance=16"],
        ),
        ({"num_key_value_heads": 3}, ["num_attention_heads=4", "num_key_value_heads=3"]),
        ({"hidden_size": 30}, ["hidden_size=30", "num_attention_heads=4"]),
        ({"head_dim": 7}, ["position_embedding", "head_dim=7"]),
        ({"num_attention_heads": 0}, ["num_attention_heads=0"]),
        ({"hidden_size": "wide"}, ["hidden_size", "wide"]),
        ({"residual_dropout": 1.0}, ["residual_dropout=1.0"]),
        *(
            ({name: value}, [f"{name}={value}"])
            for name in ("initializer_range", "norm_eps", "final_logit_softcapping")
            for value in (-1.0, 0, math.inf, math.nan)
        ),
        ({"pad_token_id": 97}, ["pad_token_id=97", "vocab_size=97"]),
        ({"pad_token_id": -98}, ["pad_token_id=-98", "vocab_size=97"]),
        ({"vocab_size": 3}, ["pad_token_id=3", "vocab_size=3"]),
        *(
            (
                {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4} | parameters},
                ["rope_parameters", *words],
            )
            for parameters, words in [
                ({"rope_type": "yran", "factor": 2.0}, ["rope_type=yran", "default, linear, dynamic, yarn"]),
                ({"rope_type": "yarn"}, ["yarn", "factor"]),
                ({"rope_type": "linear", "factor": 0}, ["factor=0"]),
                ({"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": "long"}, ["'long'"]),
                ({"rope_theta": 0}, ["rope_theta=0"]),
                ({"rope_theta": math.inf}, ["rope_theta=inf"]),
                ({"rope_theta": "1e4"}, ["rope_theta='1e4'"]),  # what YAML makes of 1e4
                ({"partial_rotary_factor": 1.5}, ["partial_rotary_factor=1.5", "head_dim=8"]),
                ({"partial_rotary_factor": 0.1}, ["partial_rotary_factor=0.1", "head_dim=8"]),
                ({"partial_rotary_factor": 0}, ["partial_rotary_factor=0"]),
            ]
        ),
    ],
)
def test_what_cannot_be_built_is_refused_in_the_users_words(fields, words):
    with pytest.raises((ValueError, StrictDataclassError)) as error:
        DarijaGPTConfig(**{**SIZES, **fields})
    assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"attention": "linear", "position_embedding": "alibi"}, "position_embedding=alibi is a bias on scores"),
        ({"attention_dropout": 2}, "attention_dropout=2 must be at least 0 and below 1"),
        ({"num_attention_heads": 3}, "num_attention_heads=3 is not a multiple of num_key_value_heads=2"),
        ({"norm": "groupnorm"}, "groupnorm"),
        ({"rope_parameters": {"rope_type": "yran"}}, "rope_type=yran is none of"),
    ],
)
def test_what_cannot_be_built_is_not_built_of_a_saved_model_either(fields, words, tmp_path):
    DarijaGPTConfig(**SIZES).save_pretrained(tmp_path)
    with pytest.raises((ValueError, StrictDataclassError), match=words):
        AutoModelForCausalLM.from_pretrained(tmp_path, **fields)
