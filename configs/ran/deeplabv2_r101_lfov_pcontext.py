"""DeepLabv2-LargeFOV (the baseline) with ResNet-101 on PASCAL-Context, 59 classes: one scale, no augmentation.

    python tools/train.py configs/ran/deeplabv2_r101_lfov_pcontext.py

Paper: mIoU 42.6 (table 2 lfov).
"""
_base_ = './deeplabv2_r101_pcontext.py'
model = dict(scales=(1.0, ))
train_dataloader = dict(dataset=dict(pipeline=_base_.unaugmented_pipeline))
