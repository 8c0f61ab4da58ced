"""RANet in the layout of the authors' code with ResNet-101 on Cityscapes, 19 classes.

    python tools/train.py configs/ranet/ranet_r101_authors_cityscapes.py

Paper: no figure.
The head follows the authors' code: separate queries and values, score maps from stage 3 with a shared convolution, no
masks in the softmaxes, its divergence, and its weights of the losses. The solver is the paper's.
"""
_base_ = './ranet_r101_cityscapes.py'
model = dict(decode_head=dict(layout='authors', similarity='binary_jsd', temperature=1, coarse_in_index=2,
                              coarse_in_channels=1024, semantic_weight=0.4,
                              loss_boundary=dict(type='mmseg.CrossEntropyLoss', use_sigmoid=True, loss_weight=0.2)))
