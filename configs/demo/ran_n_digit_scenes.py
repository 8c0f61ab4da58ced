"""RAN-n of the demo: the baseline's backbone, seed and length, the reverse attention head.

    make demo

Not in the paper.
"""
_base_ = './deeplabv2_digit_scenes.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='normalized'))
