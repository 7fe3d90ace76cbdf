"""Files that people bring: lists and calendars read strictly, every fault at its line and column."""
