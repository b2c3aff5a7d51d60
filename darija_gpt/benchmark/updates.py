"""Steps as pretraining makes them, on random texts: with its guard, schedules and optimizers."""

from dataclasses import replace
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from accelerate import Accelerator
    from transformers import PreTrainedModel

    from darija_gpt.pretraining import PretrainArguments
    from darija_gpt.training_step import Updater

STEPS_PER_PASS = 16  # through the random texts, which are made anew in another order


def build_updater(
    model: "PreTrainedModel", recipe: "PretrainArguments", accelerator: "Accelerator", document_tokens: int
) -> "Updater":
    """What makes the steps of a recipe, as many as are asked of it.

    Args:
        model (`PreTrainedModel`):
            A model of the recipe.
        recipe (`PretrainArguments`):
            Its blocks, packing and optimizers are followed. A schedule of dropout is not: it would have dropout on, or
            off, throughout these few steps.
        accelerator (`Accelerator`):
            With the precision to train in.
        document_tokens (`int`):
            The length of a document.
    """
    import numpy as np

    from darija_gpt.packing import Documents, PackedDataset
    from darija_gpt.stop_request import StopRequest
    from darija_gpt.training_step import Updater

    recipe = replace(recipe, max_steps=10**6, dropout_schedule="constant")
    block_size = recipe.block_size or model.config.max_position_embeddings
    num_documents = STEPS_PER_PASS * block_size * recipe.per_device_train_batch_size // document_tokens
    documents = np.random.default_rng(0).integers(5, model.config.vocab_size, (num_documents, document_tokens))
    blocks = PackedDataset(Documents.from_lists(documents), block_size, seed=0, packing=recipe.packing)
    return Updater(model, blocks, recipe, accelerator, StopRequest())
