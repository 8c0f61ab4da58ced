import numpy as np
import pytest
import torch
from checks.model_checks import HeadChecks, make_samples
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from reference import ranet
from torch.nn import functional as F

from mmrev.datasets.transforms import boundary_labels
from mmrev.errors import ConfigError, DataError
from mmrev.models import RegionAttentionHead
from mmrev.models.layers.regions.operators import OPERATORS

NARROW = dict(in_channels=8, in_index=1, channels=6, num_representatives=2, dropout_ratio=0)
OPTIONS = {
    'RANet': {},
    'boundary map': dict(use_semantic=False),
    'semantic map': dict(use_boundary=False),
    'no intra': dict(intra=False),
    'no inter': dict(inter=False),
    'end points': dict(end_points=True),
    "authors' code": dict(similarity='binary_jsd', scope='image', coarse_in_index=0, coarse_in_channels=6),
    "authors' layout": dict(
        layout='authors',
        similarity='binary_jsd',
        temperature=1,
        coarse_in_index=0,
        coarse_in_channels=6,
        semantic_weight=0.4,
    ),
}


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
    head = dict(
        type='mmrev.RegionAttentionHead',
        align_corners=True,
        norm_cfg=dict(type='GN', num_groups=2),
        **NARROW,
        **OPTIONS["authors' code"],
    )


class TestAuthorsLayout(RegionChecks):
    head = dict(
        type='mmrev.RegionAttentionHead',
        align_corners=True,
        norm_cfg=dict(type='GN', num_groups=2),
        **NARROW,
        **OPTIONS["authors' layout"],
    )


class TestBoundaryMapOnly(RegionChecks):
    head = dict(type='mmrev.RegionAttentionHead', use_semantic=False, **NARROW)


def build(**options):
    head = RegionAttentionHead(**{'num_classes': 5, **NARROW, **options})
    head.init_weights()
    return head


def features(batch=2):
    return [torch.randn(batch, 6, 12, 16), torch.randn(batch, 8, 6, 8)]


def restated(head, inputs, k, threshold, similarity='jsd', **options):
    """Restates the first image's regions and fine scores: the head's convolutions, and the equations in NumPy."""
    divergence = ranet.pairwise_similarity if similarity == 'jsd' else ranet.binary_divergence
    visual = head.visual(inputs[1])
    source = visual if head.coarse_in_index is None else F.interpolate(inputs[0], visual.shape[2:], mode='bilinear')
    boundary, classes = head.boundary(source)[0, 0].sigmoid(), head.semantic(source)[0].softmax(0)
    boundary = boundary if head.use_boundary else torch.zeros_like(boundary)
    classes = classes if head.use_semantic else torch.ones_like(classes[:1])
    rule = dict(end_points=head.construction.end_points, temperature=head.construction.temperature)
    found = ranet.construct(boundary.numpy(), classes.numpy(), threshold, k, divergence, **rule)

    def refine(table, step):
        block = {6: head.after_collection, 7: head.after_interaction, 8: head.after_distribution}[step]
        pixels = torch.from_numpy(table).T.reshape(1, -1, *visual.shape[2:])
        return block(pixels)[0].flatten(1).T.numpy()

    table = ranet.interact(visual[0].flatten(1).T.numpy(), *found, **options, refine=refine)
    context = torch.from_numpy(refine(table, 8)).T.reshape(1, -1, *visual.shape[2:])
    weight = torch.cat([head.bottleneck_visual.weight, head.bottleneck.conv.weight], 1)
    fused = F.relu(F.conv2d(torch.cat([visual[:1], context], 1), weight, head.bottleneck.conv.bias, padding=1))
    return found, head.conv_seg(fused)


