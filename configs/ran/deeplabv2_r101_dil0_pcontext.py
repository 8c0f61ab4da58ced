"""DeepLabv2 (the baseline) with ResNet-101 on PASCAL-Context, 59 classes: one scale, no augmentation or dilation.

    python tools/train.py configs/ran/deeplabv2_r101_dil0_pcontext.py

Paper: mIoU 41.6 (table 2 dil0).
"""
_base_ = './deeplabv2_r101_pcontext.py'
model = dict(scales=(1.0, ), decode_head=dict(dilation=1))
train_dataloader = dict(dataset=dict(pipeline=_base_.unaugmented_pipeline))
