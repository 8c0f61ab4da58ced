"""SE-MobileNetV2 0.75x (squeeze-and-excitation) on ImageNet-1K: 150 epochs of 256 images a step.

    python tools/train.py configs/ra_net/se_mobilenetv2_075_in1k.py

Paper: top-1 70.0, top-5 89.4; 2.643 M parameters, 232.5 MFLOPs (table 3).
Assumed (table 1 does not say): a cosine schedule.
"""
_base_ = './mobilenetv2_075_in1k.py'
model = dict(backbone=dict(type='mmrev.SEMobileNetV2'))
