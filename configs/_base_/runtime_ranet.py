# Section 4: testing with --tta uses six scales and no mirror images.
_base_ = './default_runtime.py'
tta_scales = [dict(type='Resize', scale_factor=factor, keep_ratio=True)
              for factor in (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)]
tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='TestTimeAug', transforms=[tta_scales, [dict(type='LoadAnnotations')], [dict(type='PackSegInputs')]])]
