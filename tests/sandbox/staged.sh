#!/bin/sh
# staged.sh -- run a sandbox test from a folder that every uid can reach, wherever the build is.
#
#   usage: staged.sh TEST LCX_CONFINE LIBCONFINE ATTACKS [ARGUMENT...]
#
# A clone may lie below a closed folder (/root, a private temporary one). The tests drop to other uids,
# which then could not reach what they are to run.
set -u
folder=$(mktemp -d /tmp/lynx-cortex-staged-XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cp "$1" "$folder/test" && cp "$2" "$3" "$4" "$folder/" || exit 1
shift 4
LCX_HELPERS=$folder LCX_ATTACKS=$folder/sandbox_attacks LD_LIBRARY_PATH=$folder "$folder/test" "$@"
