"""CBAM-MobileNetV2 0.75x on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/cbam_mobilenetv2_075_in1k.py

Paper: params M 2.650, MFLOPs 233.1, top-1 70.3, top-5 89.4 (table 3).
"""
_base_ = './mobilenetv2_100_in1k.py'
model = dict(backbone=dict(type='mmrev.CBAMMobileNetV2', widen_factor=0.75), neck=dict(p=0.1))
