"""Studies: subjects x cases x seeds, personalized, drawn and measured into one table, and what the table says.

`plan` says what is run, `run` does it through the run store, `tables` writes down what came out, `claims` holds the
paper against it.
"""
