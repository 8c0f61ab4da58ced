# mmsegmentation's UPerNet. The ResNet-50 has the 7x7 stem of the classifiers that give it its weights.
norm_cfg = dict(type='SyncBN', requires_grad=True)
classifier = dict(num_classes=150, norm_cfg=norm_cfg, dropout_ratio=0.1, align_corners=False)
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True,
        pad_val=0, seg_pad_val=255),
    backbone=dict(
        type='ResNet', depth=50, num_stages=4, out_indices=(0, 1, 2, 3), norm_cfg=norm_cfg, style='pytorch',
        contract_dilation=True),
    decode_head=dict(
        type='UPerHead', in_channels=[256, 512, 1024, 2048], in_index=[0, 1, 2, 3], pool_scales=(1, 2, 3, 6),
        channels=512, loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0), **classifier),
    auxiliary_head=dict(
        type='FCNHead', in_channels=1024, in_index=2, channels=256, num_convs=1, concat_input=False,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=0.4), **classifier),
    train_cfg=dict(), test_cfg=dict(mode='whole'))
