"""RAN-n around UPerNet with ResNet-18 on CamVid, 11 classes.

    python tools/train.py configs/combined/ran_n_upernet_r18_camvid.py

Not in the papers. To continue from the baseline, as RAN does:
--cfg-options load_from=work_dirs/upernet_r18_camvid/iter_4000.pth.
"""
_base_ = './upernet_r18_camvid.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionWrapper', head='UPerHead', mode='normalized'))
