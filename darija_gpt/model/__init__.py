"""The model. Importing this registers DarijaGPT with transformers' Auto classes.

All files but this one travel with the weights: `save_pretrained` copies them, and `trust_remote_code=True` loads them
where darija_gpt is not installed. So they are flat, and import torch, transformers and each other only.
"""

from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForSequenceClassification

from darija_gpt.model.configuration_darija_gpt import DarijaGPTConfig
from darija_gpt.model.modeling_darija_gpt import (
    DarijaGPTForCausalLM,
    DarijaGPTForSequenceClassification,
    DarijaGPTModel,
    DarijaGPTPreTrainedModel,
)


AutoConfig.register(DarijaGPTConfig.model_type, DarijaGPTConfig)
DarijaGPTConfig.register_for_auto_class()
for auto_class, model_class in (
    (AutoModel, DarijaGPTModel),
    (AutoModelForCausalLM, DarijaGPTForCausalLM),
    (AutoModelForSequenceClassification, DarijaGPTForSequenceClassification),
):
    auto_class.register(DarijaGPTConfig, model_class)
    model_class.register_for_auto_class(auto_class.__name__)

__all__ = [
    "DarijaGPTConfig",
    "DarijaGPTForCausalLM",
    "DarijaGPTForSequenceClassification",
    "DarijaGPTModel",
    "DarijaGPTPreTrainedModel",
]
