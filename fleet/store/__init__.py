"""What is kept: tables, the database, and the queries by subject."""