@torch.no_grad()
@pytest.mark.parametrize(
    'maps',
    [
        {},
        dict(use_boundary=False, temperature=0.5),
        dict(use_semantic=False, end_points=True),
        dict(coarse_in_index=0, coarse_in_channels=6, temperature=1),
    ],
)
@pytest.mark.parametrize(
    ('communication', 'similarity', 'scope', 'k', 'threshold'),
    [
        ((True, True), 'jsd', 'region', 2, 0.8),
        ((True, False), 'jsd', 'image', 1, 0.8),
        ((False, True), 'jsd', 'region', 3, 0.6),
        ((True, True), 'binary_jsd', 'image', 2, 0.9),
    ],
)
def test_figure_1(maps, communication, similarity, scope, k, threshold):
    intra, inter = communication
    head = (
        build(
            intra=intra,
            inter=inter,
            similarity=similarity,
            scope=scope,
            num_representatives=k,
            threshold=threshold,
            **maps,
        )
        .double()
        .eval()
    )
    for part in (head.semantic[1], head.boundary[1]):
        torch.nn.init.normal_(part.weight, std=4)
    for part in (head.after_collection, head.after_interaction):
        torch.nn.init.normal_(part.conv.bias)  # a step that does not mask other pixels would show it
    inputs = [part.double() for part in features(batch=1)]
    expected, fine = restated(head, inputs, k, threshold, similarity, intra=intra, inter=inter, scope=scope)
    regions = head.regions(inputs)
    assert regions.labels[0].tolist() == expected[0].tolist()
    assert regions.representatives[0].tolist() == expected[2].tolist()
    torch.testing.assert_close(head.forward_branches(inputs).fine, fine, rtol=0, atol=1e-10)


@torch.no_grad()
def test_one_score_is_of_two_classes():
    one = build(num_classes=2, out_channels=1, threshold=0.9, temperature=1)
    two = build(num_classes=2, threshold=0.9, temperature=1)
    torch.nn.init.normal_(one.semantic[1].weight, std=4)
    two.load_state_dict(
        one.state_dict()
        | {
            f'{part}.{name}': torch.cat([torch.zeros_like(value), value])
            for part, layer in (('semantic.1', one.semantic[1]), ('conv_seg', one.conv_seg))
            for name, value in layer.state_dict().items()
        }
    )
    inputs = features()
    ours, expected = one.regions(inputs), two.regions(inputs)
    assert torch.equal(ours.labels, expected.labels) and len(ours.labels.unique()) > 2
    torch.testing.assert_close(ours.scores, expected.scores)


@pytest.mark.parametrize('kind', [torch.float16, torch.bfloat16])
def test_a_model_in_half_precision(kind):
    head = build().to(kind)
    head.forward_branches([part.to(kind) for part in features()]).fine.float().sum().backward()
    assert head.visual.conv.weight.grad.isfinite().all()


def test_backward_inside_autocast():
    head, inputs = build(), features()
    with torch.autocast('cpu', torch.bfloat16):
        head.forward_branches(inputs).fine.float().sum().backward()
    assert head.visual.conv.weight.grad.dtype == torch.float32


def test_compiled_it_is_the_same():
    head, inputs = build().eval(), features()
    whole = OPERATORS  # without operators in torch, region construction leaves the graph
    compiled = torch.compile(head, backend='aot_eager', fullgraph=whole)
    torch.testing.assert_close(compiled(inputs), head(inputs))


def test_shapes_without_numbers():
    head = build().to('meta')
    assert head([part.to('meta') for part in features()]).shape == (2, 5, 6, 8)


def test_all_3x3_convolutions_start_alike():
    head = build(channels=64)
    spread = {
        name: layer.weight.std().item()
        for name, layer in head.named_modules()
        if isinstance(layer, torch.nn.Conv2d) and layer.kernel_size == (3, 3)
    }
    assert len(spread) == 8
    for value in spread.values():
        assert value == pytest.approx((2 / 9 / 64) ** 0.5, rel=0.05)


@pytest.mark.parametrize('options', OPTIONS.values(), ids=OPTIONS)
def test_options_train(options):
    head = build(**options)
    losses = head.loss(features(), with_boundaries(make_samples(torch.randint(5, (2, 48, 64)))), {})
    assert {name for name in losses if 'loss' in name} == {'fine.loss_ce', 'semantic.loss_ce', 'boundary.loss_ce'}
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    assert all(parameter.grad is not None for parameter in head.parameters())


