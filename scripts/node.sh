#!/bin/sh
# Succeed when the machine's own Node.js, with npm, is one that the CDK supports: 22 or 24.
command -v npm >/dev/null || exit 1
case $(node --version 2>/dev/null) in
    v22.* | v24.*) exit 0 ;;
    *) exit 1 ;;
esac
