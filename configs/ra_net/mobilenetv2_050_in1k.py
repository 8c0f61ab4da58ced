"""MobileNetV2 0.5x, the baseline, on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/mobilenetv2_050_in1k.py

Paper: top-1 64.3, top-5 85.2; 1.969 M parameters, 111.7 MFLOPs (table 3).
Assumed (table 1 does not say): a cosine schedule.
"""
_base_ = './mobilenetv2_100_in1k.py'
model = dict(backbone=dict(widen_factor=0.5), neck=dict(p=0.))
