#!/bin/sh
# setup_test.sh -- the set-up against a pretended machine: its packages, its user, its sudo.
#
#   usage: tests/tools/setup_test.sh REPOSITORY
#
# PATH holds only pretended tools and the few real ones that the set-up calls. apt-get and dnf write
# what they were asked for to `asked`, and `installed` holds the names that are there.
set -eu
repository=$(CDPATH='' cd -- "${1:-.}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failed=0

mkdir -p real pretend sudo_yes sudo_no tools/packages
for tool in sh awk sed cat grep env head true; do
    ln -s "/usr/bin/$tool" "real/$tool"
done
printf '#!/bin/sh\necho "$PRETEND_UID"\n' >pretend/id
cat >pretend/dpkg-query <<'SCRIPT'
#!/bin/sh
while read -r name; do echo "installed $name"; done <installed
echo "not-installed half-gone"
SCRIPT
cat >pretend/rpm <<'SCRIPT'
#!/bin/sh
shift 3
for name in "$@"; do
    if grep -qx "$name" installed; then echo "$name"; else echo "package $name is not installed"; fi
done
SCRIPT
cat >pretend/apt-get <<'SCRIPT'
#!/bin/sh
echo "apt-get $*" >>asked
case " $* " in
*' update '*) exit 0 ;;
*) if [ -e broken ]; then exit 100; fi
   for name in "$@"; do echo "$name" >>installed; done ;;
esac
SCRIPT
sed 's/apt-get/dnf/' pretend/apt-get >pretend/dnf
printf '#!/bin/sh\nif [ "$1" = -n ]; then shift; fi\nexec "$@"\n' >sudo_yes/sudo
printf '#!/bin/sh\nexit 1\n' >sudo_no/sudo
chmod +x pretend/* sudo_yes/* sudo_no/*

cat >tools/packages/debian.txt <<'LIST'
# a comment
[build]
gcc        cmd:gcc     compiles
half-gone  -           was removed once
[run]
bubblewrap cmd:bwrap   isolates
[torch]
big        py:nothing  learns
LIST
cp tools/packages/debian.txt tools/packages/ubuntu.txt
cp tools/packages/debian.txt tools/packages/fedora.txt

# machine ID UID INSTALLED...
machine() {
    printf 'ID=%s\nPRETTY_NAME="Pretended %s"\n' "$1" "$1" >os-release
    uid=$2
    shift 2
    : >asked
    rm -f broken
    : >installed
    for name in "$@"; do echo "$name" >>installed; done
}

# run PATH_EXTRA CI ASSUME_YES GROUP...: sets status, output
run() {
    extra=$1 ci=$2 yes=$3
    shift 3
    status=0
    output=$(PATH="$work/$extra:$work/pretend:$work/real" PRETEND_UID=$uid CI=$ci \
        OS_RELEASE="$work/os-release" sh -c '
            set -eu
            . "$0/tools/setup.sh"
            assume_yes=$1
            shift
            setup_groups "./dev up" "$@"
            echo went on' "$repository" "$yes" "$@" 2>&1 </dev/null) || status=$?
}

# expect NAME STATUS PATTERN ASKED: the end of a run
expect() {
    asked=$(cat asked)
    # shellcheck disable=SC2254
    case $output in $3) matched=yes ;; *) matched=no ;; esac
    if [ "$status" -eq "$2" ] && [ "$matched" = yes ] && [ "$asked" = "$4" ]; then
        echo "ok: $1"
    else
        printf 'FAILED: %s\n  status %s, wanted %s\n  asked %s\n  output %s\n' \
            "$1" "$status" "$2" "$asked" "$output"
        failed=1
    fi
}

update='apt-get -o DPkg::Lock::Timeout=120 -qq update'
install='apt-get -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 -qq -y --no-install-recommends install'
newline='
'

machine debian 1000 gcc half-gone bubblewrap
run sudo_no '' no build run
expect nothing_is_asked_when_nothing_is_missing 0 'went on' ''

machine debian 0 gcc
run sudo_no true no build run
expect root_in_ci_installs_only_what_is_missing 0 '*lacks 2:*was removed once*isolates*went on' \
    "$update$newline$install half-gone bubblewrap"

machine debian 0 gcc half-gone bubblewrap
run sudo_no '' yes build run torch
expect a_group_is_installed_only_when_asked_for 0 '*went on' "$update$newline$install big"

machine debian 1000 gcc half-gone
run sudo_yes '' yes build run
expect sudo_installs_with_yes 0 '*went on' "$update$newline$install bubblewrap"

machine debian 1000 gcc half-gone
run sudo_no true no build run
expect without_root_it_stops_with_the_one_command 3 \
    '*cannot become root*    apt-get update && apt-get install -y --no-install-recommends bubblewrap*' ''

machine debian 0 gcc half-gone
run sudo_no '' no build run
expect without_a_terminal_or_yes_nothing_is_installed 3 \
    '*no terminal*    apt-get update && apt-get install -y --no-install-recommends bubblewrap*' ''

machine debian 0 gcc half-gone
: >broken
run sudo_no true no build run
expect a_failed_installation_is_said 3 '*the installation failed*' "$update$newline$install bubblewrap"

machine debian 1000
mkdir own
ln -s /bin/true own/gcc
ln -s /bin/true own/bwrap
echo half-gone >installed
run own '' no build run
expect a_tool_from_elsewhere_counts_as_present 0 'went on' ''

machine ubuntu 0 gcc half-gone
run sudo_no true no build run
expect ubuntu_has_apt 0 '*went on' "$update$newline$install bubblewrap"

machine fedora 0 gcc half-gone
run sudo_no true no build run
expect fedora_has_dnf 0 '*went on' 'dnf install -y --setopt=install_weak_deps=False bubblewrap'

machine plan9 0
run own true yes build run
expect an_unknown_system_is_judged_by_probes 0 'went on' ''

machine plan9 0
run sudo_no true yes build run
expect an_unknown_system_is_never_changed 3 '*lacks 2:*compiles*isolates*package manager is not known*' ''

exit "$failed"
