"""CBAM-MobileNetV2 0.5x (CBAM) on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/cbam_mobilenetv2_050_in1k.py

Paper: top-1 65.3, top-5 86.1; 1.976 M parameters, 112.3 MFLOPs (table 3).
Assumed (table 1 does not say): a cosine schedule.
"""
_base_ = './mobilenetv2_050_in1k.py'
model = dict(backbone=dict(type='mmrev.CBAMMobileNetV2'))
