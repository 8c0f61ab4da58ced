# DeepLabv2's solver with RAN's learning rate and weight decay (section 4). As in DeepLabv2's Caffe files, the biases of
# the classifiers have 20 times the learning rate and no decay.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=2.5e-4, momentum=0.9, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys={
        'decode_head': dict(lr_mult=10),
        **{f'decode_head.{classifier}.bias': dict(lr_mult=20, decay_mult=0) for classifier in (
            'conv_seg', 'conv_seg.0', 'conv_seg.1', 'conv_seg.2', 'conv_seg.3', 'conv_org', 'conv_rev')}}))
