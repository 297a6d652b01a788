"""Figures: charts, sheets of pictures, maps of attention; nothing is computed here."""
