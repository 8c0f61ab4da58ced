"""RA-Net (2024), equations 1 to 8, in plain NumPy, one channel at a time.

Shapes: B batch, C channels, H x W the feature map.
"""

import numpy as np


def aggregate(features, how='l2'):
    """Equation 3 and the alternatives of table 6: [B, C, H, W] to [B, C]."""
    values = np.zeros(features.shape[:2])
    for image in range(features.shape[0]):
        for channel in range(features.shape[1]):
            pixels = features[image, channel].ravel()
            values[image, channel] = {
                'l2': lambda x: sum(v * v for v in x) ** 0.5,
                'l1': lambda x: sum(abs(v) for v in x),
                'gap': lambda x: abs(sum(x) / len(x)),
                'gmp': lambda x: abs(max(x)),
            }[how](pixels)
    return values


def normalize(values, how='grn', eps=1e-6):
    """Equations 4 (over the channels or over the batch) and 5: [B, C] to [B, C]."""
    if how == 'none':
        return values
    if how == 'grn':
        return np.array([row / (sum(row) / len(row) + eps) for row in values])
    if how == 'ln':
        return np.array([(row - row.mean()) / (row.std() + eps) for row in values])
    return np.array([(column - column.mean()) / (column.std() + eps) for column in values.T]).T


def gate(features, gamma, temperature=1.0, aggregation='l2', normalization='grn', activation='one_plus', eps=1e-6):
    """Equations 7 and 8 and table 8: [B, C, H, W] and gamma [C] to the gate [B, C]."""
    response = gamma * normalize(aggregate(features, aggregation), normalization, eps) / temperature
    if activation == 'sigmoid':
        return 1 / (1 + np.exp(-response))
    if activation == 'softmax':
        return np.exp(response) / np.exp(response).sum(1, keepdims=True)
    return 1 + response


def residual_sum(residual, shortcut, gate_values):
    """Equation 2; equation 1 is a gate of ones."""
    return residual + gate_values[:, :, None, None] * shortcut


def temperature(iteration, iterations_an_epoch, start=30, end=1, epochs=10):
    """The temperature of an iteration, counted from 0."""
    length = epochs * iterations_an_epoch
    return end if iteration >= length else start - (start - end) * iteration / length
