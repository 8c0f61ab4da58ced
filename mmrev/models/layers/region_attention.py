"""RANet (Shen et al., NeurIPS 2020) in plain torch: its head, its losses, and the labels of boundaries.

Shapes: B batch, C channels, M hidden channels, N classes, H x W the feature map, h x w the labels.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmrev.arguments import Count, NotNegative, Positive, Share, checked
from mmrev.errors import ConfigError

from .classifiers import start_small
from .conv_block import ConvBlock
from .losses import pixel_binary_cross_entropy, pixel_cross_entropy
from .region_layers import Layout, RegionLayers, RegionOptions, RegionScores
from .regions.construction import Regions
from .regions.interaction import InteractionOptions, Scope
from .regions.options import ConstructionOptions

IGNORED = 255  # in boundary labels


@checked
class RegionAttention(RegionLayers):
    """Exchanges context between object regions (figure 1), in plain torch.

    The weights have the names and shapes of those of ``mmrev.RegionAttentionHead``, which describes the layers.

    Args:
        in_channels: C.
        num_classes: N.
        channels: M.
        num_representatives: K. A region with fewer than K pixels has all of them as representatives.
        threshold: Two pixels belong together when the mean of F_ij and F_ji is above it.
        temperature: The semantic scores are divided by it before equation 4. 1 is the paper.
        end_points: Whether the line of equation 1 includes the two pixels. A boundary map alone needs this.
        use_boundary: Whether the boundary score map divides regions (table 1).
        use_semantic: Whether the semantic score maps divide regions (table 1).
        intra: Whether the pixels of a region communicate (section 5.1).
        inter: Whether representatives of different regions communicate (section 5.1).
        similarity: ``'jsd'`` (equation 2) or ``'binary_jsd'`` (the authors' code).
        scope: The pixels in the denominator of a softmax: ``'region'`` (as printed) or ``'image'``.
        layout: ``'paper'`` or ``'authors'``.
        coarse_channels: The channels of a second feature map, which is then under the boundary and semantic score maps.
            None: they lie on the visual feature map A.
        norm: Makes the norm of each 3x3 convolution from its channels, such as ``nn.BatchNorm2d``; None for no norm.
        dropout: The dropout before the classifier.
        align_corners: How the second feature map is resized.

    Shape:
        features [B, C, H, W] -> fine scores [B, N, H, W].

    Raises:
        ConfigError: An option is wrong, or the second feature map is missing or not expected.

    Example:
        >>> head = RegionAttention(8, num_classes=3, channels=4)
        >>> features, labels = torch.rand(1, 8, 5, 6), torch.randint(3, (1, 20, 24))
        >>> losses = region_attention_losses(head.branches(features), labels, boundary_labels(labels))
        >>> sum(losses.values()).backward()
        >>> head(features).shape
        torch.Size([1, 3, 5, 6])
    """

    def __init__(
        self,
        in_channels: Count,
        num_classes: Count,
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
        coarse_channels: Count | None = None,
        norm: Callable[[int], nn.Module] | None = None,
        dropout: Share = 0.1,
        align_corners: bool = False,
    ) -> None:
        construction = ConstructionOptions(threshold, num_representatives, similarity, end_points, temperature)
        interaction = InteractionOptions(intra, inter, scope)
        options = RegionOptions(construction, interaction, use_boundary, use_semantic, layout)
        options.check(type(self).__name__)
        super().__init__()
        self.align_corners = align_corners
        self.has_coarse = coarse_channels is not None
        block = partial(ConvBlock, out_channels=channels, norm=norm)
        conv = partial(nn.Conv2d, channels, channels, 3, padding=1, bias=False)
        self.add_layers(options, channels, num_classes, in_channels, coarse_channels, block, conv)
        self.dropout = nn.Dropout2d(dropout)
        self.conv_seg = nn.Conv2d(channels, num_classes, 1)
        start_small(self.conv_seg)

    def forward(self, features: Tensor, coarse: Tensor | None = None) -> Tensor:
        return self.branches(features, coarse).fine

    def branches(self, features: Tensor, coarse: Tensor | None = None) -> RegionScores:
        """The scores of all three maps, for the losses and for pictures.

        Args:
            features: The feature map.
            coarse: The second feature map, [B, coarse_channels, any size].
        """
        return self.fine_scores(*self._maps(features, coarse))

    def regions(self, features: Tensor, coarse: Tensor | None = None) -> Regions:
        """The object regions and their representatives, for figures."""
        _, boundary, semantic = self._maps(features, coarse)
        return self._regions(boundary, semantic)

    def _maps(self, features: Tensor, coarse: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        if (coarse is not None) != self.has_coarse:
            expected = 'a second feature map' if self.has_coarse else 'no second feature map without coarse_channels'
            raise ConfigError(f'RegionAttention expects {expected}: see its argument coarse_channels')
        visual = self.visual(features)
        if coarse is not None:
            coarse = F.interpolate(coarse, visual.shape[2:], mode='bilinear', align_corners=self.align_corners)
        return visual, *self.score_maps(visual, coarse)

    def cls_seg(self, features: Tensor) -> Tensor:
        """Classifies the last feature map, as mmseg's heads do."""
        scores: Tensor = self.conv_seg(self.dropout(features))
        return scores

    def finish(self, fused: Tensor) -> Tensor:
        finished: Tensor = self.bottleneck.finish(fused)
        return finished


def region_attention_losses(
    scores: RegionScores,
    labels: Tensor,
    boundaries: Tensor,
    semantic_weight: NotNegative = 1.0,
    ignore_index: int = 255,
    align_corners: bool = False,
) -> dict[str, Tensor]:
    """The three cross entropies of RANet. Their sum is the loss.

    Args:
        scores: The scores of the three maps.
        labels: The class of each pixel, int64.
        boundaries: The labels of :func:`boundary_labels`.
        semantic_weight: A factor on the loss of the semantic score maps.
        ignore_index: The label of ignored pixels. They count as 0 in each mean.
        align_corners: How the scores are resized to the labels.

    Shape:
        labels and boundaries [B, h, w] -> a scalar for each map.

    Returns:
        The losses ``fine``, ``semantic`` and ``boundary``.

    Example:
        >>> zeros, labels = torch.zeros(1, 2, 4, 4), torch.zeros(1, 8, 8).long()
        >>> losses = region_attention_losses(RegionScores(zeros, zeros, zeros[:, :1]), labels, boundary_labels(labels))
        >>> {name: round(loss.item(), 2) for name, loss in losses.items()}
        {'fine': 0.69, 'semantic': 0.69, 'boundary': 0.69}
    """
    fine, semantic = (
        pixel_cross_entropy(part, labels, ignore_index, align_corners) for part in (scores.fine, scores.semantic)
    )
    boundary = pixel_binary_cross_entropy(scores.boundary, boundaries, IGNORED, align_corners)
    return {'fine': fine, 'semantic': semantic * semantic_weight, 'boundary': boundary}


def boundary_labels(labels: Tensor, radius: Positive = 2, ignore_index: int = 255) -> Tensor:
    """Labels the pixels that have another class within ``radius`` pixels, by Euclidean distance.

    ``mmrev.BoundaryLabels`` makes the same labels in a pipeline of mmsegmentation.

    Args:
        labels: The class of each pixel.
        radius: The distance in pixels.
        ignore_index: The label of ignored pixels. They count as no class.

    Shape:
        labels [B, h, w] -> [B, h, w], int64: 1 at boundaries, 0 elsewhere, 255 at ignored pixels.

    Example:
        >>> boundary_labels(torch.tensor([[[0, 0, 0, 1, 1, 1, 255]]]), radius=1).tolist()
        [[[0, 0, 1, 1, 0, 0, 255]]]
    """
    reach, (height, width) = int(radius), labels.shape[1:]
    padded = F.pad(labels, [reach] * 4, value=ignore_index)
    boundary = torch.zeros_like(labels, dtype=torch.bool)
    for down in range(-reach, reach + 1):
        for across in range(-reach, reach + 1):
            if down**2 + across**2 <= radius**2:
                top, left = reach + down, reach + across
                other = padded[:, top : top + height, left : left + width]
                boundary |= (other != labels) & (other != ignore_index)
    return torch.where(labels == ignore_index, IGNORED, boundary.long())
