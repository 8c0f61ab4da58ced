"""RA-MobileNetV2 0.5x (reverse attention) on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_mobilenetv2_050_in1k.py

Paper: params M 1.969, MFLOPs 111.7, top-1 65.8, top-5 86.5 (table 3).
"""
_base_ = './ra_mobilenetv2_100_in1k.py'
model = dict(backbone=dict(widen_factor=0.5), neck=dict(p=0.))
