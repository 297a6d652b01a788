"""A form for people who compare two pictures, as in the paper's human study (appendix B), and what comes of it."""
