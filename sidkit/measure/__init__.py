"""Measures: pure functions of embeddings (`metrics`), what makes embeddings (`encoders`), intervals (`statistics`)."""
