"""Dual-Branch RAN (no attention) with ResNet-101 on PASCAL-Context, 59 classes: one scale, no augmentation.

    python tools/train.py configs/ran/ran_dual_r101_lfov_pcontext.py

Paper: mIoU 43.9 (table 2 lfov).
"""
_base_ = './deeplabv2_r101_pcontext.py'
model = dict(scales=(1.0, ), decode_head=dict(type='mmrev.ReverseAttentionHead', mode='dual'))
train_dataloader = dict(dataset=dict(pipeline=_base_.unaugmented_pipeline))
