"""The doctor's questions about a book's database: each reads, and changes nothing."""
