"""Sentences that are captions and sentences that are none, a line each: what a stranger would say of them holds."""

import pytest

from sidkit.describe.answer_error import AnswerError
from sidkit.describe.answers import read_answer
from sidkit.describe.instructions import load_instruction

CAPTIONS = """
A dog stands at an open gate, looking toward you.
A dog sits beside a child who cannot reach the shelf.
A dog in front of a store with a sign reading "Sorry, we're closed".
A dog lies on a mat that reads "No Entry", next to a door.
A dog sits in a photo studio without any pictures on the walls.
A dog holds a file folder in its mouth in an office.
A dog on a couch while a man views a photo on his phone.
A dog beside an open window; no people are visible.
A dog rests on a blanket, and no other animals are present.
A dog next to a broken picture frame on the floor.
A dog stands by a mirror, its reflection visible.
A dog running through sand, unable to catch a ball.
A dog looking at the camera as if to say "please share the food".
A dog sits near a computer that displays an image of a cat.
A dog with a note attached to its collar sits on a porch.
A dog is shown on a poster in a subway station.
A dog sits in a box labeled "FRAGILE - THIS SIDE UP".
A dog waits at a red light on a wet street at night.
A dog sits by a laptop with the caption "I am sorry" on the screen.
A dog sits on a bench; next to it is a sign: "Please keep off the grass".
A dog lies next to a book titled "Thank You".
A dog and an AI robot stand in a lab.
A dog under a table in a restaurant, a model of a ship on the wall.
A dog in a costume that was provided by a shop.
A dog sits in a garden. It is sunny. Flowers surround the scene.
A dog sits next to Dr. Smith, who wears a coat.
A dog at 3 p.m. in a park.
A dog in the U.S. Capitol, near stairs.
A dog in a store – shelves, boxes, and bottles around it.
A dog "Rex" statue in a square.
A dog on the beach: waves, sand, and sky in the background.
Two dogs play in the snow.
The dog's head rests on a pillow.
Dog on a skateboard in a street.
A small dog sits on a rug.
A close-up of a dog on a sofa.
A photo of a dog on a sofa.
A black-and-white photograph of a dog on a pier.
There is a dog on the sofa.
This is a dog sitting on a sofa.
In this picture, a dog sits on a sofa.
On a wooden table, a dog figurine stands beside a lamp.
A dog, which is sitting on a mat, looks up.
A dog with café chairs behind it – très chic.
A dog beside a Möbius sculpture in Zürich.
A dog & a cat on a bench.
A dog <3 balloon near a wall.
A dog in a room with 50% shade.
A dog at #7 Main Street.
A dog wearing a t-shirt with _under_score text.
A dog near (blurred) trees.
A dog I-beam construction site scene with cranes.
A dog by a wall with "A" and "B" and "C" on it.
A dog on an island, an image of calm.
A dog sits on grass, no leash attached.
A dog in a frame without the glass.
A dog with a white mug, not far from a window.
A dog in the middle of nowhere.
A dog beneath a banner, "I can't even".
A dog that does not look at the ball.
"""
OF_OTHER_CLASSES = (
    ("teddy bear", "A teddy bear sits on a shelf."),
    ("mouse", "Two mice sit on a shelf."),
    ("t-shirt", "A t-shirt hangs on a door."),
    ("robot toy", "A robot toy stands on a desk."),
    ("sneakers", "A pair of sneakers on a floor."),
    ("picture frame", "A picture frame stands on a shelf."),
    ("model", "A model train on a table."),
    ("assistant", "A assistant robot in a lab."),
    ("caption", "A caption card on a wall."),
    ("card", "A card that says thank you on a table."),
    ("book", 'A book with the title "You" on a bench.'),
)
NO_CAPTIONS = """
I won't describe people or a dog in this picture.
Sorry! I can only describe images when they are attached. A dog?
Regrettably, describing this dog is outside what I can do.
I do apologize, the dog photo could not be analyzed.
It would be inappropriate to describe the dog.
I'm going to pass on describing this dog.
Describing the dog is not something I'm able to do.
The image could not be loaded, so here is a generic caption: A dog sits in a park.
Since I can't see the picture, I'll imagine: A dog sits in a park.
As I cannot view it, here's an example: "A dog sits in a park."
A dog sits in a park. (This is a guess as no image was given.)
A dog sits in a park. Please note that I cannot actually see images.
A dog sits in a park. I made this up because the image is missing.
Example: A dog sits in a park. (I can't see your image.)
A dog sits in a park — hypothetically, since there is no image.
Without access to the image, a dog might sit in a park.
The photo seems to be missing. A dog?
I only see text and no dog picture.
[No image provided] A dog
It seems like you forgot to attach the dog picture.
You haven't shared a dog picture yet.
You didn't upload the dog image.
The link to the dog picture is broken.
I cannot open dog.png.
My vision capabilities are disabled, so no dog.
This model can't process images of a dog.
Image processing is not available, dog.
Input contains no image of a dog.
I see a blank image, not a dog.
The image is completely black, so the dog is not discernible.
The image is too dark to see a dog.
The picture is a solid color; the dog cannot be made out.
Blocked by safety filter: a dog
This request was flagged for a dog.
I must respectfully decline the dog request.
For privacy reasons I can't describe the dog.
For safety reasons, I am not able to describe a dog.
Due to restrictions, the dog is not described.
I have been instructed not to describe the dog.
I was told not to describe the dog.
The dog should not be described.
The instructions say not to describe the dog.
The user wants a caption of a dog.
The user asks me to describe the dog in one sentence.
We need to describe the image without the dog's features.
So the caption should start with "A dog".
Let's see. The dog is on a beach.
Hmm, the image shows a dog.
First, I look at the dog.
Step 1: find the dog.
Okay.
Sure!
Here is the caption for the dog:
A dog [location].
A dog in {place}.
A dog in <place>.
A dog (see image).
A dog etc. etc. etc. etc.
Caption: dog
Title: Dog Photo
dog, beach, ball
#dog #beach #a
https://example.com/dog.jpg a dog
dog.jpg in a folder
"""


def lines(text):
    return text.strip("\n").split("\n")


def read(text, class_word):
    return read_answer(text, class_word, load_instruction("sentence").filled(class_word), "m").caption(3)


@pytest.mark.parametrize(("word", "text"), [*(("dog", line) for line in lines(CAPTIONS)), *OF_OTHER_CLASSES])
def test_a_caption_stays_whole(word, text):
    told = read(text, word).replace("[v] ", "")
    assert text.rstrip(" .").lower().endswith(told.lower()) and len(told) > len(text) - 20


@pytest.mark.parametrize("text", lines(NO_CAPTIONS))
def test_what_is_no_caption_is_refused(text):
    with pytest.raises(AnswerError):
        read(text, "dog")
