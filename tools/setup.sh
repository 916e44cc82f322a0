# setup.sh -- what the machine needs, found or installed. Sourced by ./dev.
#
#   detect_system                 which package manager and which list in tools/packages/
#   setup_groups NEXT GROUP...    everything in the groups is there, or the process ends with status 3
#
# Only what is missing is installed, and only after a yes: from the person, from -y, or from CI=true.
# Without root or sudo it says the one command that an administrator has to run, and stops.
# Nothing is remembered between runs: the package manager is asked each time (some 50 ms).
#
# Tests: tests/tools/setup_test.sh
# shellcheck shell=sh

os_release=${OS_RELEASE:-/etc/os-release}
assume_yes=no

say() { printf 'dev: %s\n' "$*"; }

is_ci() {
    case ${CI:-} in
    '' | 0 | false | no) return 1 ;;
    *) return 0 ;;
    esac
}

# Sets system_name, package_list and package_manager (apt, dnf, or none: then only probes count).
detect_system() {
    system_id=unknown
    system_like=
    system_name='this system'
    if [ -r "$os_release" ]; then
        # The file is shell by its own specification.
        # shellcheck source=/dev/null
        system_id=$(. "$os_release" && printf '%s' "${ID:-unknown}")
        # shellcheck source=/dev/null
        system_like=$(. "$os_release" && printf '%s' "${ID_LIKE:-}")
        # shellcheck source=/dev/null
        system_name=$(. "$os_release" && printf '%s' "${PRETTY_NAME:-$system_id}")
    fi
    case " $system_id $system_like " in
    *' ubuntu '*) package_manager=apt package_list=tools/packages/ubuntu.txt ;;
    *' debian '*) package_manager=apt package_list=tools/packages/debian.txt ;;
    *' fedora '*) package_manager=dnf package_list=tools/packages/fedora.txt ;;
    *) package_manager=none package_list=tools/packages/debian.txt ;;
    esac
}

# The lines `package probe why` of the given groups.
listed() {
    awk -v wanted=" $* " '
        /^[ \t]*(#|$)/ { next }
        /^\[/ { group = $1; gsub(/[][]/, "", group); next }
        index(wanted, " " group " ")
    ' "$package_list"
}

# Of the package names on standard input, those that the package manager has not installed.
not_installed() {
    not_installed_names=$(cat)
    case $package_manager in
    apt)
        # shellcheck disable=SC2086
        not_installed_have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' \
            $not_installed_names 2>/dev/null | awk '$1 == "installed" { print $2 }') || true
        ;;
    dnf)
        # shellcheck disable=SC2086
        not_installed_have=$(rpm -q --qf '%{NAME}\n' $not_installed_names 2>/dev/null |
            grep -v ' ') || true
        ;;
    none) not_installed_have= ;;
    esac
    for not_installed_name in $not_installed_names; do
        case "
$not_installed_have
" in
        *"
$not_installed_name
"*) ;;
        *) printf '%s\n' "$not_installed_name" ;;
        esac
    done
}

