"""The Reverse Attention Network's head (Huang et al., BMVC 2017).

Shapes: B batch, C channels, N classes, H x W the feature map.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from mmseg.utils import SampleList
from torch import Tensor

from mmrev.errors import ConfigError
from mmrev.registry import MODELS

from ..layers.reverse_attention import ATTENTION_MODES, reverse_attention
from .large_fov_head import DirectHead, dilated_classifier

MODES = (*ATTENTION_MODES, 'dual')


class BranchScores(NamedTuple):
    """What enters the softmax of each of the three branches, [B, N, H, W] each."""

    combined: Tensor
    original: Tensor
    negated_reverse: Tensor

    @property
    def reverse(self) -> Tensor:
        """The response of CONVrev itself, before the NEG block: high where a class is *not*."""
        return -self.negated_reverse


@MODELS.register_module()
class ReverseAttentionHead(DirectHead):
    """Learns what a class is, what it is not, and subtracts the second where the first is unsure (figure 3).

    ``original = CONVorg(x)``, ``reverse = CONVrev(x)``, one 3x3 convolution each, and
    ``combined = original - attention(original) * reverse``, with the attention of equation 1 or 2. All three are
    supervised by the cross entropy of the same labels, weight 1 each; the reverse branch through its sign flipped
    (the NEG block). The attention is not detached, so all three losses reach CONVorg.

    Losses: ``combined.*``, ``original.*`` and ``reverse.*``, with ``*`` the names of ``loss_decode``; the pixel
    accuracy is that of the combined scores.

    Args:
        in_channels: C.
        num_classes: N.
        mode: ``'simple'`` (RAN-s, equation 1), ``'normalized'`` (RAN-n, equation 2) or ``'dual'`` (table 2's
            Dual-Branch RAN: no attention, ``combined = original - reverse``).
        dilation: Of both convolutions: 12 is LargeFOV, 1 the plain 3x3 classifier.
        kwargs: As in mmseg's ``BaseDecodeHead``.

    Raises:
        ConfigError: ``mode`` is none of the three.
    """

    def __init__(
        self,
        in_channels: int | Sequence[int],
        channels: int | None = None,
        *,
        mode: Literal['simple', 'normalized', 'dual'] = 'simple',
        dilation: int = 12,
        init_cfg: dict | list[dict] | None = dict(
            type='Normal', std=0.01, override=[dict(name='conv_org'), dict(name='conv_rev')]
        ),
        **kwargs,
    ) -> None:
        if mode not in MODES:
            known = ', '.join(map(repr, MODES))
            raise ConfigError(f'unknown mode {mode!r} of ReverseAttentionHead: use one of {known}')
        super().__init__(in_channels, channels, init_cfg=init_cfg, **kwargs)
        self.mode = mode
        del self.conv_seg
        self.conv_org = dilated_classifier(self.in_channels, self.out_channels, dilation)
        self.conv_rev = dilated_classifier(self.in_channels, self.out_channels, dilation)

    def attention(self, original: Tensor) -> Tensor:
        """The weight of the reverse response, of the shape of ``original``; 1 everywhere in mode ``'dual'``."""
        return torch.ones_like(original) if self.mode == 'dual' else reverse_attention(original, self.mode)

    def forward_branches(self, inputs: Sequence[Tensor]) -> BranchScores:
        """The scores of all three branches, for the losses and for pictures."""
        features = self._transform_inputs(inputs)
        if self.dropout is not None:
            features = self.dropout(features)
        original, reverse = self.conv_org(features), self.conv_rev(features)
        return BranchScores(original - self.attention(original) * reverse, original, -reverse)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """From the backbone's feature maps, [B, C, H, W] each, to the combined scores [B, N, H, W]."""
        return self.forward_branches(inputs).combined

    def loss(self, inputs: Sequence[Tensor], batch_data_samples: SampleList, train_cfg: dict) -> dict[str, Tensor]:
        return self.loss_by_feat(self.forward_branches(inputs), batch_data_samples)

    def loss_by_feat(self, seg_logits: BranchScores, batch_data_samples: SampleList) -> dict[str, Tensor]:
        losses = {}
        for branch, scores in zip(('combined', 'original', 'reverse'), seg_logits, strict=True):
            for name, value in super().loss_by_feat(scores, batch_data_samples).items():
                if branch == 'combined' or 'loss' in name:
                    losses[f'{branch}.{name}'] = value
        return losses
