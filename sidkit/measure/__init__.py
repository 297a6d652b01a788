"""Measures: functions of embeddings (`metrics`), what makes embeddings (`instruments`), intervals (`statistics`)."""
