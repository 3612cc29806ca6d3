"""How well Kith recognises people, measured on a folder of pictures for each person. See ../README.md."""
