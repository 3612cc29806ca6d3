"""What other programs and the review page may ask of a running Kith, over HTTP; daemon/API.md is the contract."""
