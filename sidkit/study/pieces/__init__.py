"""The kinds of piece that a study keeps in the run store.

Each module has one kind: a frozen dataclass that holds all that the piece depends on, and is its key in the store, and
the function that makes it. The modules import nothing of a study else, since what they import is part of the key, too.

rendered  a subject of Sticker World
trained   the weights of a personalized model, and the class pictures that prior preservation wants
encoded   what an encoder method makes of a reference; made again whenever it is needed
drawn     the pictures of a subject and arm
measured  the table of those pictures
masked    where the subject is in them
watched   what `[v]` looked at while they were drawn
"""
