"""CBAM-MobileNetV2 1.0x (CBAM) on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/cbam_mobilenetv2_100_in1k.py

Paper: top-1 72.4, top-5 90.9; 3.529 M parameters, 328.1 MFLOPs (table 3).
Assumed (table 1 does not say): a cosine schedule.
"""
_base_ = './mobilenetv2_100_in1k.py'
model = dict(backbone=dict(type='mmrev.CBAMMobileNetV2'))
