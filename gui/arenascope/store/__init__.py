"""What is kept on this computer: captures, and the lists of what was used."""
