"""Scale attention (Yang and Peng, 2018) restated in NumPy. Feature maps are [C, h, w], scores are [N, H, W]."""

import numpy as np

from .ran import conv3x3


def location_attention(w):  # equation 2; w [S, H, W]
    exponentials = np.exp(w - w.max(0))
    return exponentials / exponentials.sum(0)


def final_scores(scores, attention, recalibration=None, mode='multiply'):  # equations 1, 3 and 4, literally
    final = np.zeros_like(scores[0])
    for score, weight in zip(scores, attention, strict=True):
        if recalibration is not None:
            score = score * recalibration if mode == 'multiply' else score + recalibration
        final = final + weight * score
    return final


def resize(x, size, align_corners):
    """Bilinear resizing, one pixel at a time: [C, h, w] -> [C, *size]."""

    def weights(length, target):
        matrix = np.zeros((target, length))
        for i in range(target):
            if align_corners:
                at = i * (length - 1) / (target - 1) if target > 1 else 0
            else:
                at = max((i + 0.5) * length / target - 0.5, 0)
            low = min(int(at), length - 1)
            high = min(low + 1, length - 1)
            matrix[i, low] += 1 - (at - low)
            matrix[i, high] += at - low
        return matrix

    return np.einsum('ah,bw,chw->cab', weights(x.shape[1], size[0]), weights(x.shape[2], size[1]), x)


def hypercolumn(maps, align_corners):  # section 2.1: "upsampled to same size and then we concatenate them all"
    size = max((m.shape[1:] for m in maps), key=np.prod)
    return np.concatenate([resize(m, size, align_corners) for m in maps])


def attention_model(features, scale_convs, branches, dilations, align_corners):
    """Figure 1: the inputs of the softmax in equation 2 and of the sigmoid in equation 3.

    features: the maps of each scale; scale_convs: (weight, bias) of each; branches: ((weight, bias) of the 3x3, of the
    1x1) of each branch.
    """
    seen = [
        np.maximum(conv3x3(hypercolumn(maps, align_corners), *conv, dilation), 0)
        for maps, conv, dilation in zip(features, scale_convs, dilations, strict=True)
    ]
    seen = hypercolumn(seen, align_corners)
    return [
        np.einsum('nc,chw->nhw', last[0][:, :, 0, 0], np.maximum(conv3x3(seen, *first, 1), 0)) + last[1][:, None, None]
        for first, last in branches
    ]
