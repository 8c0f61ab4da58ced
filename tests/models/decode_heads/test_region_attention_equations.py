"""RANet's head against the same steps in NumPy, and which regions its options make."""

import numpy as np
import pytest
import torch
from reference import ranet
from region_heads import OPTIONS, build, features
from torch.nn import functional as F


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


def test_the_default_divides_what_the_paper_literal_joins():
    """A wide soft transition between two classes, as in real maps: docs/ranet.md, "Reading"."""
    share = torch.linspace(-4, 4, 12).expand(1, 1, 4, 12)
    for temperature, expected in ((None, 2), (1, 1)):
        head = build(
            num_classes=2, use_boundary=False, **({} if temperature is None else dict(temperature=temperature))
        )
        assert len(head._regions(share, torch.cat([share, -share], 1)).labels.unique()) == expected
