"""Kith finds the people in your own photos and writes their names beside them."""
