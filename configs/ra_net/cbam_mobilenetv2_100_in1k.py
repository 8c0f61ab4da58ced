"""CBAM-MobileNetV2 1.0x on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/cbam_mobilenetv2_100_in1k.py

Paper: params M 3.529, MFLOPs 328.1, top-1 72.4, top-5 90.9 (table 3).
"""
_base_ = './mobilenetv2_100_in1k.py'
model = dict(backbone=dict(type='mmrev.CBAMMobileNetV2'))
