"""A module per tool: how its tables are recognised, and how their rows become reads."""
