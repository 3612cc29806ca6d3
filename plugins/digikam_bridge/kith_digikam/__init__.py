"""What Kith shares with digiKam, through digiKam's own database. Knows nothing of Kith but its API (daemon/API.md)."""
