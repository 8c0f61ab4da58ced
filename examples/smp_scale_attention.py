"""The Unet of segmentation_models_pytorch at two scales, which scale attention fuses.

pip install segmentation-models-pytorch && python examples/smp_scale_attention.py [--pretrained]
"""

import sys

import segmentation_models_pytorch as smp
import torch
from torch.nn import functional as F
from toy import NUM_CLASSES, accuracy, squares

from mmrev.models.layers import ScaleAttention

torch.manual_seed(0)
unet = smp.Unet('resnet18', encoder_weights='imagenet' if '--pretrained' in sys.argv else None, classes=NUM_CLASSES)
# the paper sees feature maps of several stages: here the first map of the encoder and the last of the decoder
attention = ScaleAttention([64, 16], NUM_CLASSES, dilations=(12, 2), scale_channels=16, channels=16)
optimizer = torch.optim.AdamW([*unet.parameters(), *attention.parameters()], lr=1e-3)


def at_scale(images, scale):
    encoded = unet.encoder(F.interpolate(images, scale_factor=scale, mode='bilinear'))
    decoded = unet.decoder(encoded)
    return [encoded[1], decoded], unet.segmentation_head(decoded)


for _ in range(20):
    images, labels = squares(8)
    features, scores = zip(*[at_scale(images, scale) for scale in (1.0, 0.5)], strict=True)
    outputs = [attention(features, scores), *(F.interpolate(each, 64, mode='bilinear') for each in scores)]
    optimizer.zero_grad()
    sum(F.cross_entropy(output, labels) for output in outputs).backward()  # the fused scores and each scale
    optimizer.step()

images, labels = squares(16)
with torch.no_grad():
    unet.eval()
    features, scores = zip(*[at_scale(images, scale) for scale in (1.0, 0.5)], strict=True)
    maps = attention.attend([attention.scale_features(each, index) for index, each in enumerate(features)])
print(
    f'right on new squares: fused {accuracy(attention.fuse(scores, maps), labels)}, '
    f'alone {", ".join(accuracy(each, labels) for each in scores)}'
)
print('mean attention to the scales 1 and 0.5:', [round(share, 2) for share in maps.attention.mean((0, 2, 3)).tolist()])
