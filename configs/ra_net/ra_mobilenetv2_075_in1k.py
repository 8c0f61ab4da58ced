"""RA-MobileNetV2 0.75x (reverse attention) on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_mobilenetv2_075_in1k.py

Paper: params M 2.636, MFLOPs 232.5, top-1 70.4, top-5 89.5 (table 3).
"""
_base_ = './ra_mobilenetv2_100_in1k.py'
model = dict(backbone=dict(widen_factor=0.75), neck=dict(p=0.1))
