"""MobileNetV2 0.75x (the baseline) on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/mobilenetv2_075_in1k.py

Paper: params M 2.636, MFLOPs 232.5, top-1 69.2, top-5 88.8 (table 3).
"""
_base_ = './mobilenetv2_100_in1k.py'
model = dict(backbone=dict(widen_factor=0.75), neck=dict(p=0.1))
