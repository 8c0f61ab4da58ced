# RANet on HRNetV2-W48 and an ASPP. The maps meet at stride 8, so regions are found on 97 x 97 pixels, the size in the
# paper's tables. At stride 4 there are 37,249 pixels and 16 times as many pairs (model.neck.size_of=0).
_base_ = './fcn_r101d8.py'
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
