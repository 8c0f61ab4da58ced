"""SE-MobileNetV2 1.0x (squeeze-and-excitation) on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/se_mobilenetv2_100_in1k.py

Paper: params M 3.516, MFLOPs 327.5, top-1 72.1, top-5 90.8 (table 3).
"""
_base_ = './mobilenetv2_100_in1k.py'
model = dict(backbone=dict(type='mmrev.SEMobileNetV2'))
