"""The head of the Reverse Attention Network (RAN, Huang et al., BMVC 2017).

Shapes: B batch, C channels, N classes, H x W the feature map.
"""

from collections.abc import Sequence

from mmseg.utils import SampleList
from torch import Tensor

from mmrev.arguments import Count, Counts
from mmrev.registry import MODELS

from ..layers.classifiers import dilated_classifier
from ..layers.reverse_attention import BranchScores, Mode, branch_attention, combine
from .large_fov_head import DirectHead


@MODELS.register_module()
class ReverseAttentionHead(DirectHead):
    """Learns each class and its reverse, and subtracts the reverse where the class score is unsure (figure 3).

    ``original = CONVorg(x)`` and ``reverse = CONVrev(x)`` are one 3x3 convolution each. Then
    ``combined = original - attention(original) * reverse``, with the attention of equation 1 or 2. All three have a
    cross entropy with the same labels, of weight 1. The sign of the reverse response is flipped before (the NEG block).
    The attention is not detached, so all three losses reach CONVorg.

    The losses are ``combined.*``, ``original.*`` and ``reverse.*``, with ``*`` the names of ``loss_decode``. The pixel
    accuracy is that of the combined scores.

    Args:
        in_channels: C.
        channels: Not used. See :class:`DirectHead`.
        num_classes: N.
        mode: ``'simple'`` (RAN-s, equation 1), ``'normalized'`` (RAN-n, equation 2) or ``'dual'`` (the Dual-Branch RAN
            of table 2: no attention, ``combined = original - reverse``).
        dilation: The dilation of both convolutions. 12 is LargeFOV, 1 is the plain 3x3 classifier.
        kwargs: As in mmseg's ``BaseDecodeHead``.

    Shape:
        feature maps [B, C, H, W] -> combined scores [B, N, H, W].

    Raises:
        ConfigError: ``mode`` is none of the three.

    Example:
        >>> import torch
        >>> head = ReverseAttentionHead(in_channels=8, num_classes=5)
        >>> head([torch.zeros(1, 8, 16, 16)]).shape
        torch.Size([1, 5, 16, 16])
    """

    fused_in_training = 'forward_branches'  # by MultiScaleEncoderDecoder

    def __init__(
        self,
        in_channels: Count | Counts,
        channels: int | None = None,
        *,
        mode: Mode = 'simple',
        dilation: Count = 12,
        init_cfg: dict | list[dict] | None = dict(
            type='Normal', std=0.01, override=[dict(name='conv_org'), dict(name='conv_rev')]
        ),
        **kwargs,
    ) -> None:
        super().__init__(in_channels, channels, init_cfg=init_cfg, **kwargs)
        self.mode = mode
        del self.conv_seg
        self.conv_org = dilated_classifier(self.in_channels, self.out_channels, dilation)
        self.conv_rev = dilated_classifier(self.in_channels, self.out_channels, dilation)

    def attention(self, original: Tensor) -> Tensor:
        """Returns the weight of the reverse response, of the shape of ``original``. It is 1 in mode ``'dual'``.

        A subclass can return another one.
        """
        return branch_attention(original, self.mode)

    def forward_branches(self, inputs: Sequence[Tensor]) -> BranchScores:
        """Returns the scores of all three branches, for the losses and for pictures."""
        features = self._transform_inputs(inputs)
        if self.dropout is not None:
            features = self.dropout(features)
        original = self.conv_org(features)
        return combine(original, self.conv_rev(features), self.attention(original))

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Maps feature maps of the backbone, [B, C, H, W] each, to the combined scores [B, N, H, W]."""
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
