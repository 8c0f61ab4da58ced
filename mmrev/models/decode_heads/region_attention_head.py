"""The Region Attention Network's head (RANet, Shen et al., NeurIPS 2020).

Shapes: B batch, C channels of the backbone's map, M hidden channels, N classes, H x W the feature map, P = H * W.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from mmcv.cnn import ConvModule, build_conv_layer
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from mmseg.utils import ConfigType, SampleList
from torch import Tensor

from mmrev.arguments import Count, NotNegative, ObjectConfig, Positive, Share
from mmrev.errors import ConfigError, require_choice
from mmrev.registry import MODELS

from ..layers.region_layers import Layout, RegionLayers, RegionOptions, RegionScores
from ..layers.regions.construction import Regions
from ..layers.regions.interaction import InteractionOptions, Scope
from ..layers.regions.options import ConstructionOptions
from .boundary_maps import boundary_maps

OUTPUTS = ('fine', 'coarse')
IGNORED = 255  # the ignored label in the maps of mmrev.BoundaryLabels


@MODELS.register_module()
class RegionAttentionHead(RegionLayers, BaseDecodeHead):
    """Exchanges context between object regions (figure 1).

    A 3x3 convolution makes the visual feature map A. A 3x3 and a 1x1 convolution make the boundary score map from A.
    Two more make the semantic score maps. Both divide the image into regions (RCB, equations 1 to 5). The
    representatives of the regions collect, exchange and distribute context (RIB, equations 6 to 8). A 3x3 convolution
    follows each of these steps. The context and A are concatenated, convolved and classified.

    The losses are ``fine.*`` and ``semantic.*``, where ``*`` is a name in ``loss_decode``, and ``boundary.loss_ce``.
    With ``test_cfg=dict(output='coarse')`` in the segmentor, the semantic score maps make the prediction (table 4).

    Args:
        in_channels: C.
        channels: M.
        num_representatives: K. A region with fewer than K pixels has all of them as representatives.
        threshold: Two pixels belong together when the mean of F_ij and F_ji is above it.
        temperature: The semantic scores are divided by it before equation 4. 1 is the paper, and the authors' code.
        end_points: Whether the line of equation 1 includes the two pixels. A boundary map alone needs this.
        use_boundary: Whether the boundary score map divides regions (table 1).
        use_semantic: Whether the semantic score maps divide regions (table 1).
        intra: Whether the pixels of a region communicate (section 5.1).
        inter: Whether representatives of different regions communicate (section 5.1).
        similarity: ``'jsd'`` (equation 2) or ``'binary_jsd'`` (the authors' code).
        scope: The pixels in the denominator of a softmax: ``'region'`` (as printed) or ``'image'``.
        layout: ``'paper'`` (equations 6 to 8 as printed) or ``'authors'`` (``authors_context``, the authors' code).
            With the latter, the boundary and semantic score maps share their 3x3 convolution.
        coarse_in_index: The backbone's map under the boundary and semantic score maps. None: A is under them.
        coarse_in_channels: The channels of that map.
        loss_boundary: The loss of the boundary score map. ``mmrev.BoundaryLabels`` makes its labels.
        semantic_weight: A factor on the losses of the semantic score maps.
        kwargs: As in mmseg's ``BaseDecodeHead``, ``num_classes`` (N) among them.

    Shape:
        maps of the backbone, one of them [B, C, H, W] -> scores [B, N, H, W].

    Raises:
        ConfigError: An option is wrong.
        DataError: A training sample has no boundary labels, or labels of another size than its mask.

    Reading: docs/ranet.md says how we read the paper. The convolutions after the three steps are in the authors' code.

    Example:
        >>> import torch
        >>> head = RegionAttentionHead(in_channels=8, channels=4, num_classes=3, in_index=0)
        >>> head([torch.rand(1, 8, 5, 6)]).shape
        torch.Size([1, 3, 5, 6])
    """

    # of BaseDecodeHead, which has no types
    in_channels: int
    out_channels: int
    predict_by_feat: Callable[..., Tensor]
    _transform_inputs: Callable[..., Tensor]

    def __init__(
        self,
        in_channels: Count,
        channels: Count = 512,
        *,
        num_representatives: Count = 8,
        threshold: Share = 0.8,
        temperature: Positive = 1 / 16,
        end_points: bool = False,
        use_boundary: bool = True,
        use_semantic: bool = True,
        intra: bool = True,
        inter: bool = True,
        similarity: str = 'jsd',
        scope: Scope = 'region',
        layout: Layout = 'paper',
        coarse_in_index: int | None = None,
        coarse_in_channels: Count | None = None,
        loss_decode: ObjectConfig | list[ObjectConfig] = dict(type='mmseg.CrossEntropyLoss', use_sigmoid=False),
        loss_boundary: ObjectConfig = dict(type='mmseg.CrossEntropyLoss', use_sigmoid=True),
        semantic_weight: NotNegative = 1.0,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        construction = ConstructionOptions(threshold, num_representatives, similarity, end_points, temperature)
        interaction = InteractionOptions(intra, inter, scope)
        options = RegionOptions(construction, interaction, use_boundary, use_semantic, layout)
        options.check(owner)
        if (coarse_in_index is None) != (coarse_in_channels is None):
            raise ConfigError(f'{owner}: give coarse_in_index and coarse_in_channels both or neither')
        super().__init__(in_channels, channels, loss_decode=loss_decode, **kwargs)
        self.coarse_in_index, self.semantic_weight = coarse_in_index, semantic_weight
        self.loss_boundary = MODELS.build(loss_boundary)
        block = partial(
            ConvModule,
            out_channels=channels,
            kernel_size=3,
            padding=1,
            conv_cfg=self.conv_cfg,
            norm_cfg=self.norm_cfg,
            act_cfg=self.act_cfg,
        )
        conv = partial(build_conv_layer, self.conv_cfg, channels, channels, 3, padding=1, bias=False)
        self.add_layers(options, channels, self.out_channels, self.in_channels, coarse_in_channels, block, conv)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """The fine scores, [B, N, H, W]."""
        # by the name of the class: a mixin may have a forward_branches of its own
        return RegionAttentionHead.forward_branches(self, inputs).fine

    def forward_branches(self, inputs: Sequence[Tensor]) -> RegionScores:
        """The scores of all three maps."""
        return self.fine_scores(*self._maps(inputs))

    def regions(self, inputs: Sequence[Tensor]) -> Regions:
        """The object regions and their representatives, for figures."""
        _, boundary, semantic = self._maps(inputs)
        return self._regions(boundary, semantic)

    def predict(self, inputs: Sequence[Tensor], batch_img_metas: list[dict], test_cfg: ConfigType) -> Tensor:
        output = (test_cfg or {}).get('output', 'fine')
        require_choice('test_cfg.output', output, OUTPUTS)
        scores = self(inputs) if output == 'fine' else self._maps(inputs)[2]
        return self.predict_by_feat(scores, batch_img_metas)

    def loss(
        self, inputs: Sequence[Tensor], batch_data_samples: SampleList, train_cfg: ConfigType
    ) -> dict[str, Tensor]:
        return self.loss_by_feat(self.forward_branches(inputs), batch_data_samples)

    def loss_by_feat(self, seg_logits: RegionScores, batch_data_samples: SampleList) -> dict[str, Tensor]:
        losses = {}
        for name, scores in (('fine', seg_logits.fine), ('semantic', seg_logits.semantic)):
            for key, value in super().loss_by_feat(scores, batch_data_samples).items():
                weight = self.semantic_weight if name == 'semantic' and 'loss' in key else 1
                losses[f'{name}.{key}'] = value * weight
        labels = boundary_maps(batch_data_samples)
        scores = resize(seg_logits.boundary, size=labels.shape[1:], mode='bilinear', align_corners=self.align_corners)
        if (labels != IGNORED).any():
            losses['boundary.loss_ce'] = self.loss_boundary(scores, labels, ignore_index=IGNORED)
        else:  # mmseg's binary cross entropy fails where every label is ignored
            losses['boundary.loss_ce'] = scores.sum() * 0
        return losses

    def finish(self, fused: Tensor) -> Tensor:
        block = self.bottleneck
        fused = block.norm(fused) if block.with_norm else fused
        return block.activate(fused) if block.with_activation else fused

    def _maps(self, inputs: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """The visual feature map A, the boundary scores and the semantic scores."""
        visual, coarse = self.visual(self._transform_inputs(inputs)), None
        if self.coarse_in_index is not None:
            size = visual.shape[2:]
            coarse = resize(inputs[self.coarse_in_index], size, mode='bilinear', align_corners=self.align_corners)
        return visual, *self.score_maps(visual, coarse)