@pytest.mark.parametrize(
    ('option', 'silenced', 'bias'), [('boundary map', 'semantic', 0), ('semantic map', 'boundary', -30)]
)
def test_which_maps_divide_the_image(option, silenced, bias):
    """Leaving a map out is the same as a map without differences or boundaries."""
    inputs, quiet, without = (
        features(),
        build(threshold=0.7, temperature=1),
        build(threshold=0.7, temperature=1, **OPTIONS[option]),
    )
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
    # neighbours have no boundary between them: the boundary map alone leaves one chain of partners
    assert (labels == 0).all() if option == 'boundary map' else labels.unique().numel() > 1


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
    model = MODELS.build(
        ConfigDict(
            type='EncoderDecoder',
            test_cfg=dict(mode='whole', output='coarse'),
            backbone=dict(
                type='ResNet',
                depth=18,
                base_channels=4,
                num_stages=2,
                strides=(1, 2),
                dilations=(1, 1),
                out_indices=(0, 1),
            ),
            decode_head=dict(type='mmrev.RegionAttentionHead', num_classes=5, **NARROW),
        )
    ).eval()
    images, meta = torch.randn(2, 3, 48, 64), [dict(img_shape=(48, 64), pad_shape=(48, 64))] * 2
    maps = model.decode_head.forward_branches(model.extract_feat(images))
    for output, scores in (('coarse', maps.semantic), ('fine', maps.fine)):
        model.test_cfg.output = output
        torch.testing.assert_close(model.encode_decode(images, meta), F.interpolate(scores, (48, 64), mode='bilinear'))
    model.test_cfg.output = 'medium'
    with pytest.raises(ConfigError, match="unknown test_cfg.output 'medium': use one of 'fine', 'coarse'"):
        model.encode_decode(images, meta)


def test_missing_boundary_labels():
    with pytest.raises(DataError, match=r'no boundary labels.*put dict\(type=.mmrev.BoundaryLabels.\)'):
        build().loss(features(), make_samples(torch.randint(5, (2, 48, 64))), {})
    samples = with_boundaries(make_samples(torch.randint(5, (2, 48, 64))))
    for missing in (dict(data=torch.zeros(1, 24, 64).long()), None):  # the second sample: another size, then none
        samples[1].gt_edge_map = PixelData(**missing) if missing else samples[1].gt_edge_map
        if not missing:
            del samples[1].gt_edge_map
        with pytest.raises(DataError, match='no boundary labels of the size of its mask'):
            build().loss(features(), samples, {})


def test_another_ignored_label():
    """Boundary labels always use 255, even if the masks use another label."""
    head = build(ignore_index=4)
    samples = with_boundaries(make_samples(torch.randint(4, (2, 48, 64))))
    samples[0].gt_edge_map.data[:] = 255
    alone = build(ignore_index=4)
    alone.load_state_dict(head.state_dict())
    inputs = features()
    both, one = (
        model.loss([part[-count:] for part in inputs], samples[-count:], {})['boundary.loss_ce'] * count
        for model, count in ((head.eval(), 2), (alone.eval(), 1))
    )
    torch.testing.assert_close(both, one)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(similarity='cosine'), "unknown similarity 'cosine': use one of 'jsd', 'binary_jsd'"),
        (dict(scope='batch'), r"RegionAttentionHead\(scope='batch'\): expected 'region' or 'image'"),
        (dict(use_boundary=False, use_semantic=False), 'not by neither'),
        (dict(num_representatives=0), r'\(num_representatives=0\): expected an integer of at least 1'),
        (dict(threshold='high'), r"\(threshold='high'\): expected a number of at least 0 and at most 1"),
        (dict(temperature=0), r'\(temperature=0\): expected a number above 0'),
        (dict(layout='printed'), r"\(layout='printed'\): expected 'paper' or 'authors'"),
        (dict(layout='authors', inter=False), "layout='authors' needs 2 representatives, and has no intra, inter or"),
        (dict(layout='authors', num_representatives=1), "layout='authors' needs 2 representatives"),
        (dict(coarse_in_index=0), 'give coarse_in_index and coarse_in_channels both or neither'),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ConfigError, match=message):
        build(**options)


