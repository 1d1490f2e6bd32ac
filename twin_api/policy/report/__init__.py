"""What the policies say, retold for people who read no policy files."""
