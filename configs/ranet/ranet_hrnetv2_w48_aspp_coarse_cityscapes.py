"""RANet, HRNetV2-W48 + ASPP, Cityscapes test server, 19 classes, with the coarse masks.

    python tools/train.py configs/ranet/ranet_hrnetv2_w48_aspp_coarse_cityscapes.py

Paper: mIoU 84.0 (table 5).
Assumed (not in the paper): momentum, weight decay, scales of 0.7 to 2.1 and overlapping windows at test time, as in the
authors' code; no auxiliary loss. Which of its figures are of six test scales (--tta), the paper does not say.
Also assumed: training on train and val and, all at once, the coarse masks of train_extra; nothing is left to validate
on.
HRNet's maps meet at stride 8, so that regions are found on 97 x 97 pixels, the size in the paper's tables: at stride 4
the 37,249 pixels have 16 times the pairs (model.neck.size_of=0).
tools/test.py <config> <checkpoint> --tta writes the test server's PNGs into
work_dirs/ranet_hrnetv2_w48_aspp_coarse_cityscapes/submission (pip install cityscapesscripts).
"""
_base_ = './ranet_hrnetv2_w48_aspp_trainval_cityscapes.py'
train_dataloader = dict(dataset=dict(datasets=[*_base_.train_dataloader.dataset.datasets, dict(
    **_base_.dataset, seg_map_suffix='_gtCoarse_labelTrainIds.png', pipeline=_base_.train_pipeline,
    data_prefix=dict(img_path='leftImg8bit/train_extra', seg_map_path='gtCoarse/train_extra'))]))
test_evaluator = dict(output_dir='work_dirs/ranet_hrnetv2_w48_aspp_coarse_cityscapes/submission')
