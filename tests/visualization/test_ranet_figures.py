import numpy as np
import pytest
import tiny_runs
import torch
from mmengine.registry import DATASETS
from mmseg.registry import MODELS
from torch.nn import functional as F

from mmrev.visualization import ranet_figures
from mmrev.visualization.ranet_figures import draw_ranet_figures, region_maps
from mmrev.visualization.region_pictures import BORDER, DOT, REGION_COLORS, color_indices, nearest, region_picture
from mmrev.visualization.samples import inputs_of, look

PAIR = (3, 8)


def seen(folder, **test_cfg):
    """Two samples, with the predictions of two models. The last model has regions."""
    cfg = tiny_runs.segmentation(folder)
    baseline = MODELS.build(cfg.model).eval()
    cfg.model.update(type='EncoderDecoder', test_cfg=dict(mode='whole', **test_cfg))
    cfg.model.pop('scales')
    cfg.model.decode_head.update(type='mmrev.RegionAttentionHead', channels=8, num_representatives=2)
    model, dataset = MODELS.build(cfg.model).eval(), DATASETS.build(cfg.test_dataloader.dataset)
    torch.nn.init.normal_(model.decode_head.conv_seg.weight)
    return [look(dataset[index], [baseline, model]) for index in range(2)], dataset.metainfo


def voronoi(seed, count=40, size=(30, 40)):
    """A map of ``count`` regions. Each region has its first pixel as its label."""
    generator = np.random.default_rng(seed)
    seeds = generator.uniform(0, size, (count, 2))
    pixels = np.argwhere(np.ones(size))
    cells = ((pixels[:, None] - seeds) ** 2).sum(2).argmin(1)
    _, first, region = np.unique(cells, return_index=True, return_inverse=True)
    return first[region].reshape(size)


@pytest.fixture
def panels(monkeypatch):
    """Collects the rows and the titles of each picture under the name of its file."""
    drawn = {}

    def keep(path, rows, titles, cell=0):
        drawn[path.name] = rows, titles
        return path

    monkeypatch.setattr(ranet_figures, 'save_panel', keep)
    return drawn


def test_neighbours_differ_in_colour():
    met = 0
    for labels in map(voronoi, range(5)):
        colors = color_indices(labels)
        assert [len(np.unique(colors[labels == root])) for root in np.unique(labels)] == [1] * len(np.unique(labels))
        for a, b in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
            apart = labels[a] != labels[b]
            assert (colors[a] != colors[b])[apart].all()
            met += apart.sum()
    assert met > 1000


def test_a_large_region_keeps_its_colour_as_others_change():
    before = voronoi(0, count=12)
    roots, sizes = np.unique(before, return_counts=True)
    largest = roots[sizes.argmax()]
    after = np.where(before == largest, before, np.arange(before.size).reshape(before.shape))
    colors = {color_indices(labels)[before == largest][0] for labels in (before, after)}
    assert colors == {largest % len(REGION_COLORS)}
    assert np.unique(color_indices(after)).size == len(REGION_COLORS)


def test_the_size_of_the_image_by_the_nearest_pixel():
    labels = torch.arange(5 * 7).view(5, 7)
    for size in ((40, 56), (33, 61), (3, 4)):
        expected = F.interpolate(labels[None, None].float(), size, mode='nearest')[0, 0]
        np.testing.assert_array_equal(nearest(labels.numpy(), size), expected)


