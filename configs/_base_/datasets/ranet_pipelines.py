# Section 4: scaling, flipping and brightness. One process sees all 8 images of a step. The scales of 0.7 to 2.1 come
# from the authors' code for Cityscapes.
load = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
scale = [dict(type='RandomChoice', transforms=[
    [dict(type='Resize', scale_factor=tenths / 10, keep_ratio=True)] for tenths in range(7, 22)])]
after_crop = [
    dict(type='RandomFlip', prob=0.5),
    # This changes the brightness only. mmsegmentation fails at a hue_delta of 0, so hue_delta is 1.
    dict(type='PhotoMetricDistortion', contrast_range=(1, 1), saturation_range=(1, 1), hue_delta=1),
    dict(type='mmrev.BoundaryLabels'),
    dict(type='PackSegInputs')]
test_pipeline = [*load, dict(type='PackSegInputs')]
train_loader = dict(batch_size=8, num_workers=4, persistent_workers=True,
                    sampler=dict(type='InfiniteSampler', shuffle=True))
test_loader = dict(batch_size=1, num_workers=4, persistent_workers=True,
                   sampler=dict(type='DefaultSampler', shuffle=False))
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
