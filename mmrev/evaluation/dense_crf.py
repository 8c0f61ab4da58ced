"""Fully connected CRF with Gaussian edge potentials (Kraehenbuehl and Koltun, NIPS 2011).

Shape letters: H x W the image, P = H * W pixels, N classes, d dimensions of a kernel's feature space.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Literal, get_args

import numpy as np
from scipy.special import softmax

from mmrev.errors import ConfigError, DataError, require_choice

from .permutohedral import PermutohedralLattice

Backend = Literal['auto', 'scipy', 'pydensecrf']
Kernel = tuple[np.ndarray, float]  # the features of the pixels [P, d], and the kernel's weight


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
    """Refines class probabilities by mean field inference (algorithm 1), a Potts model and equation 3's kernels.

    The default arguments are the values that DeepLab-v2 published for its ResNet-101.

    Args:
        image: [H, W, 3], uint8 RGB.
        probabilities: [N, H, W], floating point, in [0, 1]. The unary energy is their negative logarithm. Values
            below 1e-5 count as 1e-5.
        iterations: The number of mean field iterations. With 0, the result is the clipped and normalised input.
        gaussian_xy: The standard deviation of the smoothness kernel, in pixels.
        gaussian_weight: The weight of the smoothness kernel.
        bilateral_xy: The standard deviation of the appearance kernel, in pixels.
        bilateral_rgb: The standard deviation of the appearance kernel, in grey levels from 0 to 255.
        bilateral_weight: The weight of the appearance kernel.
        backend: ``'scipy'`` needs no compiler. ``'pydensecrf'`` is faster. ``'auto'`` takes pydensecrf where it is
            installed and the kernels fit its 16-bit coordinates. On photographs the two backends differ by about
            1e-8 on average. On an image of a few dark pixels they can differ by 1e-4, because pydensecrf fills its
            blocks of four pixels with black pixels at the origin.

    Returns:
        The refined probabilities, [N, H, W] float32. They sum to one over N.

    Raises:
        DataError: The image or the probabilities have another shape, type or range.
        ConfigError: An argument is out of range, or the backend is not installed.

    Reading: The kernels are normalised by the square roots of their sums at both pixels, and a pixel sends a message
    to itself. The authors' code does both. The sums in the paper leave out the message to itself.

    Example:
        >>> image = np.zeros((4, 6, 3), np.uint8)
        >>> refined = dense_crf(image, np.full((2, 4, 6), 0.5), iterations=2)
        >>> refined.shape, refined.dtype
        ((2, 4, 6), dtype('float32'))
    """
    image, probabilities = np.asarray(image), np.asarray(probabilities)
    _check_data(image, probabilities)
    _check_config(iterations, backend, gaussian_xy=gaussian_xy, bilateral_xy=bilateral_xy, bilateral_rgb=bilateral_rgb)
    flat = probabilities.reshape(len(probabilities), -1).astype(np.float32, order='C')
    unary = -np.log(flat.clip(1e-5, 1))
    smoothness, appearance = _features(image, gaussian_xy, bilateral_xy, bilateral_rgb)
    kernels = [(smoothness, gaussian_weight), (appearance, bilateral_weight)]
    if backend == 'auto':
        fits = find_spec('pydensecrf') is not None and not any(_overflows(features) for features, _ in kernels)
        backend = 'pydensecrf' if fits else 'scipy'
    infer = _infer_pydensecrf if backend == 'pydensecrf' else _infer_scipy
    return infer(unary, kernels, iterations).reshape(probabilities.shape)


def _features(
    image: np.ndarray, gaussian_xy: float, bilateral_xy: float, bilateral_rgb: float
) -> tuple[np.ndarray, np.ndarray]:
    """Places the pixels in the space of each kernel, in standard deviations: [P, 2] and [P, 5], float32."""
    y, x = np.indices(image.shape[:2], np.float32).reshape(2, -1)
    position, colour = np.stack([x, y], axis=1), image.reshape(-1, 3).astype(np.float32)
    appearance = np.hstack([position / np.float32(bilateral_xy), colour / np.float32(bilateral_rgb)])
    return position / np.float32(gaussian_xy), appearance


def _infer_scipy(unary: np.ndarray, kernels: list[Kernel], iterations: int) -> np.ndarray:
    # [P, N]: a row of the sparse products then holds the N values of one pixel side by side
    evidence = np.ascontiguousarray(-unary.T)
    messages = [(_normalised_filter(features), np.float32(weight)) for features, weight in kernels]
    beliefs = softmax(evidence, axis=1)
    for _ in range(iterations):
        beliefs = softmax(evidence + sum(weight * send(beliefs) for send, weight in messages), axis=1)
    return np.ascontiguousarray(beliefs.T)


def _normalised_filter(features: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    lattice = PermutohedralLattice(features)
    scale = 1 / np.sqrt(lattice.filter(np.ones((len(features), 1), np.float32)) + np.float32(1e-20))

    def send(values: np.ndarray) -> np.ndarray:
        return scale * lattice.filter(scale * values)

    return send


def _infer_pydensecrf(unary: np.ndarray, kernels: list[Kernel], iterations: int) -> np.ndarray:
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
    """Tells whether the lattice needs more than the 16 bits of pydensecrf, which would not notice."""
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
    if not (low >= -0.01 and high <= 1.01):  # half precision rounds, and NaN must fail too
        raise DataError(
            f'the probabilities of a CRF must lie in [0, 1], got {low:.3g} to {high:.3g}: '
            'apply softmax to the scores, and check them for NaN'
        )


def _check_config(iterations: int, backend: str, **widths: float) -> None:
    require_choice('CRF backend', backend, get_args(Backend))
    if backend == 'pydensecrf' and find_spec('pydensecrf') is None:
        raise ConfigError("pydensecrf is not installed: pip install pydensecrf2, or use backend='scipy'")
    if iterations < 0:
        raise ConfigError(f'iterations of a CRF must be 0 or more, got {iterations}')
    for name, width in widths.items():
        if not width > 0:
            raise ConfigError(f'{name} of a CRF is a standard deviation and must be above 0, got {width}')
