"""What a cycle costs, beside the floor that its venue and its database set: `make bench`.

Not part of the package that is installed. Every question is a file; what is measured runs in a
process of its own, the simulated venue and Postgres in others.
"""
