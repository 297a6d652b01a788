"""The book's chapters: each has the name of its notebook, and says what it runs, claims and shows."""
