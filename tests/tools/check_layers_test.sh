#!/bin/sh
# check_layers_test.sh -- a small repository with every kind of breach, one at a time.
#
#   usage: tests/tools/check_layers_test.sh REPOSITORY
set -eu
repository=$(CDPATH='' cd -- "${1:-.}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failed=0

# A repository without a breach.
fresh() {
    rm -rf src practice cmd labs tests tools
    mkdir -p src/base src/store practice/content cmd/lcx labs/15-attention/drill-01 tests/base tools
    printf '# rooms\nsrc/base what\nsrc/store what\npractice/content what\ncmd/lcx what\n' >tools/layers.txt
    printf 'labs: src/base practice/content/oracle.h   # why\n' >>tools/layers.txt
    : >src/base/error.h
    : >src/base/text.h
    : >src/store/table.h
    printf '#include "store/table.h"\n\n#include "base/error.h"\n\n#include <sys/stat.h>\n' >src/store/table.c
    printf '#include "store/table.h"\n#include "base/error.h"\n' >practice/content/drill.c
    printf '#include "verb.h"\n#include "store/table.h"\n' >cmd/lcx/main.c
    : >cmd/lcx/verb.h
    printf '#include "content/oracle.h"\n#include "base/text.h"\n' >labs/15-attention/drill-01/oracle.c
    printf '#include "cmd/lcx/verb.h"\n' >tests/base/any_test.c
}

# expect NAME STATUS OUTPUT: what check_layers says about the repository as it is now.
expect() {
    status=0
    output=$("$repository/tools/check_layers" . 2>&1) || status=$?
    if [ "$status" -eq "$2" ] && [ "$output" = "$3" ]; then
        echo "ok: $1"
    else
        printf 'FAILED: %s\n  expected %s: %s\n  found    %s: %s\n' "$1" "$2" "$3" "$status" "$output"
        failed=1
    fi
}

fresh
expect a_repository_in_order_is_silent 0 ''

fresh
printf '\n#include "store/table.h"\n' >src/base/error.c
expect an_earlier_room_may_not_include_a_later_one 1 \
    'src/base/error.c:2: room src/base may not include room src/store ("store/table.h")'

fresh
printf '  #  include <store/table.h>\n' >src/base/error.h
expect angle_brackets_and_blanks_hide_nothing 1 \
    'src/base/error.h:1: room src/base may not include room src/store ("store/table.h")'

fresh
mkdir src/base/json
printf '#include "content/drill.h"\n' >src/base/json/parse.c
expect a_file_deeper_in_a_room_belongs_to_the_room 1 \
    'src/base/json/parse.c:1: room src/base may not include room practice/content ("content/drill.h")'

fresh
printf '#include "error.h"\n' >src/base/text.c
expect our_headers_are_written_with_their_room 1 \
    'src/base/text.c:1: "error.h": write "base/error.h"'

fresh
printf '#include "../store/table.h"\n' >practice/content/drill.c
expect a_path_never_climbs 1 \
    'practice/content/drill.c:1: "../store/table.h": write the path from src/ or practice/'

fresh
printf '#include "shop/till.h"\n' >src/store/table.c
expect an_unknown_room_is_named 1 'src/store/table.c:1: room shop is not in tools/layers.txt'

fresh
mkdir src/shop
: >src/shop/till.c
echo >>src/shop/till.c
expect a_folder_that_is_no_room_is_named 1 'src/shop/till.c:1: room src/shop is not in tools/layers.txt'

fresh
printf '#include "store/table.h"\n' >labs/15-attention/drill-01/oracle.c
expect an_oracle_sees_only_what_its_line_allows 1 \
    'labs/15-attention/drill-01/oracle.c:1: labs may include src/base practice/content/oracle.h only ("store/table.h")'

exit "$failed"
