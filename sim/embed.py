#!/usr/bin/env python3
"""Turns a file into a C array ended by NUL: embed.py INPUT OUTPUT SYMBOL"""
import sys

source, target, symbol = sys.argv[1:4]
data = open(source, "rb").read() + b"\0"
rows = [", ".join(f"'\\x{b:02x}'" for b in data[i:i + 24]) for i in range(0, len(data), 24)]
with open(target, "w") as out:
    out.write(f"extern const char {symbol}[];\nconst char {symbol}[] = {{\n    " + ",\n    ".join(rows) + "\n};\n")
