"""The order of examples in a fine-tuning, which a run that was cut off within an epoch finds again."""

import torch
from transformers import TrainerCallback
from transformers.trainer_pt_utils import LengthGroupedSampler


class OrderBySeedAndEpoch:
    """For a Trainer: the order in which it groups examples by length is decided by its seed and the epoch alone.

    transformers' own draws it from the global generator as an epoch begins. Whoever goes on within an epoch gets
    another order then: some examples twice, and some never.
    """

    def _get_train_sampler(self, *args, **kwargs):
        sampler = super()._get_train_sampler(*args, **kwargs)
        if isinstance(sampler, LengthGroupedSampler):
            self.add_callback(_SeedSampler(sampler))
        return sampler


class _SeedSampler(TrainerCallback):
    def __init__(self, sampler: LengthGroupedSampler):
        self.sampler = sampler

    def on_epoch_begin(self, args, state, control, **kwargs):
        epoch = int(state.epoch or 0)  # with a fraction where a run goes on
        self.sampler.generator = torch.Generator().manual_seed(args.seed + epoch)
