# DeepLabv2's augmentation takes one of five scales, a crop and a mirror image.
crop_size = (321, 321)
load = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
crop = [dict(type='RandomCrop', crop_size=crop_size)]
pack = [dict(type='PackSegInputs')]
augment = [
    dict(type='RandomChoice', transforms=[
        [dict(type='Resize', scale_factor=factor, keep_ratio=True)] for factor in (0.5, 0.75, 1.0, 1.25, 1.5)]),
    *crop,
    dict(type='RandomFlip', prob=0.5)]
test_pipeline = [*load, *pack]
train_loader = dict(batch_size=10, num_workers=4, persistent_workers=True,
                    sampler=dict(type='InfiniteSampler', shuffle=True))
test_loader = dict(batch_size=1, num_workers=4, persistent_workers=True,
                   sampler=dict(type='DefaultSampler', shuffle=False))
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
