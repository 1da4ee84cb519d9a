"""What an operator does on the data directory or the database itself, whether or not the server runs."""
