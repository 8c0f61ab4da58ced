# The common part of the configs that `mmrev new-config` writes: DeepLabv2-LargeFOV on a ResNet of output stride 8, at
# one scale. The new layers learn ten times as fast as the backbone.
_base_ = ['./models/deeplabv2_r18.py', './solvers/deeplabv2.py', './schedules/iter_based.py', './default_runtime.py']
model = dict(scales=(1.0,))
optim_wrapper = dict(optimizer=dict(lr=2.5e-3), paramwise_cfg=dict(custom_keys=dict(fusion=dict(lr_mult=10))))
train_dataloader = dict(num_workers=2, persistent_workers=True, sampler=dict(type='InfiniteSampler', shuffle=True))
val_dataloader = dict(batch_size=1, num_workers=2, persistent_workers=True,
                      sampler=dict(type='DefaultSampler', shuffle=False))
test_dataloader = val_dataloader
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(interval=1000))  # and the last one
