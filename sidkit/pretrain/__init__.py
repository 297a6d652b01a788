"""Pretraining of the shipped models; `train` in `train.py` does it, and so does `sidkit stickers pretrain`.

Order: autoencoder, or doubling, which begins one where one for pictures of half the side stopped; latent_reader, which
tells text_to_image what its drawings lack and goes on learning beside it; text_to_image itself. At any time: decoder,
which sharpens the pictures, and segmenter, which stands alone. Then reader and, looking with its backbone, image_text,
identity and captioner; last subject_encoder, through the shipped text_to_image.
Every part goes on where its folder in `work` stopped; the retraining of weights needs no change in code.
"""
