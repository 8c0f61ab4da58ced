from importlib import import_module
from importlib.util import find_spec

import cv2
import numpy as np
import pytest
from reference import crf as reference
from skimage import data

from mmrev.errors import ConfigError, DataError
from mmrev.evaluation import dense_crf
from mmrev.evaluation.permutohedral import PermutohedralLattice

DEFAULTS = {
    'iterations': 10,
    'gaussian_xy': 1,
    'gaussian_weight': 3,
    'bilateral_xy': 67,
    'bilateral_rgb': 3,
    'bilateral_weight': 4,
}
PHOTOS = ['astronaut', 'coffee', 'chelsea']
IMAGE = np.zeros((4, 5, 3), np.uint8)
EVEN = np.full((2, 4, 5), 0.5, np.float32)
MODULE = import_module('mmrev.evaluation.dense_crf')  # mmrev.evaluation.dense_crf is the function

needs_pydensecrf = pytest.mark.skipif(find_spec('pydensecrf') is None, reason='pydensecrf2 is not installed')
each_backend = pytest.mark.parametrize('backend', ['scipy', pytest.param('pydensecrf', marks=needs_pydensecrf)])


def photo(name, height, width):
    return cv2.resize(getattr(data, name)(), (width, height), interpolation=cv2.INTER_AREA)


def plausible(image, classes):
    """Makes probabilities that follow the blurred colours, as a network's do, and are wrong in patches."""
    rng = np.random.default_rng(0)
    palette = rng.integers(0, 256, (classes, 3))
    blurred = cv2.GaussianBlur(image, (0, 0), 2).astype(float)
    scores = np.stack([-((blurred - colour) ** 2).sum(-1) / 4000 for colour in palette])
    scores += [25 * cv2.GaussianBlur(rng.normal(size=image.shape[:2]), (0, 0), 2) for _ in palette]
    exponent = np.exp(scores - scores.max(0))
    return (exponent / exponent.sum(0)).astype(np.float32)


def spaces(name):
    """Computes the features of a photo for both kernels, at widths that give a pixel many neighbours."""
    return [space.astype(np.float32) for space in reference.features(photo(name, 24, 32), 2, 20, 13)]


# The lattice approximates the Gaussian. Its kernel is piecewise linear, and blur into missing vertices is lost, more so
# in sparse spaces. Normalisation undoes most of this. The relative errors measured on these photos are at most 0.026 in
# the dense plane and 0.064 in the sparse five dimensions.
@pytest.mark.parametrize(('space', 'tolerance'), [(0, 0.04), (1, 0.08)])
@pytest.mark.parametrize('name', PHOTOS)
def test_the_filter_is_nearly_the_exact_gaussian(name, space, tolerance):
    features = spaces(name)[space]
    values = plausible(photo(name, 24, 32), 5).reshape(5, -1).T
    exact = reference.kernel(features) @ values
    filtered = MODULE._normalised_filter(features)(values)
    assert filtered.dtype == np.float32
    assert np.linalg.norm(filtered - exact) < tolerance * np.linalg.norm(exact)


@pytest.mark.parametrize('space', [0, 1])
def test_the_adjoint_filter_blurs_in_reverse_order(space):
    features = spaces('coffee')[space]
    lattice = PermutohedralLattice(features)
    left, right = np.random.default_rng(0).random((2, len(features), 1), np.float32)
    forward = (left * lattice.filter(right)).sum()
    backward = (right * lattice.filter(left)).sum()
    lattice.blurs.reverse()
    assert (right * lattice.filter(left)).sum() == pytest.approx(forward, rel=1e-5)
    assert backward == pytest.approx(forward, rel=0.01)  # missing vertices make the operators differ


def test_a_constant_stays_constant_away_from_the_border():
    plane, _ = reference.features(np.zeros((40, 50, 3)), 3, 1, 1)
    filtered = PermutohedralLattice(plane).filter(np.ones((len(plane), 1), np.float32)).reshape(40, 50)
    inner = filtered[15:-15, 15:-15]
    assert np.ptp(inner) < 0.01 * inner.mean()
    assert filtered[0, 0] < 0.5 * inner.mean()


def test_barycentric_weights():
    for features in spaces('astronaut'):
        weights = PermutohedralLattice(features).interpolate
        assert weights.data.min() > -1e-5
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)


