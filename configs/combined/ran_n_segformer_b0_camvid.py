"""RAN-n around SegFormer-B0 on CamVid, 11 classes.

    python tools/train.py configs/combined/ran_n_segformer_b0_camvid.py

Not in the papers. To continue from the baseline, as RAN does:
--cfg-options load_from=work_dirs/segformer_b0_camvid/iter_4000.pth.
"""
_base_ = './segformer_b0_camvid.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionWrapper', head='SegformerHead', mode='normalized'))
