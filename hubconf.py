"""Entry points of torch.hub: those of the official repository under their names, others under ours.

network = torch.hub.load("<this repository>", "DPT_Large")
transform = torch.hub.load("<this repository>", "transforms").dpt_transform
disparity = network(transform(image))       # image: uint8 RGB array (H, W, 3); result: (1, h, w)
"""

import sys as _sys
from pathlib import Path as _Path
from types import SimpleNamespace as _SimpleNamespace

dependencies = ["torch", "timm", "safetensors", "numpy", "PIL"]

_SOURCE = str(_Path(__file__).resolve().parent / "src")
if _SOURCE not in _sys.path:  # a clone fetched by torch.hub isn't installed
    _sys.path.insert(0, _SOURCE)

# Entry point: name in our model table.
_MODELS = {
    "DPT_BEiT_L_512": "dpt_beit_large_512",
    "DPT_BEiT_L_384": "dpt_beit_large_384",
    "DPT_BEiT_B_384": "dpt_beit_base_384",
    "DPT_SwinV2_L_384": "dpt_swin2_large_384",
    "DPT_SwinV2_B_384": "dpt_swin2_base_384",
    "DPT_SwinV2_T_256": "dpt_swin2_tiny_256",
    "DPT_Swin_L_384": "dpt_swin_large_384",
    "DPT_Next_ViT_L_384": "dpt_next_vit_large_384",
    "DPT_LeViT_224": "dpt_levit_224",
    "DPT_Large": "dpt_large_384",
    "DPT_Hybrid": "dpt_hybrid_384",
    "MiDaS": "midas_v21_384",
    "MiDaS_small": "midas_v21_small_256",
    "midas_nano_256": "midas_nano_256",
    "zipdepth_base": "zipdepth_base",
    "zipdepth_base_npu": "zipdepth_base_npu",
}

# Transform: a model whose input rule it is.
_TRANSFORMS = {
    "default_transform": "midas_v21_384",
    "small_transform": "midas_v21_small_256",
    "dpt_transform": "dpt_large_384",
    "beit512_transform": "dpt_beit_large_512",
    "swin384_transform": "dpt_swin2_large_384",
    "swin256_transform": "dpt_swin2_tiny_256",
    "levit_transform": "dpt_levit_224",
    "nano_transform": "midas_nano_256",
    "zipdepth_transform": "zipdepth_base",
}


def _entry_point(name):
    from midas.models.zoo import MODELS

    def create(pretrained=True, **_):
        from midas.models import create_model

        return create_model(name, weights="pretrained" if pretrained else None)

    create.__doc__ = f"""{MODELS[name].summary}.

    pretrained (bool): load the published weights, from the cache or their publisher.
    """
    return create


def transforms():
    """The rules by which a picture becomes a network's input, as attributes named after the official ones."""
    import torch
    from PIL import Image

    from midas.models.zoo import MODELS
    from midas.pictures.preprocess import Preprocess
    from midas.pictures.reading import read_image

    def transform(name):
        preprocess = Preprocess(MODELS[name].input)

        def prepare(image):
            return torch.from_numpy(preprocess(read_image(image) if isinstance(image, Image.Image) else image))

        return prepare

    return _SimpleNamespace(**{attribute: transform(name) for attribute, name in _TRANSFORMS.items()})


for _name, _model in _MODELS.items():
    globals()[_name] = _entry_point(_model)
