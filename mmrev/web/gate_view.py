"""RA-Net's gates for one picture."""

from collections.abc import Mapping

from torch import nn

from mmrev.visualization.ra_activations import ChannelStatistics, activations_figure, collect, named_gates

from .pictures import figure_picture
from .views import Opened, Picture, View, backbone_of


class Gates(View):
    """The activations G(F(x)) of each block's channels: figure 5 of RA-Net, for one picture."""

    title = "RA-Net's gates"
    text = (
        'A block multiplies its shortcut by a gate, one number a channel. A gate of 1 (the thin black line) leaves the '
        'shortcut as it is. The distribution stands at the right of each panel.'
    )

    def compute(self, opened: Opened) -> Mapping[str, ChannelStatistics]:
        backbone = backbone_of(opened.model)
        return collect(backbone, named_gates(backbone), [opened.inputs])

    def pictures(self, opened: Opened, computed: Mapping[str, ChannelStatistics], choice: int) -> list[Picture]:
        means = [found.mean.mean() for found in computed.values()]
        caption = f'{len(computed)} blocks; the mean gate of a block is {min(means):.2f} to {max(means):.2f}'
        return [(figure_picture(activations_figure({'this picture': computed})), caption)]


def gate_views(model: nn.Module) -> list[View]:
    """Returns the view if the backbone has gates."""
    return [Gates()] if named_gates(backbone_of(model)) else []
