"""The dense CRF by brute force: all pairs of pixels, the exact Gaussian, float64. It suits small images only."""

import numpy as np


def kernel(features):
    """Divides exp(-|f_i - f_j|^2 / 2) by the square roots of its sums at i and at j: [P, d] -> [P, P]."""
    gaussian = np.empty((len(features), len(features)))
    for i, feature in enumerate(np.float64(features)):
        gaussian[i] = np.exp(-0.5 * ((feature - features) ** 2).sum(axis=1))
    sums = gaussian.sum(axis=1)
    return gaussian / np.sqrt(np.outer(sums, sums))


def features(image, gaussian_xy, bilateral_xy, bilateral_rgb):
    smoothness, appearance = [], []
    for y, row in enumerate(np.float64(image)):
        for x, (r, g, b) in enumerate(row):
            smoothness.append([x / gaussian_xy, y / gaussian_xy])
            appearance.append([x / bilateral_xy, y / bilateral_xy, *(np.array([r, g, b]) / bilateral_rgb)])
    return np.array(smoothness), np.array(appearance)


def normalise(energy):
    """Turns energies [N, P] into probabilities [N, P]."""
    exponent = np.exp(-energy + energy.min(axis=0))
    return exponent / exponent.sum(axis=0)


def mean_field(
    image, probabilities, iterations, gaussian_xy, gaussian_weight, bilateral_xy, bilateral_rgb, bilateral_weight
):
    """Refines probabilities [N, H, W] of an image [H, W, 3]. In the Potts model, neighbours of another class cost."""
    smoothness, appearance = features(image, gaussian_xy, bilateral_xy, bilateral_rgb)
    pairs = gaussian_weight * kernel(smoothness) + bilateral_weight * kernel(appearance)
    unary = -np.log(np.float64(probabilities).reshape(len(probabilities), -1).clip(1e-5, 1))
    beliefs = normalise(unary)
    for _ in range(iterations):
        messages = beliefs @ pairs
        pairwise = np.array(
            [sum(messages[other] for other in range(len(messages)) if other != label) for label in range(len(messages))]
        )
        beliefs = normalise(unary + pairwise)
    return beliefs.reshape(probabilities.shape)
