import numpy as np
import pytest
import torch
from reference import ranet

from mmrev.models.layers import Regions, region_interaction
from mmrev.models.layers.regions import collect, distribute, interact
from mmrev.models.layers.regions.construction import best_of_each

PIXELS, CHANNELS = 23, 4
LAYOUTS = {
    'some regions': (2, 5),
    'each pixel a region': (8, PIXELS),
    'one region': (3, 1),
    'all pixels are representatives': (PIXELS, 4),
}
every_layout = pytest.mark.parametrize(('count', 'regions'), LAYOUTS.values(), ids=LAYOUTS)


@pytest.fixture(autouse=True)
def _several_blocks(monkeypatch):
    monkeypatch.setattr('mmrev.models.layers.regions.attention.BLOCK', 5)


def made_up(count, regions, batch=2):
    labels = torch.randint(regions, (batch, PIXELS)) if regions < PIXELS else torch.arange(PIXELS).expand(batch, -1)
    first = torch.stack([torch.stack([(own == label).nonzero()[0, 0] for label in own]) for own in labels])
    scores = torch.rand(batch, PIXELS, dtype=torch.float64)
    return torch.randn(batch, CHANNELS, PIXELS, dtype=torch.float64), Regions(
        first, scores, best_of_each(scores, first, count)
    )


@every_layout
@pytest.mark.parametrize('intra', [True, False])
@pytest.mark.parametrize('inter', [True, False])
@pytest.mark.parametrize('scope', ['region', 'image'])
def test_equations_6_to_8(count, regions, intra, inter, scope):
    features, made = made_up(count, regions)
    ours = region_interaction(features, made, intra=intra, inter=inter, scope=scope)
    for index in range(2):
        expected = ranet.interact(
            features[index].T.numpy(), *(part[index].numpy() for part in made), intra, inter, scope
        )
        np.testing.assert_allclose(ours[index].T, expected, atol=1e-12)


@every_layout
@pytest.mark.parametrize('scope', ['region', 'image'])
def test_gradients(count, regions, scope):
    features, made = made_up(count, regions, batch=1)
    assert torch.autograd.gradcheck(
        lambda x, scores: region_interaction(x, made._replace(scores=scores), scope=scope),
        (features.requires_grad_(), made.scores.requires_grad_()),
    )


def test_softmaxes_over_the_image_pass_less():
    """Equal features have equal weights. A region of half the pixels then gets half of the sum."""
    features, made = made_up(2, 2, batch=1)
    ones = torch.ones_like(features)
    made = made._replace(scores=torch.ones_like(made.scores))
    shares = {scope: region_interaction(ones, made, inter=False, scope=scope) for scope in ('region', 'image')}
    inside, chosen = made.labels[0] == made.labels[0, 0], made.representatives[0]
    collected = 1 + (inside & ~chosen).sum() / (~chosen).sum()
    assert shares['region'][0, 0, 0] == pytest.approx(1 + 2)
    assert shares['image'][0, 0, 0] < 1 + collected


def test_blocks_between_the_steps_see_representatives_alone():
    features, made = made_up(2, 5)
    local_context = collect(features, made)
    global_context = interact(2 * local_context, made)
    for context in (local_context, global_context):
        assert torch.equal(context.ne(0).any(1), made.representatives)
    changed = distribute(features, 2 * global_context, made)
    assert not torch.allclose(changed, region_interaction(features, made))


def test_later_steps_ignore_other_pixels():
    """A convolution between the steps also writes to pixels that are no representatives."""
    features, made = made_up(2, 5)
    context = torch.randn_like(features)
    alone = context * made.representatives[:, None]
    assert torch.equal(interact(context, made), interact(alone, made))
    assert torch.equal(distribute(features, context, made), distribute(features, alone, made))


def test_nothing_as_large_as_all_pairs_is_kept():
    features, made = made_up(PIXELS, PIXELS)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        region_interaction(features.requires_grad_(), made)
    assert kept and max(kept) < PIXELS * PIXELS


def test_nothing_is_computed_in_half_precision_inside_autocast():
    features, made = made_up(2, 5)
    gradients = []
    for inside in (False, True):
        given = features.float().requires_grad_()
        with torch.autocast('cpu', torch.bfloat16, enabled=inside):
            region_interaction(given, made._replace(scores=made.scores.float())).sum().backward()
        gradients.append(given.grad)
    assert torch.equal(*gradients)


def test_a_broken_network_is_seen():
    features, made = made_up(2, 5, batch=1)
    features[0, 0, 3] = torch.nan
    assert region_interaction(features, made).isnan().any(1)[0, 3]


def test_unknown_scope():
    with pytest.raises(ValueError, match=r"\(scope='batch'\): expected 'region' or 'image'"):
        region_interaction(*made_up(2, 5), scope='batch')