# The filter's error grows to at most 1 % of the labels and 0.004 (measured). The CRF changes 8 to 13 % of the labels.
@each_backend
@pytest.mark.parametrize('name', PHOTOS)
def test_inference_is_nearly_exact_mean_field(name, backend):
    image = photo(name, 24, 32)
    probabilities = plausible(image, 5)
    exact = reference.mean_field(image, probabilities, **DEFAULTS)
    refined = dense_crf(image, probabilities, backend=backend)
    assert (exact.argmax(0) != probabilities.argmax(0)).mean() > 0.06
    assert (exact.argmax(0) != refined.argmax(0)).mean() < 0.02
    assert np.abs(exact - refined).mean() < 0.008


@needs_pydensecrf
@pytest.mark.parametrize('classes', [2, 4, 21])
@pytest.mark.parametrize('name', [*PHOTOS, 'grey'])
def test_backends_agree(name, classes):
    image = np.full((95, 127, 3), 128, np.uint8) if name == 'grey' else photo(name, 95, 127)
    probabilities = plausible(image, classes)
    ours, theirs = (dense_crf(image, probabilities, backend=backend) for backend in ('scipy', 'pydensecrf'))
    assert (ours.argmax(0) == theirs.argmax(0)).mean() > 0.999
    assert np.abs(ours - theirs).mean() < 1e-6


@needs_pydensecrf
def test_kernels_are_those_of_pydensecrf_for_images():
    from pydensecrf.densecrf import DenseCRF2D

    image = photo('chelsea', 24, 33)
    probabilities = plausible(image, 4)
    crf = DenseCRF2D(33, 24, 4)
    crf.setUnaryEnergy(-np.log(probabilities.clip(1e-5, 1)).reshape(4, -1))
    crf.addPairwiseGaussian(sxy=2, compat=5)
    crf.addPairwiseBilateral(sxy=30, srgb=7, rgbim=image, compat=6)
    refined = dense_crf(
        image,
        probabilities,
        iterations=3,
        gaussian_xy=np.float64(2),
        gaussian_weight=5,
        bilateral_xy=30,
        bilateral_rgb=7,
        bilateral_weight=6,
        backend='pydensecrf',
    )
    np.testing.assert_array_equal(refined.reshape(4, -1), crf.inference(3))


@each_backend
@pytest.mark.parametrize('size', [(1, 1), (1, 7), (7, 1), (2, 2), (5, 3), (33, 61)])
def test_any_size(size, backend):
    image = photo('chelsea', *size)
    refined = dense_crf(image, plausible(image, 3), backend=backend)
    assert refined.shape == (3, *size) and refined.dtype == np.float32
    np.testing.assert_allclose(refined.sum(0), 1, atol=1e-5)


@each_backend
def test_without_iterations_or_weights_only_clipping_and_normalisation_are_left(backend):
    image = photo('coffee', 6, 8)
    probabilities = np.stack([np.full((6, 8), value) for value in (1.0, 0.5, 0.0)])
    clipped = np.array([1, 0.5, 1e-5]).reshape(3, 1, 1) / 1.50001
    for arguments in ({'iterations': 0}, {'gaussian_weight': 0, 'bilateral_weight': 0}):
        refined = dense_crf(image, probabilities, backend=backend, **arguments)
        np.testing.assert_allclose(refined, np.broadcast_to(clipped, refined.shape), rtol=1e-5)


@each_backend
def test_constant_probabilities(backend):
    image = photo('coffee', 20, 30)
    even = np.full((4, 20, 30), 0.25)
    np.testing.assert_allclose(dense_crf(image, even, backend=backend), even, atol=1e-6)
    uneven = np.repeat([0.3, 0.7], 600).reshape(2, 20, 30)
    refined = dense_crf(image, uneven, backend=backend)
    assert refined[1].min() > 0.7
    np.testing.assert_allclose(refined.sum(0), 1, atol=1e-6)


