"""The layers of RANet's head (Shen et al., NeurIPS 2020), which its plain module and its head in mmseg share.

Shapes: B batch, C channels of a feature map, M hidden channels, N classes, H x W the feature map, P = H * W.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from mmrev.errors import ConfigError

from .conv_block import start_before_relu
from .regions.authors_context import authors_context
from .regions.construction import Regions, construct
from .regions.interaction import InteractionOptions, collect, distribute, interact
from .regions.options import ConstructionOptions

Layout = Literal['paper', 'authors']


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


class RegionOptions(NamedTuple):
    """The options of the head that are not widths.

    Args:
        construction: The options of equations 1 to 5.
        interaction: The options of equations 6 to 8.
        use_boundary: Whether the boundary score map divides regions.
        use_semantic: Whether the semantic score maps divide regions.
        layout: ``'paper'`` or ``'authors'``.
    """

    construction: ConstructionOptions
    interaction: InteractionOptions
    use_boundary: bool
    use_semantic: bool
    layout: Layout

    def check(self, owner: str) -> None:
        """Raises a ConfigError that names the owner if two options do not agree."""
        bare = self.interaction == InteractionOptions() and self.construction.num_representatives > 1
        if self.layout == 'authors' and not bare:
            raise ConfigError(f"{owner}: layout='authors' needs 2 representatives, and has no intra, inter or scope")
        if not (self.use_boundary or self.use_semantic):
            raise ConfigError(f'{owner} divides regions by the boundary map, the semantic maps or both: not by neither')


class RegionLayers(nn.Module):
    """Mixin of a module with RANet's layers: it makes them and runs them (figure 1).

    It has no constructor of its own, because mmseg's heads have theirs. A module calls :meth:`add_layers` in its
    constructor, and has ``cls_seg``, which classifies the last feature map.
    """

    construction: ConstructionOptions
    interaction: InteractionOptions
    use_boundary: bool
    use_semantic: bool
    layout: Layout
    cls_seg: Callable[[Tensor], Tensor]

    def add_layers(
        self,
        options: RegionOptions,
        channels: int,
        num_classes: int,
        in_channels: int,
        coarse_channels: int | None,
        block: Callable[[int], nn.Module],
        conv: Callable[[], nn.Conv2d],
    ) -> None:
        """Makes the layers.

        Args:
            options: The options.
            channels: M.
            num_classes: N.
            in_channels: The channels of the map under the visual feature map A.
            coarse_channels: The channels of the map under the boundary and semantic score maps. None: A is under them.
            block: Makes a 3x3 convolution to M channels with its norm and activation, from its input channels.
            conv: Makes a 3x3 convolution from M to M channels without a bias.
        """
        self.construction, self.interaction = options.construction, options.interaction
        self.use_boundary, self.use_semantic, self.layout = options.use_boundary, options.use_semantic, options.layout
        coarse_width = coarse_channels or channels
        self.visual = block(in_channels)
        self.boundary: nn.Module
        self.semantic: nn.Module
        if self.layout == 'authors':
            self.coarse: nn.Module = block(coarse_width)
            self.boundary = nn.Conv2d(channels, 1, 1)
            self.semantic = nn.Conv2d(channels, num_classes, 1)
            self.query, self.value = block(channels), block(channels)
        else:
            self.coarse = nn.Identity()
            self.boundary = nn.Sequential(block(coarse_width), nn.Conv2d(channels, 1, 1))
            self.semantic = nn.Sequential(block(coarse_width), nn.Conv2d(channels, num_classes, 1))
        self.after_collection = block(channels)
        self.after_interaction = block(channels)
        self.after_distribution = block(channels)
        # The sum of two convolutions is one convolution of both maps. Autograd then keeps no concatenated map.
        self.bottleneck: Any = block(channels)
        self.bottleneck_visual = conv()
        start_before_relu(self.bottleneck_visual)

    def score_maps(self, visual: Tensor, coarse: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The boundary scores and the semantic scores, from A or from another map of its size."""
        source = self.coarse(visual if coarse is None else coarse)
        return self.boundary(source), self.semantic(source)

    def fine_scores(self, visual: Tensor, boundary: Tensor, semantic: Tensor) -> RegionScores:
        """The scores of all three maps."""
        context = self._context(visual, self._regions(boundary, semantic))
        return RegionScores(self.cls_seg(self._fuse(visual, context)), semantic, boundary)

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
        context: Tensor
        if self.layout == 'authors':
            after = self.after_collection, self.after_interaction
            context = authors_context(self.query(visual), self.value(visual), regions, after)
            context = self.after_distribution(context)
            return context

        def as_map(pixels: Tensor) -> Tensor:
            return pixels.view_as(visual).to(visual)

        features = visual.flatten(2)
        local_context = collect(features, regions, self.interaction)
        local_context = self.after_collection(as_map(local_context)).flatten(2)
        global_context = interact(local_context, regions, self.interaction)
        global_context = self.after_interaction(as_map(global_context)).flatten(2)
        context = distribute(features, global_context, regions, self.interaction)
        context = self.after_distribution(as_map(context))
        return context

    def _fuse(self, visual: Tensor, context: Tensor) -> Tensor:
        fused: Tensor = self.bottleneck.conv(context).add_(self.bottleneck_visual(visual))
        return self.finish(fused)

    def finish(self, fused: Tensor) -> Tensor:
        """Applies the norm and the activation of the bottleneck."""
        raise NotImplementedError


def probabilities(scores: Tensor) -> Tensor:
    """The probability of each class, [B, N, H, W]. A single score, as in a binary head, gives two classes.

    Example:
        >>> probabilities(torch.zeros(1, 1, 1, 1)).flatten()
        tensor([0.5000, 0.5000])
    """
    if scores.shape[1] > 1:
        return scores.softmax(1)
    return torch.cat([-scores, scores], dim=1).sigmoid()
