"""Three papers on Cityscapes, 19 classes: RAN-n on RA-ResNet-101, fused by scale attention.

    python tools/train.py configs/combined/ran_n_scale_attention_ra_r101_cityscapes.py

Not in the papers. The classifiers are dilated 3x3 convolutions, as in RAN.
"""
_base_ = './ranet_scale_attention_ra_r101_cityscapes.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='normalized'))
