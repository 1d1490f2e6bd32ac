"""What the draft of a layer file is made of: looking at a file, and writing down what was seen."""
