"""Encoder methods: one look at a reference picture instead of training, with the base model as it is.

An arm of a study asks for one as `method="encoder:NAME"`:

stickers         the subject encoder shipped with Sticker World, of the family of ELITE and BLIP-Diffusion
ip_adapter       IP-Adapter (arXiv 2308.06721), through diffusers' maintained `load_ip_adapter`; newer than the paper
blip_diffusion   BLIP-Diffusion, a rival in the paper's Figs. 6 and 9, through diffusers' deprecated pipeline
elite            ELITE, the other rival; its checkpoint cannot be loaded without its own code, and is refused
"""

ENCODER_NAMES = ("stickers", "ip_adapter", "blip_diffusion", "elite")
ENCODER_PREFIX = "encoder:"  # of an arm's method


def encoder_of(method: str) -> str:
    """The encoder's name in an arm's method; "" for a method that trains."""
    if not method.startswith(ENCODER_PREFIX):
        return ""
    return method.removeprefix(ENCODER_PREFIX)