@each_backend
def test_inputs_of_any_layout_are_read_and_left_alone(backend):
    image = photo('astronaut', 20, 30)
    probabilities = plausible(image, 3)
    expected = dense_crf(image, probabilities, backend=backend)
    channels_last = np.ascontiguousarray(probabilities.transpose(1, 2, 0)).astype(np.float64).transpose(2, 0, 1)
    mirrored = image[:, ::-1].copy()[:, ::-1]
    for array in (channels_last, mirrored):
        array.setflags(write=False)
    np.testing.assert_array_equal(dense_crf(mirrored, channels_last, backend=backend), expected)
    copies = image.copy(), probabilities.copy()
    dense_crf(image, probabilities, backend=backend)
    np.testing.assert_array_equal(image, copies[0])
    np.testing.assert_array_equal(probabilities, copies[1])


@pytest.mark.parametrize('installed', [pytest.param(True, marks=needs_pydensecrf), False])
def test_auto_takes_pydensecrf_where_it_is_installed(installed, monkeypatch):
    called = []
    for name in ('_infer_scipy', '_infer_pydensecrf'):
        monkeypatch.setattr(MODULE, name, lambda unary, *_, name=name: called.append(name) or unary)
    if not installed:
        monkeypatch.setattr(MODULE, 'find_spec', lambda name: None)
    dense_crf(IMAGE, EVEN)
    dense_crf(IMAGE, EVEN, backend='scipy')
    assert called == ['_infer_pydensecrf' if installed else '_infer_scipy', '_infer_scipy']


def test_says_what_to_install(monkeypatch):
    monkeypatch.setattr(MODULE, 'find_spec', lambda name: None)
    with pytest.raises(ConfigError, match='pip install pydensecrf2'):
        dense_crf(IMAGE, EVEN, backend='pydensecrf')


@pytest.mark.parametrize(
    ('image', 'probabilities', 'message'),
    [
        (IMAGE / 255, EVEN, r'uint8 RGB, got \[4, 5, 3\] float64'),
        (IMAGE[..., 0], EVEN, r'uint8 RGB, got \[4, 5\]'),
        (IMAGE[..., :2], EVEN, r'uint8 RGB, got \[4, 5, 2\]'),
        (IMAGE[:0], EVEN[:, :0], r'uint8 RGB, got \[0, 5, 3\]'),
        (IMAGE, EVEN[0], r'\[N, H, W\] floating, got \[4, 5\] float32'),
        (IMAGE, EVEN.astype(int), r'\[N, H, W\] floating, got \[2, 4, 5\] int64'),
        (IMAGE, EVEN.transpose(0, 2, 1), r'\(5, 4\) pixels, the image is \(4, 5\)'),
        (IMAGE, EVEN[:1], 'two or more classes'),
        (IMAGE, EVEN * np.nan, r'in \[0, 1\], got nan'),
        (IMAGE, EVEN * np.inf, r'in \[0, 1\], got inf'),
        (IMAGE, EVEN * -9, r'in \[0, 1\], got -4.5'),
    ],
)
def test_bad_data(image, probabilities, message):
    with pytest.raises(DataError, match=message) as caught:
        dense_crf(image, probabilities)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'backend': 'cuda'}, "unknown CRF backend 'cuda': use one of 'auto', 'scipy', 'pydensecrf'"),
        ({'iterations': -1}, '0 or more, got -1'),
        ({'gaussian_xy': 0}, 'gaussian_xy .* above 0, got 0'),
        ({'bilateral_xy': -1}, 'bilateral_xy .* above 0, got -1'),
        ({'bilateral_rgb': float('nan')}, 'bilateral_rgb .* above 0, got nan'),
    ],
)
def test_bad_config(arguments, message):
    with pytest.raises(ConfigError, match=message):
        dense_crf(IMAGE, EVEN, **arguments)


@each_backend
def test_widths_that_overflow_the_lattice(backend):
    with pytest.raises(ConfigError, match='too small for this image'):
        dense_crf(photo('coffee', 4, 5), EVEN, backend=backend, bilateral_rgb=1e-4, bilateral_xy=1e-4)


def test_auto_takes_the_lattice_that_the_widths_fit():
    image = photo('coffee', 4, 5)
    narrow = dict(gaussian_xy=1e-4)  # too narrow for pydensecrf's 16 bits, not for our 64
    np.testing.assert_array_equal(dense_crf(image, EVEN, **narrow), dense_crf(image, EVEN, backend='scipy', **narrow))
