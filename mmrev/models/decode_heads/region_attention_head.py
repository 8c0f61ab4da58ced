"""The Region Attention Network's head (RANet, Shen et al., NeurIPS 2020).

Shapes: B batch, C channels of the backbone's map, M hidden channels, N classes, H x W the feature map, P = H * W.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import torch
from mmcv.cnn import ConvModule, build_conv_layer
from mmengine.model import kaiming_init
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from mmseg.utils import ConfigType, SampleList
from torch import Tensor, nn

from mmrev.arguments import Count, NotNegative, ObjectConfig, Positive, Share
from mmrev.errors import ConfigError, require_choice
from mmrev.registry import MODELS

from ..layers.regions.construction import Regions, construct
from ..layers.regions.interaction import InteractionOptions, Scope, collect, distribute, interact
from ..layers.regions.options import ConstructionOptions
from .boundary_maps import boundary_maps
from .region_context import authors_context

OUTPUTS = ('fine', 'coarse')
Layout = Literal['paper', 'authors']
IGNORED = 255  # the ignored label in the maps of mmrev.BoundaryLabels


class RegionScores(NamedTuple):
    """The scores of the three maps, before softmax and sigmoid.

    Args:
        fine: The scores of the classes, [B, N, H, W].
        semantic: The coarse scores of the classes, [B, N, H, W].
        boundary: The boundary scores, [B, 1, H, W].
    """

    fine: Tensor
    semantic: Tensor
    boundary: Tensor


@MODELS.register_module()
class RegionAttentionHead(BaseDecodeHead):
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
        >>> head = RegionAttentionHead(in_channels=8, channels=4, num_classes=3, in_index=0)
        >>> head([torch.rand(1, 8, 5, 6)]).shape
        torch.Size([1, 3, 5, 6])
    """

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
        if layout == 'authors' and (interaction != InteractionOptions() or num_representatives < 2):
            raise ConfigError(f"{owner}: layout='authors' needs 2 representatives, and has no intra, inter or scope")
        if not (use_boundary or use_semantic):
            raise ConfigError(f'{owner} divides regions by the boundary map, the semantic maps or both: not by neither')
        if (coarse_in_index is None) != (coarse_in_channels is None):
            raise ConfigError(f'{owner}: give coarse_in_index and coarse_in_channels both or neither')
        super().__init__(in_channels, channels, loss_decode=loss_decode, **kwargs)
        self.construction, self.interaction = construction, interaction
        self.use_boundary, self.use_semantic = use_boundary, use_semantic
        self.coarse_in_index, self.semantic_weight, self.layout = coarse_in_index, semantic_weight, layout
        self.loss_boundary = MODELS.build(loss_boundary)
        coarse_width = coarse_in_channels or channels
        self.visual = self._block(self.in_channels)
        self.boundary: nn.Module
        self.semantic: nn.Module
        if layout == 'authors':
            self.coarse: nn.Module = self._block(coarse_width)
            self.boundary = nn.Conv2d(channels, 1, 1)
            self.semantic = nn.Conv2d(channels, self.out_channels, 1)
            self.query, self.value = self._block(), self._block()
        else:
            self.coarse = nn.Identity()
            self.boundary = nn.Sequential(self._block(coarse_width), nn.Conv2d(channels, 1, 1))
            self.semantic = nn.Sequential(self._block(coarse_width), nn.Conv2d(channels, self.out_channels, 1))
        self.after_collection = self._block()
        self.after_interaction = self._block()
        self.after_distribution = self._block()
        # The sum of two convolutions is one convolution of both maps. Autograd then keeps no concatenated map.
        self.bottleneck = self._block()
        self.bottleneck_visual = build_conv_layer(self.conv_cfg, channels, channels, 3, padding=1, bias=False)
        kaiming_init(self.bottleneck_visual, nonlinearity='relu')  # as in ConvModule

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """The fine scores, [B, N, H, W]."""
        # by the name of the class: ReverseAttentionWrapper has a forward_branches of its own
        return RegionAttentionHead.forward_branches(self, inputs).fine

    def forward_branches(self, inputs: Sequence[Tensor]) -> RegionScores:
        """The scores of all three maps."""
        visual, boundary, semantic = self._maps(inputs)
        context = self._context(visual, self._regions(boundary, semantic))
        return RegionScores(self.cls_seg(self._fuse(visual, context)), semantic, boundary)

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

    def _block(self, in_channels: int | None = None) -> ConvModule:
        settings = dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        return ConvModule(in_channels or self.channels, self.channels, 3, padding=1, **settings)

    def _maps(self, inputs: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """The visual feature map A, the boundary scores and the semantic scores."""
        source = visual = self.visual(self._transform_inputs(inputs))
        if self.coarse_in_index is not None:
            coarse, size = inputs[self.coarse_in_index], visual.shape[2:]
            source = resize(coarse, size=size, mode='bilinear', align_corners=self.align_corners)
        source = self.coarse(source)
        return visual, self.boundary(source), self.semantic(source)

    def _regions(self, boundary: Tensor, semantic: Tensor) -> Regions:
        # Half precision loses the small differences that decide whether two pixels belong together.
        kind = torch.promote_types(semantic.dtype, torch.float32)
        scores, classes = boundary[:, 0].to(kind).sigmoid(), probabilities(semantic.to(kind))
        if not self.use_boundary:
            scores = torch.zeros_like(scores)
        if not self.use_semantic:
            classes = torch.ones_like(classes[:, :1])
        return construct(scores, classes, self.construction)

    def _context(self, visual: Tensor, regions: Regions) -> Tensor:
        if self.layout == 'authors':
            after = self.after_collection, self.after_interaction
            return self.after_distribution(authors_context(self.query(visual), self.value(visual), regions, after))

        def as_map(pixels: Tensor) -> Tensor:
            return pixels.view_as(visual).to(visual)

        features = visual.flatten(2)
        local_context = collect(features, regions, self.interaction)
        local_context = self.after_collection(as_map(local_context)).flatten(2)
        global_context = interact(local_context, regions, self.interaction)
        global_context = self.after_interaction(as_map(global_context)).flatten(2)
        context = distribute(features, global_context, regions, self.interaction)
        return self.after_distribution(as_map(context))

    def _fuse(self, visual: Tensor, context: Tensor) -> Tensor:
        block = self.bottleneck
        fused = block.conv(context).add_(self.bottleneck_visual(visual))
        fused = block.norm(fused) if block.with_norm else fused
        return block.activate(fused) if block.with_activation else fused


def probabilities(scores: Tensor) -> Tensor:
    """The probability of each class, [B, N, H, W]. A single score, as in a binary head, gives two classes."""
    if scores.shape[1] > 1:
        return scores.softmax(1)
    return torch.cat([-scores, scores], dim=1).sigmoid()
