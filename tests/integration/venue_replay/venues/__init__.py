"""What each venue's samples are, and what they must be read as."""