# Is it there, whoever installed it?
probe() {
    case $1 in
    cmd:*) command -v "${1#cmd:}" >/dev/null 2>&1 ;;
    pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
    h:*) printf '#include <%s>\n' "${1#h:}" | cc -E -o /dev/null - 2>/dev/null ;;
    rt:*)
        for probe_file in "libclang_rt.${1#rt:}-$(uname -m).a" "libclang_rt.${1#rt:}.a"; do
            # clang prints the bare name again when it does not find the file
            case $(clang -print-file-name="$probe_file" 2>/dev/null) in */*) return 0 ;; esac
        done
        return 1
        ;;
    py:*)
        for probe_python in python3 /usr/bin/python3; do
            "$probe_python" -c 'import importlib.util as u, sys
sys.exit(u.find_spec(sys.argv[1]) is None)' "${1#py:}" 2>/dev/null && return 0
        done
        return 1
        ;;
    *) [ "$package_manager" = none ] ;;
    esac
}

# The packages of the given groups that are neither installed nor found by their probe.
missing() {
    missing_lines=$(listed "$@")
    printf '%s\n' "$missing_lines" | awk '{ print $1 }' | not_installed |
        while read -r missing_name; do
            missing_probe=$(printf '%s\n' "$missing_lines" |
                awk -v name="$missing_name" '$1 == name { print $2; exit }')
            probe "$missing_probe" || printf '%s\n' "$missing_name"
        done
}

# Why each of the named packages is wanted.
explain() {
    for explain_name in "$@"; do
        listed build run torch test check cover |
            awk -v name="$explain_name" '
                $1 == name { $1 = $2 = ""; sub(/^ +/, ""); printf "    %-28s %s\n", name, $0; exit }'
    done
}

install_command() {
    case $package_manager in
    apt) printf 'apt-get update && apt-get install -y --no-install-recommends %s' "$*" ;;
    dnf) printf 'dnf install -y --setopt=install_weak_deps=False %s' "$*" ;;
    esac
}

# Runs a command as root; fails if we cannot become root.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif [ "$assume_yes" = yes ]; then
        sudo -n "$@"
    else
        sudo "$@"
    fi
}

can_become_root() {
    if [ "$(id -u)" -eq 0 ]; then return 0; fi
    if ! command -v sudo >/dev/null 2>&1; then return 1; fi
    if [ "$assume_yes" = yes ]; then sudo -n true 2>/dev/null; else return 0; fi
}

install_packages() {
    case $package_manager in
    apt)
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get -o DPkg::Lock::Timeout=120 -qq update ||
            say "the package lists could not be refreshed; going on with the ones that are here"
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 -qq -y \
            --no-install-recommends install "$@"
        ;;
    dnf) as_root dnf install -y --setopt=install_weak_deps=False "$@" ;;
    esac
}

# The honest stop: $1 is why, $2 the verb to repeat, the rest the missing packages.
stop_missing() {
    stop_why=$1
    stop_next=$2
    shift 2
    if [ "$package_manager" = none ]; then
        say "$stop_why. The names are Debian's; install what they stand for here,"
        say "then run $stop_next again; it goes on from there."
    else
        say "$stop_why. As root, this one command installs what is missing:"
        printf '\n    %s\n\n' "$(install_command "$@")"
        say "Then run $stop_next again; it goes on from there."
    fi
    exit 3
}

# Everything in the groups is there when this returns. $1 is the verb to name in the advice.
setup_groups() {
    setup_next=$1
    shift
    detect_system
    setup_groups_wanted=$*
    # shellcheck disable=SC2046
    set -- $(missing "$@")
    if [ $# -eq 0 ]; then return 0; fi

    say "$system_name lacks $#:"
    explain "$@"
    if is_ci; then assume_yes=yes; fi
    if [ "$package_manager" = none ]; then
        stop_missing "this system's package manager is not known to the set-up" "$setup_next" "$@"
    fi
    if ! can_become_root; then
        stop_missing "installing needs root, and this user cannot become root" "$setup_next" "$@"
    fi
    if [ "$assume_yes" = no ]; then
        if [ ! -t 0 ] || [ ! -t 1 ]; then
            stop_missing "there is no terminal to ask on, and no -y" "$setup_next" "$@"
        fi
        say "to install them: $(install_command "$@")"
        printf 'dev: install them now? [Y/n] '
        setup_answer=n
        read -r setup_answer || true
        case $setup_answer in
        '' | [yY]*) ;;
        *) stop_missing "nothing was installed" "$setup_next" "$@" ;;
        esac
    fi

    if ! install_packages "$@"; then
        stop_missing "the installation failed, see above" "$setup_next" "$@"
    fi
    # shellcheck disable=SC2046,SC2086
    set -- $(missing $setup_groups_wanted)
    if [ $# -ne 0 ]; then
        stop_missing "still missing after the installation: $*" "$setup_next" "$@"
    fi
    say "installed"
}
