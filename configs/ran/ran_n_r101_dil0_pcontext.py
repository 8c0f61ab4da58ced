"""RAN-n (equation 2) with ResNet-101 on PASCAL-Context, 59 classes: one scale, no augmentation or dilation.

    python tools/train.py configs/ran/ran_n_r101_dil0_pcontext.py

Paper: mIoU 44.5 (table 2 dil0).
"""
_base_ = './deeplabv2_r101_pcontext.py'
model = dict(scales=(1.0, ), decode_head=dict(type='mmrev.ReverseAttentionHead', mode='normalized', dilation=1))
train_dataloader = dict(dataset=dict(pipeline=_base_.unaugmented_pipeline))