@pytest.mark.parametrize(('layout', 'expected'), [('paper', 18.9e6), ('authors', 21.26e6)])
def test_parameters_on_512_channels(layout, expected):
    """Table 3 prints 21 M."""
    with torch.device('meta'):
        head = RegionAttentionHead(512, num_classes=19, in_index=0, norm_cfg=dict(type='BN'), layout=layout)
    assert sum(parameter.numel() for parameter in head.parameters()) == pytest.approx(expected, rel=0.001)


def attended(queries, sources, weights):
    logits = queries @ (sources * weights[:, None]).T
    shares = np.exp(logits - logits.max(1, keepdims=True))
    return queries + shares / shares.sum(1, keepdims=True) @ sources


@torch.no_grad()
@pytest.mark.parametrize('similarity', ['jsd', 'binary_jsd'])
def test_the_authors_layout(similarity):
    """The steps of the authors' code, in NumPy."""
    head = build(**OPTIONS["authors' layout"] | dict(similarity=similarity)).double().eval()
    for part in (head.semantic, head.boundary):
        torch.nn.init.normal_(part.weight, std=4)
    for part in (head.after_collection, head.after_interaction):
        torch.nn.init.normal_(part.conv.bias)
    inputs = [part.double() for part in features(batch=2)]
    visual = head.visual(inputs[1])
    coarse = head.coarse(F.interpolate(inputs[0], visual.shape[2:], mode='bilinear'))
    boundary, classes = head.boundary(coarse)[:, 0].sigmoid(), head.semantic(coarse).softmax(1)
    queries, values = (part.flatten(2).mT.numpy() for part in (head.query(visual), head.value(visual)))
    divergence = ranet.pairwise_similarity if similarity == 'jsd' else ranet.binary_divergence
    context = []
    for index in range(2):
        _, scores, chosen = ranet.construct(boundary[index].numpy(), classes[index].numpy(), 0.8, 2, divergence)
        own = attended(values[index][chosen], values[index], scores)
        own = along_a_list(head.after_collection, own)
        own = along_a_list(head.after_interaction, attended(own, own, scores[chosen]))
        context.append(torch.from_numpy(attended(queries[index], own, scores[chosen]).T.reshape(visual.shape[1:])))
    context = head.after_distribution(torch.stack(context))
    weight = torch.cat([head.bottleneck_visual.weight, head.bottleneck.conv.weight], 1)
    fused = F.relu(F.conv2d(torch.cat([visual, context], 1), weight, head.bottleneck.conv.bias, padding=1))
    torch.testing.assert_close(head(inputs), head.conv_seg(fused), rtol=0, atol=1e-10)
    assert 2 <= chosen.sum() < chosen.size


def along_a_list(block, rows):
    """A 3x3 convolution of a list is a convolution of three neighbours, with the middle column of its weights."""
    padded = np.pad(rows, ((1, 1), (0, 0)))
    weight, bias = block.conv.weight.numpy()[..., 1], block.conv.bias.numpy()
    found = [np.einsum('ock,kc->o', weight, padded[place : place + 3]) for place in range(len(rows))]
    return np.maximum(np.stack(found) + bias, 0)


def test_the_weight_of_the_semantic_loss():
    head, inputs = build(), features()
    samples = with_boundaries(make_samples(torch.randint(5, (2, 48, 64))))
    before = head.loss(inputs, samples, {})
    head.semantic_weight = 0.4
    after = head.loss(inputs, samples, {})
    torch.testing.assert_close(after['semantic.loss_ce'], 0.4 * before['semantic.loss_ce'])
    assert all(torch.equal(after[name], value) for name, value in before.items() if name != 'semantic.loss_ce')


def test_the_default_divides_what_the_paper_literal_joins():
    """A wide soft transition between two classes, as in real maps: docs/ranet.md, "Reading"."""
    share = torch.linspace(-4, 4, 12).expand(1, 1, 4, 12)
    for temperature, expected in ((None, 2), (1, 1)):
        head = build(
            num_classes=2, use_boundary=False, **({} if temperature is None else dict(temperature=temperature))
        )
        assert len(head._regions(share, torch.cat([share, -share], 1)).labels.unique()) == expected
