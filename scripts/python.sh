#!/bin/sh
# Print the Python that the virtual environment is made with: the first that is 3.11 to 3.13.
for python in python3 python3.13 python3.12 python3.11; do
    if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
        command -v "$python"
        exit
    fi
done
found=$(python3 --version 2>/dev/null || echo "no python3")
echo "error: Colorway needs Python 3.11, 3.12 or 3.13 on the PATH; found $found" >&2
exit 1
