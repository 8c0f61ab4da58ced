import csv

import matplotlib.image
import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict

from mmrev.errors import CheckpointError
from mmrev.registry import MODELS
from mmrev.visualization.ra_activations import (
    activations_figure,
    collect,
    draw_activations,
    named_gates,
    write_activations,
)

NAMES = {
    18: 'RA_2_1 RA_2_2 RA_3_1 RA_3_2 RA_4_1 RA_4_2 RA_5_1 RA_5_2',
    50: 'RA_2_1 RA_2_2 RA_2_3 RA_3_1 RA_3_2 RA_3_3 RA_3_4 RA_4_1 RA_4_2 RA_4_3 RA_4_4 RA_4_5 RA_4_6 '
    'RA_5_1 RA_5_2 RA_5_3',
}


def resnet(depth: int = 18, gamma: float = 0.0):
    network = MODELS.build(dict(type='mmrev.RAResNet', depth=depth, base_channels=4, stem_channels=4)).eval()
    for gate in named_gates(network).values():
        torch.nn.init.normal_(gate.gamma, std=gamma)
    return network


def activations(labels: str, network) -> dict:
    """Collects the activations on six images of each class, in batches of 4 and 2."""
    gates = named_gates(network)
    return {label: collect(network, gates, torch.randn(6, 3, 32, 40).split(4)) for label in labels}


@pytest.mark.parametrize('depth', NAMES)
def test_the_papers_names(depth):
    network = resnet(depth)
    named = named_gates(network)
    assert ' '.join(named) == NAMES[depth]
    assert named['RA_5_1'] is network.layer4[0].addition.gate


@pytest.mark.parametrize(
    ('network', 'names'),
    [
        (dict(type='mmpretrain.MobileNetV2'), 'RA_3_2 RA_4_2 RA_4_3 RA_5_2 RA_5_3 RA_5_4 RA_6_2 RA_6_3 RA_7_2 RA_7_3'),
        (
            dict(type='mmpretrain.ConvNeXt', arch=dict(depths=[1, 2, 1, 1], channels=[4, 4, 4, 4])),
            'RA_2_1 RA_3_1 RA_3_2 RA_4_1 RA_5_1',
        ),
        (
            dict(
                type='mmseg.SwinTransformer',
                embed_dims=4,
                depths=(1, 2),
                num_heads=(1, 1),
                strides=(4, 2),
                out_indices=(0, 1),
            ),
            'RA_2_1_1 RA_2_1_2 RA_3_1_1 RA_3_1_2 RA_3_2_1 RA_3_2_2',
        ),
        (
            dict(type='mmseg.VisionTransformer', img_size=16, embed_dims=4, num_layers=2, num_heads=1),
            'RA_2_1_1 RA_2_1_2 RA_2_2_1 RA_2_2_2',
        ),
    ],
)
def test_names_in_other_networks(network, names):
    named = named_gates(MODELS.build(ConfigDict(type='mmrev.add_reverse_attention', network=network)))
    assert ' '.join(named) == names
    assert len(set(map(id, named.values()))) == len(named)


def test_blocks_of_unknown_paths_keep_them():
    network = torch.nn.ModuleDict(dict(mine=resnet().layer1))
    assert list(named_gates(network)) == ['mine.0', 'mine.1']
    assert named_gates(torch.nn.Conv2d(1, 1, 1)) == {}


def test_mean_and_deviation_over_images_in_numpy():
    network, images = resnet(gamma=0.5), torch.randn(7, 3, 32, 40)
    found = collect(network, named_gates(network), images.split(3))
    for name, block in (('RA_2_1', network.layer1[0]), ('RA_5_2', network.layer4[1])):
        residuals = []
        hook = block.addition.register_forward_pre_hook(lambda _, inputs, seen=residuals: seen.append(inputs[0]))
        for image in images:
            network(image[None])
        hook.remove()
        norms = np.sqrt((np.concatenate([f.detach().numpy() for f in residuals]).astype(float) ** 2).sum((2, 3)))
        gates = 1 + block.addition.gate.gamma.detach().numpy() * norms / (norms.mean(1, keepdims=True) + 1e-6)
        assert found[name].images == 7
        assert gates.std(0).min() > 1e-5
        np.testing.assert_allclose(found[name].mean, gates.mean(0), atol=2e-6)
        np.testing.assert_allclose(found[name].std, gates.std(0), atol=2e-6)


def test_the_network_is_left_as_it_was():
    network = resnet(gamma=0.5)
    statistics = activations('a', network)['a']['RA_2_1']
    network(torch.randn(1, 3, 32, 40))
    assert statistics.images == 6


def test_an_untrained_gate_is_one_everywhere():
    found = activations('a', resnet(gamma=0.0))['a']
    assert len(found) == 8
    for statistics in found.values():
        assert (statistics.mean == 1).all() and (statistics.std == 0).all()


def test_weights_that_have_diverged():
    network = resnet(gamma=0.5)
    network.layer2[0].addition.gate.gamma.data[1] = torch.inf
    with pytest.raises(CheckpointError, match='RA_3_1 has activations that are not finite'):
        activations('a', network)
    network(torch.randn(1, 3, 32, 40))  # the hooks are gone


def test_the_table_has_a_row_a_channel(tmp_path):
    found = activations(['one', 'two, three'], resnet(gamma=0.5))
    with open(write_activations(tmp_path / 'a.csv', found), newline='', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * (4 + 8 + 16 + 32)
    for row in rows:
        statistics = found[row['class']][row['block']]
        assert float(row['mean']) == pytest.approx(statistics.mean[int(row['channel'])], rel=1e-8)
        assert float(row['std']) == pytest.approx(statistics.std[int(row['channel'])], rel=1e-8)
        assert row['images'] == '6'
    assert len({(row['class'], row['block'], row['channel']) for row in rows}) == len(rows)


@pytest.mark.parametrize('depth', NAMES)
def test_the_figure_has_a_panel_a_block(depth):
    found = activations('ab', resnet(depth, gamma=0.5))
    figure = activations_figure(found)
    assert ' '.join(axis.get_title() for axis in figure.axes) == NAMES[depth]
    panel, beside = figure.axes[-1], figure.axes[-1].child_axes[0]
    assert [line.get_label() for line in panel.lines[:2]] == ['a', 'b']
    for line, bars, statistics in zip(
        panel.lines, beside.patches, (of[figure.axes[-1].get_title()] for of in found.values()), strict=False
    ):
        np.testing.assert_array_equal(line.get_ydata(), statistics.mean)
        assert bars.get_data().values.sum() == len(statistics.mean)
        assert bars.get_edgecolor()[:3] == matplotlib.colors.to_rgb(line.get_color())
    assert panel.get_shared_y_axes().joined(panel, beside)
    assert panel.get_ylim()[0] < 1 < panel.get_ylim()[1]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ['a', 'b']


def test_the_picture_is_written_even_of_equal_activations(tmp_path):
    picture = matplotlib.image.imread(draw_activations(tmp_path / 'a.png', activations('a', resnet(gamma=0.0))))
    assert picture.shape[1] > picture.shape[0] and picture.std() > 0.05
