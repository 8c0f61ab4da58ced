"""Attention-to-Scale with ResNet34-dilated8 on ADE20K, 150 classes.

    python tools/train.py configs/scale_attention/attention_to_scale_r34d8_ade20k.py

Paper: mIoU 35.11, aAcc 76.82 (table 3).
"""
_base_ = './scale_attention_r34d8_ade20k.py'
model = dict(fusion=dict(multi_stage=False, diverse_dilations=False, conv_per_scale=False, recalibration=None))
