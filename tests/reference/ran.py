"""RAN (Huang et al., 2017) restated in NumPy. Each equation is one line without a loop. Scores are [N, H, W]."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def attention_simple(original):  # equation 1
    return sigmoid(-original)


def attention_normalized(original):  # equation 2
    return sigmoid(1 / (np.maximum(original, 0) + 0.125) - 4)


def combine(original, reverse, mode):  # figure 3; dual: section 3.2, "directly subtract"
    weight = {'simple': attention_simple, 'normalized': attention_normalized, 'dual': np.ones_like}[mode]
    return original - weight(original) * reverse


def conv3x3(features, weight, bias, dilation):
    """[C, H, W], [N, C, 3, 3], [N] -> [N, H, W], with zero padding."""
    channels, height, width = features.shape
    d = dilation
    padded = np.zeros((channels, height + 2 * d, width + 2 * d), features.dtype)
    padded[:, d : d + height, d : d + width] = features
    out = np.tile(bias[:, None, None], (1, height, width)).astype(features.dtype)
    for i in range(3):
        for j in range(3):
            window = padded[:, i * d : i * d + height, j * d : j * d + width]
            out += np.einsum('nc,chw->nhw', weight[:, :, i, j], window)
    return out


def cross_entropy(scores, labels, ignore=255):
    """The mean over all pixels, mmseg's default. An ignored pixel counts as zero."""
    shifted = scores - scores.max(0)
    log_probability = shifted - np.log(np.exp(shifted).sum(0))
    safe = np.where(labels == ignore, 0, labels)
    losses = -np.take_along_axis(log_probability, safe[None], 0)[0]
    return np.where(labels == ignore, 0, losses).mean()
