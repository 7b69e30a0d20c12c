#!/bin/sh
# Say where the machine's Chromium or Chrome is; where it has none, install one that Playwright brings,
# into .venv. Ends with 1 where neither works.
set -eu
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if path=$(command -v "$name"); then
        echo "$path"
        exit 0
    fi
done
PLAYWRIGHT_BROWSERS_PATH="$(dirname "$0")/../.venv/browsers"
export PLAYWRIGHT_BROWSERS_PATH
exec "$(dirname "$0")/../.venv/bin/python" -m playwright install chromium
