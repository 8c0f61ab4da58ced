"""CBAM-MobileNetV2 0.75x (CBAM) on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/cbam_mobilenetv2_075_in1k.py

Paper: top-1 70.3, top-5 89.4; 2.650 M parameters, 233.1 MFLOPs (table 3).
Assumed (table 1 does not say): a cosine schedule.
"""
_base_ = './mobilenetv2_075_in1k.py'
model = dict(backbone=dict(type='mmrev.CBAMMobileNetV2'))
