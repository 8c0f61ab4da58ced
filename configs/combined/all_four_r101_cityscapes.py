"""All four papers on Cityscapes, 19 classes: RAN around RANet on RA-ResNet-101, fused by scale attention.

    python tools/train.py configs/combined/all_four_r101_cityscapes.py

Not in the papers. The reverse branch is beside the last classifier of RANet.
"""
_base_ = './ranet_scale_attention_ra_r101_cityscapes.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionWrapper', head='mmrev.RegionAttentionHead',
                              mode='normalized'))
