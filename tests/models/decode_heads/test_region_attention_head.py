import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from torch.nn import functional as F

from mmrev.datasets.transforms import boundary_labels
from mmrev.errors import ConfigError, DataError
from mmrev.models import RegionAttentionHead
from mmrev.testing.model_checks import HeadChecks, make_samples

NARROW = dict(in_channels=8, in_index=1, channels=6, num_representatives=2, dropout_ratio=0)
OPTIONS = {'RANet': {}, 'boundary map': dict(use_semantic=False), 'semantic map': dict(use_boundary=False),
           'no intra': dict(intra=False), 'no inter': dict(inter=False),
           "authors' code": dict(similarity='binary_jsd', scope='image', coarse_in_index=0, coarse_in_channels=6)}


def with_boundaries(samples):
    for sample in samples:
        edges = boundary_labels(sample.gt_sem_seg.data[0].byte().numpy())
        sample.gt_edge_map = PixelData(data=torch.from_numpy(edges)[None].long())
    return samples


class RegionChecks(HeadChecks):
    """The checks of every head, with boundary labels."""

    def samples(self, *args, **kwargs):
        return with_boundaries(super().samples(*args, **kwargs))


class TestRANet(RegionChecks):
    head = dict(type='mmrev.RegionAttentionHead', **NARROW)


class TestAuthorsCode(RegionChecks):
    head = dict(type='mmrev.RegionAttentionHead', align_corners=True, norm_cfg=dict(type='GN', num_groups=2), **NARROW,
                **OPTIONS["authors' code"])


class TestBoundaryMapOnly(RegionChecks):
    head = dict(type='mmrev.RegionAttentionHead', use_semantic=False, **NARROW)


def build(**options):
    head = RegionAttentionHead(num_classes=5, **{**NARROW, **options})
    head.init_weights()
    return head


def features(batch=2):
    return [torch.randn(batch, 6, 12, 16), torch.randn(batch, 8, 6, 8)]


@pytest.mark.parametrize('options', OPTIONS.values(), ids=OPTIONS)
def test_options_train(options):
    head = build(**options)
    losses = head.loss(features(), with_boundaries(make_samples(torch.randint(5, (2, 48, 64)))), {})
    assert {name for name in losses if 'loss' in name} == {'fine.loss_ce', 'semantic.loss_ce', 'boundary.loss_ce'}
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    assert all(parameter.grad is not None for parameter in head.parameters())


@pytest.mark.parametrize(('option', 'silenced', 'bias'), [
    ('boundary map', 'semantic', 0), ('semantic map', 'boundary', -30)])
def test_which_maps_divide_the_image(option, silenced, bias):
    """A map that is left out counts as much as one that says nothing: no difference, no boundary."""
    inputs, quiet, without = features(), build(threshold=0.7), build(threshold=0.7, **OPTIONS[option])
    for head in (quiet, without):
        torch.manual_seed(1)
        for part in (head.semantic[1], head.boundary[1]):
            torch.nn.init.normal_(part.weight, std=4)
    without.load_state_dict(quiet.state_dict())
    loud = quiet.regions(inputs).labels
    silent = getattr(quiet, silenced)[1]
    torch.nn.init.zeros_(silent.weight)
    torch.nn.init.constant_(silent.bias, bias)
    labels = quiet.regions(inputs).labels
    assert torch.equal(labels, without.regions(inputs).labels) and not torch.equal(labels, loud)
    # neighbours have no boundary in between, so that it alone leaves one chain of partners
    assert (labels == 0).all() if option == 'boundary map' else labels.unique().numel() > 3


def test_losses_are_cross_entropies_of_the_three_maps():
    head, inputs = build(), features()
    samples = with_boundaries(make_samples(torch.randint(5, (2, 48, 64))))
    samples[0].gt_edge_map.data[0, :9] = 255
    losses, scores = head.loss(inputs, samples, {}), head.forward_branches(inputs)
    truth = torch.cat([sample.gt_sem_seg.data for sample in samples])
    for name in ('fine', 'semantic'):
        resized = F.interpolate(getattr(scores, name), (48, 64), mode='bilinear')
        torch.testing.assert_close(losses[f'{name}.loss_ce'], F.cross_entropy(resized, truth))
    edges = torch.cat([sample.gt_edge_map.data for sample in samples])
    resized = F.interpolate(scores.boundary, (48, 64), mode='bilinear')[:, 0]
    known = edges != 255
    expected = F.binary_cross_entropy_with_logits(resized[known], edges[known].float(), reduction='sum')
    torch.testing.assert_close(losses['boundary.loss_ce'] * edges.numel(), expected, rtol=1e-4, atol=0)


def test_the_boundary_and_semantic_maps_learn_from_the_fine_loss():
    """The representative scores are differentiable."""
    head = build()
    head.forward_branches(features()).fine.square().sum().backward()
    assert head.boundary[1].weight.grad.any() and head.semantic[1].weight.grad.any()


def test_coarse_output():
    model = MODELS.build(ConfigDict(
        type='EncoderDecoder', test_cfg=dict(mode='whole', output='coarse'),
        backbone=dict(type='ResNet', depth=18, base_channels=4, num_stages=2, strides=(1, 2), dilations=(1, 1),
                      out_indices=(0, 1)),
        decode_head=dict(type='mmrev.RegionAttentionHead', num_classes=5, **NARROW))).eval()
    images, meta = torch.randn(2, 3, 48, 64), [dict(img_shape=(48, 64), pad_shape=(48, 64))] * 2
    maps = model.decode_head.forward_branches(model.extract_feat(images))
    for output, scores in (('coarse', maps.semantic), ('fine', maps.fine)):
        model.test_cfg.output = output
        torch.testing.assert_close(model.encode_decode(images, meta), F.interpolate(scores, (48, 64), mode='bilinear'))
    model.test_cfg.output = 'medium'
    with pytest.raises(ConfigError, match="unknown test_cfg.output 'medium': use one of 'fine', 'coarse'"):
        model.encode_decode(images, meta)


def test_missing_boundary_labels():
    with pytest.raises(DataError, match=r'no boundary labels: add dict\(type=.mmrev.BoundaryLabels.\)'):
        build().loss(features(), make_samples(torch.randint(5, (2, 48, 64))), {})


@pytest.mark.parametrize(('options', 'message'), [
    (dict(similarity='cosine'), "unknown similarity 'cosine' of RegionAttentionHead: use one of 'jsd', 'binary_jsd'"),
    (dict(scope='batch'), "unknown scope 'batch' of RegionAttentionHead: use one of 'region', 'image'"),
    (dict(use_boundary=False, use_semantic=False), 'not by neither'),
    (dict(coarse_in_index=0), 'give coarse_in_index and coarse_in_channels both or neither')])
def test_wrong_arguments(options, message):
    with pytest.raises(ConfigError, match=message):
        build(**options)


def test_parameters_on_512_channels():
    """Table 3 prints 21 M."""
    with torch.device('meta'):
        head = RegionAttentionHead(512, num_classes=19, in_index=0, norm_cfg=dict(type='BN'))
    assert sum(parameter.numel() for parameter in head.parameters()) == pytest.approx(18.9e6, rel=0.01)
