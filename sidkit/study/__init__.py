"""Studies: subjects x arms x seeds, personalized, drawn and measured into one table, and what the table says.

From a plan to pictures and numbers: `plan` says what is run, `cells` checks it, `recipes` gathers all that each piece
depends on, `workshop` makes the `pieces` that the run store lacks, and `run` puts them into one table. `drawn_masks`
and `maps` look at the pictures once more, `tables` write down what came out, `claims` hold the paper against it.
A `chapter` of the book does all of this.
"""
