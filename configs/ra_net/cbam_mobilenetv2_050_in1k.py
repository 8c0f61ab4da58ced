"""CBAM-MobileNetV2 0.5x on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/cbam_mobilenetv2_050_in1k.py

Paper: params M 1.976, MFLOPs 112.3, top-1 65.3, top-5 86.1 (table 3).
"""
_base_ = './mobilenetv2_100_in1k.py'
model = dict(backbone=dict(type='mmrev.CBAMMobileNetV2', widen_factor=0.5), neck=dict(p=0.))
