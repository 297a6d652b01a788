"""Other trainers' folders: one becomes a subject's folder (`taken`), and a subject's goes back (`given_back`).

img/10_sks dog/00.png, 00.txt       kohya's sd-scripts: how often a step sees it, its trigger word and class
00.png, metadata.jsonl              Hugging Face's imagefolder
00.png, 00.txt, 00-masklabel.png    OneTrainer
"""
