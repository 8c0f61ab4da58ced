# DeepLabv2's solver with RAN's learning rate and weight decay (section 4). Biases of the classifiers: 20 times the
# learning rate and no decay, as in DeepLabv2's Caffe files.
max_iters = 20000
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=2.5e-4, momentum=0.9, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys={
        'decode_head': dict(lr_mult=10),
        **{f'decode_head.{classifier}.bias': dict(lr_mult=20, decay_mult=0) for classifier in (
            'conv_seg', 'conv_seg.0', 'conv_seg.1', 'conv_seg.2', 'conv_seg.3', 'conv_org', 'conv_rev')}}))
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0, begin=0, end=max_iters, by_epoch=False)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=max_iters // 10)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # two are kept: mmengine removes an old one before it writes the next
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=max_iters // 10, max_keep_ckpts=2),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='SegVisualizationHook'))
