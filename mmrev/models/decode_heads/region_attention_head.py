"""The Region Attention Network's head (RANet, Shen et al., NeurIPS 2020).

Shapes: B batch, C channels of the backbone's map, M hidden channels, N classes, H x W the feature map, P = H * W.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from mmcv.cnn import ConvModule, build_conv_layer
from mmengine.model import kaiming_init
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from mmseg.structures import SegDataSample
from mmseg.utils import ConfigType, SampleList
from torch import Tensor, nn

from mmrev.errors import ConfigError, DataError
from mmrev.registry import MODELS

from ..layers.regions.construction import Regions, region_construction
from ..layers.regions.equations import SIMILARITIES, Similarity
from ..layers.regions.interaction import SCOPES, Scope, region_interaction

OUTPUTS = ('fine', 'coarse')
IGNORED = 255  # in the labels of mmrev.BoundaryLabels


class RegionScores(NamedTuple):
    """Scores before softmax and sigmoid; [B, N, H, W] and, the boundary's, [B, 1, H, W]."""

    fine: Tensor
    semantic: Tensor
    boundary: Tensor


@MODELS.register_module()
class RegionAttentionHead(BaseDecodeHead):
    """Lets object regions exchange context (figure 1): region construction (RCB), then region interaction (RIB).

    A 3x3 convolution makes the visual feature map A. From it come the boundary score map and the semantic score maps,
    a 3x3 and a 1x1 convolution each; they divide the image into regions (equations 1 to 5). Their representatives
    collect, exchange and distribute context (equations 6 to 8), with a 3x3 convolution after each step. Its result and
    A are concatenated, convolved and classified.

    Losses: ``fine.*`` and ``semantic.*``, with ``*`` the names of ``loss_decode``, and ``boundary.loss_ce``.
    ``test_cfg=dict(output='coarse')`` of the segmentor predicts by the semantic score maps (table 4).

    Args:
        in_channels: C.
        channels: M.
        num_classes: N.
        num_representatives: K.
        threshold: Above which mean of F_ij and F_ji two pixels belong together.
        use_boundary: Whether the boundary score map divides regions (table 1).
        use_semantic: Whether the semantic score maps do (table 1).
        intra: Whether pixels and representatives of a region communicate (section 5.1).
        inter: Whether representatives of different regions do (section 5.1).
        similarity: ``'jsd'`` (equation 2) or ``'binary_jsd'`` (the authors' code).
        scope: Over what softmaxes run: ``'region'`` (as printed) or ``'image'``.
        coarse_in_index: The backbone's map that both score maps are read off, instead of A.
        coarse_in_channels: Its channels.
        loss_boundary: The loss of the boundary score map; its labels are those of ``mmrev.BoundaryLabels``.
        kwargs: As in mmseg's ``BaseDecodeHead``.

    Raises:
        ConfigError: ``similarity`` or ``scope`` is unknown, neither map is used, ``coarse_in_channels`` is missing, K
            is below 1, or the threshold not in [0, 1].
        DataError: A training sample has no boundary labels, or none of its mask's size.

    Reading: see docs/ranet.md; the convolutions after the steps are the authors' code's.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int = 512,
        *,
        num_representatives: int = 8,
        threshold: float = 0.8,
        use_boundary: bool = True,
        use_semantic: bool = True,
        intra: bool = True,
        inter: bool = True,
        similarity: Similarity = 'jsd',
        scope: Scope = 'region',
        coarse_in_index: int | None = None,
        coarse_in_channels: int | None = None,
        loss_decode: dict | list[dict] = dict(type='mmseg.CrossEntropyLoss', use_sigmoid=False),
        loss_boundary: dict = dict(type='mmseg.CrossEntropyLoss', use_sigmoid=True),
        **kwargs,
    ) -> None:
        _check(similarity, scope, use_boundary or use_semantic, coarse_in_index, coarse_in_channels)
        _check_numbers(num_representatives, threshold)
        super().__init__(in_channels, channels, loss_decode=loss_decode, **kwargs)
        self.construct = partial(
            region_construction, threshold=threshold, num_representatives=num_representatives, similarity=similarity
        )
        self.use_boundary, self.use_semantic = use_boundary, use_semantic
        self.interaction = dict(intra=intra, inter=inter, scope=scope)
        self.coarse_in_index = coarse_in_index
        self.loss_boundary = MODELS.build(loss_boundary)

        def block(width: int = channels) -> ConvModule:
            return ConvModule(
                width, channels, 3, padding=1, conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg
            )

        coarse_width = channels if coarse_in_index is None else coarse_in_channels
        self.visual = block(self.in_channels)
        self.boundary = nn.Sequential(block(coarse_width), nn.Conv2d(channels, 1, 1))
        self.semantic = nn.Sequential(block(coarse_width), nn.Conv2d(channels, self.out_channels, 1))
        self.after_collection, self.after_interaction, self.after_distribution = block(), block(), block()
        # a convolution over both maps as a sum of two: autograd then keeps no concatenated map
        self.bottleneck = block()
        self.bottleneck_visual = build_conv_layer(self.conv_cfg, channels, channels, 3, padding=1, bias=False)
        kaiming_init(self.bottleneck_visual, nonlinearity='relu')  # as ConvModule does

    def forward_branches(self, inputs: Sequence[Tensor]) -> RegionScores:
        """The scores of all three maps."""
        visual, boundary, semantic = self._maps(inputs)
        context = self._context(visual, self._regions(boundary, semantic))
        return RegionScores(self.cls_seg(self._fuse(visual, context)), semantic, boundary)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """From the backbone's feature maps to the fine scores [B, N, H, W]."""
        return self.forward_branches(inputs).fine

    def regions(self, inputs: Sequence[Tensor]) -> Regions:
        """The object regions and their representatives, for pictures."""
        return self._regions(*self._maps(inputs)[1:])

    def _maps(self, inputs: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        visual = self.visual(self._transform_inputs(inputs))
        source = (
            visual
            if self.coarse_in_index is None
            else resize(
                inputs[self.coarse_in_index], size=visual.shape[2:], mode='bilinear', align_corners=self.align_corners
            )
        )
        return visual, self.boundary(source), self.semantic(source)

    def _regions(self, boundary: Tensor, semantic: Tensor) -> Regions:
        # a table of pairs compares differences that half precision does not have
        kind = torch.promote_types(semantic.dtype, torch.float32)
        scores, classes = boundary[:, 0].to(kind).sigmoid(), probabilities(semantic.to(kind))
        return self.construct(
            scores if self.use_boundary else torch.zeros_like(scores),
            classes if self.use_semantic else torch.ones_like(classes[:, :1]),
        )

    def _context(self, visual: Tensor, regions: Regions) -> Tensor:
        def refine(block: ConvModule, pixels: Tensor) -> Tensor:
            return block(pixels.view_as(visual).to(visual)).flatten(2)

        context = region_interaction(
            visual.flatten(2),
            regions,
            **self.interaction,
            after_collection=partial(refine, self.after_collection),
            after_interaction=partial(refine, self.after_interaction),
        )
        return self.after_distribution(context.view_as(visual).to(visual))

    def _fuse(self, visual: Tensor, context: Tensor) -> Tensor:
        block = self.bottleneck
        fused = block.conv(context).add_(self.bottleneck_visual(visual))
        fused = block.norm(fused) if block.with_norm else fused
        return block.activate(fused) if block.with_activation else fused

    def predict(self, inputs: Sequence[Tensor], batch_img_metas: list[dict], test_cfg: ConfigType) -> Tensor:
        output = (test_cfg or {}).get('output', 'fine')
        if output not in OUTPUTS:
            raise ConfigError(f'unknown test_cfg.output {output!r}: use one of {", ".join(map(repr, OUTPUTS))}')
        scores = self(inputs) if output == 'fine' else self._maps(inputs)[2]
        return self.predict_by_feat(scores, batch_img_metas)

    def loss(
        self, inputs: Sequence[Tensor], batch_data_samples: SampleList, train_cfg: ConfigType
    ) -> dict[str, Tensor]:
        return self.loss_by_feat(self.forward_branches(inputs), batch_data_samples)

    def loss_by_feat(self, seg_logits: RegionScores, batch_data_samples: SampleList) -> dict[str, Tensor]:
        losses = {}
        for name in ('fine', 'semantic'):
            for key, value in super().loss_by_feat(getattr(seg_logits, name), batch_data_samples).items():
                losses[f'{name}.{key}'] = value
        if missing := [sample for sample in batch_data_samples if not _has_boundaries(sample)]:
            raise DataError(
                f'{missing[0].get("img_path", "a sample")} has no boundary labels of the size of its mask: '
                "put dict(type='mmrev.BoundaryLabels') into the training pipeline, right before "
                'PackSegInputs'
            )
        labels = torch.stack([sample.gt_edge_map.data for sample in batch_data_samples])
        scores = resize(seg_logits.boundary, size=labels.shape[2:], mode='bilinear', align_corners=self.align_corners)
        labels = labels.squeeze(1)
        # mmseg's binary cross entropy fails where every label is ignored
        losses['boundary.loss_ce'] = (
            self.loss_boundary(scores, labels, ignore_index=IGNORED) if (labels != IGNORED).any() else scores.sum() * 0
        )
        return losses


def probabilities(scores: Tensor) -> Tensor:
    """Of each class, [B, N, H, W]; of a single score, a binary head's, of two classes."""
    if scores.shape[1] > 1:
        return scores.softmax(1)
    return torch.cat([-scores, scores], dim=1).sigmoid()


def _has_boundaries(sample: SegDataSample) -> bool:
    return 'gt_edge_map' in sample and sample.gt_edge_map.shape == sample.gt_sem_seg.shape


def _check_numbers(num_representatives: int, threshold: float) -> None:
    if num_representatives < 1:
        raise ConfigError(f'num_representatives={num_representatives} of RegionAttentionHead: expected 1 or more')
    if not isinstance(threshold, (int, float)) or not 0 <= threshold <= 1:
        raise ConfigError(f'threshold={threshold!r} of RegionAttentionHead: expected a number from 0 to 1')


def _check(
    similarity: str, scope: str, any_map: bool, coarse_in_index: int | None, coarse_in_channels: int | None
) -> None:
    for name, value, known in (('similarity', similarity, SIMILARITIES), ('scope', scope, SCOPES)):
        if value not in known:
            raise ConfigError(
                f'unknown {name} {value!r} of RegionAttentionHead: use one of {", ".join(map(repr, known))}'
            )
    if not any_map:
        raise ConfigError(
            'RegionAttentionHead divides regions by the boundary map, the semantic maps or both: not by neither'
        )
    if (coarse_in_index is None) != (coarse_in_channels is None):
        raise ConfigError('RegionAttentionHead: give coarse_in_index and coarse_in_channels both or neither')
