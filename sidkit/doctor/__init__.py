"""What a run will need and what is missing, by arithmetic; nothing is run or downloaded."""
