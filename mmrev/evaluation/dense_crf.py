"""Fully connected CRF with Gaussian edge potentials (Kraehenbuehl and Koltun, NIPS 2011), as a test-time refinement."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Literal

import numpy as np
from scipy.special import softmax

from mmrev.errors import ConfigError, DataError

from .permutohedral import PermutohedralLattice

Backend = Literal['auto', 'scipy', 'pydensecrf']
BACKENDS = ('auto', 'scipy', 'pydensecrf')


def dense_crf(
    image: np.ndarray,
    probabilities: np.ndarray,
    *,
    iterations: int = 10,
    gaussian_xy: float = 1,
    gaussian_weight: float = 3,
    bilateral_xy: float = 67,
    bilateral_rgb: float = 3,
    bilateral_weight: float = 4,
    backend: Backend = 'auto',
) -> np.ndarray:
    """Mean field inference (algorithm 1 of the paper) with a Potts model and two Gaussian kernels (equation 3).

    The defaults are those that DeepLab-v2 published for its ResNet-101.

    Args:
        image: [H, W, 3], uint8 RGB.
        probabilities: [N, H, W], floating, in [0, 1]; the unary energy is their negative logarithm, from 1e-5 up.
        iterations: Mean field iterations. 0 gives back the clipped probabilities, normalised.
        gaussian_xy: Standard deviation of the smoothness kernel in pixels.
        gaussian_weight: Its weight.
        bilateral_xy: Standard deviation of the appearance kernel in pixels.
        bilateral_rgb: And in grey levels, 0 to 255.
        bilateral_weight: Its weight.
        backend: ``'pydensecrf'``, ``'scipy'`` (no compiler needed), or ``'auto'``: the first where it is installed.
            Their probabilities differ by about 1e-8 on average on photographs. An image of a few dark pixels can
            differ by 1e-4: pydensecrf fills up its blocks of four pixels with black ones at the origin.

    Returns:
        [N, H, W] float32, summing to one over N.

    Raises:
        DataError: The image or the probabilities are not as above.
        ConfigError: An argument is out of range, or the backend is not installed.

    Reading: kernels are normalised by the square roots of their sums at both pixels, and a pixel sends a message to
    itself, both as in the authors' code; the paper's sums leave it out.
    """
    image, probabilities = np.asarray(image), np.asarray(probabilities)
    _check_data(image, probabilities)
    _check_config(iterations, backend, gaussian_xy=gaussian_xy, bilateral_xy=bilateral_xy, bilateral_rgb=bilateral_rgb)
    flat = probabilities.reshape(len(probabilities), -1).astype(np.float32, order='C')
    unary = -np.log(flat.clip(1e-5, 1))
    smoothness, appearance = _features(image, gaussian_xy, bilateral_xy, bilateral_rgb)
    fast = backend == 'pydensecrf' or (
        backend == 'auto' and find_spec('pydensecrf') and not any(map(_overflows, (smoothness, appearance)))
    )
    infer = _infer_pydensecrf if fast else _infer_scipy
    refined = infer(unary, [(smoothness, gaussian_weight), (appearance, bilateral_weight)], iterations)
    return refined.reshape(probabilities.shape)


def _features(
    image: np.ndarray, gaussian_xy: float, bilateral_xy: float, bilateral_rgb: float
) -> tuple[np.ndarray, np.ndarray]:
    """Where the pixels lie in the space of each kernel, in standard deviations: [P, 2] and [P, 5] float32."""
    y, x = np.indices(image.shape[:2], np.float32).reshape(2, -1)
    position, colour = np.stack([x, y], axis=1), image.reshape(-1, 3).astype(np.float32)
    appearance = np.hstack([position / np.float32(bilateral_xy), colour / np.float32(bilateral_rgb)])
    return position / np.float32(gaussian_xy), appearance


def _infer_scipy(unary: np.ndarray, kernels: list[tuple[np.ndarray, float]], iterations: int) -> np.ndarray:
    # Pixels first: a row of the sparse products is then a pixel's N contiguous values.
    evidence = np.ascontiguousarray(-unary.T)
    messages = [(_normalised_filter(features), np.float32(weight)) for features, weight in kernels]
    beliefs = softmax(evidence, axis=1)
    for _ in range(iterations):
        beliefs = softmax(evidence + sum(weight * send(beliefs) for send, weight in messages), axis=1)
    return np.ascontiguousarray(beliefs.T)


def _normalised_filter(features: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    lattice = PermutohedralLattice(features)
    scale = 1 / np.sqrt(lattice.filter(np.ones((len(features), 1), np.float32)) + np.float32(1e-20))
    return lambda values: scale * lattice.filter(scale * values)


def _infer_pydensecrf(unary: np.ndarray, kernels: list[tuple[np.ndarray, float]], iterations: int) -> np.ndarray:
    from pydensecrf.densecrf import DenseCRF

    classes, pixels = unary.shape
    crf = DenseCRF(pixels, classes)
    crf.setUnaryEnergy(unary)
    for features, weight in kernels:
        if _overflows(features):
            raise ConfigError(
                'the widths of a CRF kernel are too small for this image with pydensecrf: use larger '
                "ones or backend='scipy'"
            )
        crf.addPairwiseEnergy(np.ascontiguousarray(features.T), weight)
    return np.array(crf.inference(iterations))


def _overflows(features: np.ndarray) -> bool:
    """pydensecrf keeps lattice coordinates in 16 bits and does not notice when they need more."""
    return not np.sqrt(2 / 3) * (features.shape[1] + 1) * features.max(axis=0).sum() < 2**15


def _check_data(image: np.ndarray, probabilities: np.ndarray) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise DataError(f'the image of a CRF must be [H, W, 3] uint8 RGB, got {list(image.shape)} {image.dtype}')
    if not np.issubdtype(probabilities.dtype, np.floating) or probabilities.ndim != 3:
        raise DataError(
            f'the probabilities of a CRF must be [N, H, W] floating, got {list(probabilities.shape)} '
            f'{probabilities.dtype}'
        )
    if probabilities.shape[1:] != image.shape[:2]:
        raise DataError(
            f'the probabilities are {probabilities.shape[1:]} pixels, the image is {image.shape[:2]}: '
            'resize one to the other before the CRF'
        )
    if len(probabilities) < 2:
        raise DataError('a CRF needs the probabilities of two or more classes, got one: give p and 1 - p')
    low, high = probabilities.min(), probabilities.max()
    if not (low >= -0.01 and high <= 1.01):  # half precision rounds; NaN fails too
        raise DataError(
            f'the probabilities of a CRF must lie in [0, 1], got {low:.3g} to {high:.3g}: '
            'take the softmax of scores, and look for what made a NaN'
        )


def _check_config(iterations: int, backend: str, **widths: float) -> None:
    if backend not in BACKENDS:
        raise ConfigError(f'unknown CRF backend {backend!r}: use one of {", ".join(map(repr, BACKENDS))}')
    if backend == 'pydensecrf' and find_spec('pydensecrf') is None:
        raise ConfigError("pydensecrf is not installed: pip install pydensecrf2, or use backend='scipy'")
    if iterations < 0:
        raise ConfigError(f'iterations of a CRF must be 0 or more, got {iterations}')
    for name, width in widths.items():
        if not width > 0:
            raise ConfigError(f'{name} of a CRF is a standard deviation and must be above 0, got {width}')
