"""RANet, HRNetV2-W48 + ASPP, Cityscapes test server, 19 classes.

    python tools/train.py configs/ranet/ranet_hrnetv2_w48_aspp_trainval_cityscapes.py

Paper: mIoU 83.4 (table 5).
Assumed (not in the paper): momentum, weight decay, scales of 0.7 to 2.1 and overlapping windows at test time, as in the
authors' code; no auxiliary loss. Which of its figures are of six test scales (--tta), the paper does not say.
Also assumed: training on train and val, so that nothing is left to validate on.
HRNet's maps meet at stride 8, so that regions are found on 97 x 97 pixels, the size in the paper's tables: at stride 4
the 37,249 pixels have 16 times the pairs (model.neck.size_of=0).
tools/test.py <config> <checkpoint> --tta writes the test server's PNGs into
work_dirs/ranet_hrnetv2_w48_aspp_trainval_cityscapes/submission (pip install cityscapesscripts).
"""
_base_ = './ranet_r101_trainval_cityscapes.py'
widths = (48, 96, 192, 384)
model = dict(
    backbone=dict(
        _delete_=True, type='HRNet', norm_cfg=_base_.norm_cfg,
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w48'),
        extra=dict(
            stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(4,), num_channels=(64,)),
            stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(4,) * 2, num_channels=widths[:2]),
            stage3=dict(num_modules=4, num_branches=3, block='BASIC', num_blocks=(4,) * 3, num_channels=widths[:3]),
            stage4=dict(num_modules=3, num_branches=4, block='BASIC', num_blocks=(4,) * 4, num_channels=widths))),
    neck=dict(type='mmrev.ConcatASPP', in_channels=widths, size_of=1, norm_cfg=_base_.norm_cfg, align_corners=True),
    decode_head=dict(in_channels=512, in_index=0))
test_evaluator = dict(output_dir='work_dirs/ranet_hrnetv2_w48_aspp_trainval_cityscapes/submission')
