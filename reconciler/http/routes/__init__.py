"""The paths of the API, one file for each noun. Each hands over to the desk, and adds nothing."""
