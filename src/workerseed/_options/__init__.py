"""The options beyond torch 1.9. The core imports them when workers start, if they are on."""