def test_regions_borders_dots_and_fragments_of_a_picture():
    labels = np.array([[0, 0, 2, 2], [0, 0, 2, 7], [0, 0, 2, 7]])
    # two pixels of region 0, one of region 2, and all of region 7
    representatives = np.array([[1, 0, 0, 0], [0, 1, 0, 1], [0, 0, 1, 1]], bool)
    image = np.full((60, 80, 3), 100, np.uint8)
    picture = region_picture(image, labels, representatives)
    assert [tuple(picture[y, x]) == DOT for y, x in ((10, 10), (30, 30), (50, 50), (50, 70), (30, 10))] == [
        True,
        True,
        True,
        False,
        False,
    ]
    blended = {tuple(np.round(0.4 * 100 + 0.6 * np.array(REGION_COLORS[i])).astype(int)) for i in (0, 2)}
    assert {tuple(picture[y, x]) for y, x in ((50, 10), (10, 70))} == blended
    assert (picture[30:55, 65:80] == 100).all()
    assert [tuple(picture[y, x]) == BORDER for y, x in ((5, 39), (5, 40), (19, 70), (40, 59), (40, 70))] == [
        True,
        False,
        True,
        True,
        False,
    ]
    assert (image == 100).all()


def test_an_image_of_fragments_stays_grey():
    labels = np.arange(12).reshape(3, 4)
    image = np.random.default_rng(0).integers(256, size=(24, 32, 3), dtype=np.uint8)
    picture = region_picture(image, labels, np.ones((3, 4), bool))
    np.testing.assert_array_equal(picture, np.repeat(image.mean(2).round().astype(np.uint8)[..., None], 3, 2))


@torch.no_grad()
def test_the_maps_are_those_of_the_head(tmp_path):
    (sample, _), _ = seen(tmp_path)
    maps = region_maps(sample)
    size = maps[0].shape
    found = sample.model.decode_head.regions(sample.model.backbone(inputs_of(sample)))
    assert len(maps) == len(found) == 3 and size[1] * 3 == size[0] * 4
    for map_, of_head in zip(maps, found, strict=True):
        np.testing.assert_array_equal(map_.ravel(), of_head[0])
    assert len(np.unique(maps[0])) > 1


@pytest.mark.parametrize('baselines', [[], ['baseline']])
def test_columns_and_rows(tmp_path, panels, monkeypatch, baselines):
    samples, metainfo = seen(tmp_path)
    monkeypatch.setattr(ranet_figures, 'by_difference', lambda samples: samples[::-1])
    monkeypatch.setattr(ranet_figures, 'by_confusion', lambda samples, pair: samples)
    files = draw_ranet_figures(tmp_path, samples, baselines, metainfo, PAIR, rows=1)
    assert [file.name for file in files] == list(panels) == ['figure5.png', 'figure6.png']

    chosen = samples[1 if baselines else 0]
    (row,), titles = panels['figure5.png']
    assert titles == ['image', 'ground truth', 'regions and representatives', 'score J']
    assert len(row) == 4 and row[0] is chosen.image
    labels, scores, representatives = region_maps(chosen)
    np.testing.assert_array_equal(row[2], region_picture(chosen.image, labels, representatives))
    np.testing.assert_array_equal(row[3], nearest(scores, chosen.truth.shape))
    (row,), titles = panels['figure6.png']
    assert titles == ['image', 'ground truth', *baselines, 'coarse', 'fine']
    assert len(row) == len(titles) and row[0] is chosen.image


@torch.no_grad()
@pytest.mark.parametrize('test_cfg', [{}, dict(output='coarse')], ids=str)
def test_coarse_and_fine_whatever_the_test_config_says(tmp_path, panels, test_cfg, monkeypatch):
    (sample, _), metainfo = seen(tmp_path, **test_cfg)
    monkeypatch.setattr(ranet_figures, 'overlay', lambda image, labels, palette: labels)
    given = sample.model.test_cfg
    ranet_figures.draw_segmentations(tmp_path / 'figure6.png', [sample], [], metainfo['palette'])
    scores = sample.model.decode_head.forward_branches(sample.model.backbone(inputs_of(sample)))
    coarse, fine = (
        F.interpolate(part, sample.truth.shape, mode='bilinear').argmax(1)[0] for part in (scores.semantic, scores.fine)
    )
    np.testing.assert_array_equal(panels['figure6.png'][0][0][2], coarse)
    np.testing.assert_array_equal(panels['figure6.png'][0][0][3], fine)
    assert (coarse != fine).any() and sample.model.test_cfg is given
