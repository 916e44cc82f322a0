# sources.sh -- which files are ours to check: tracked, or new and not ignored. Sourced.
# shellcheck shell=sh

# git in this folder, whoever owns it: a container often mounts a clone that belongs to someone else.
here_git() { git -c safe.directory="$PWD" "$@"; }

# sources [PATHSPEC...]
sources() {
    here_git ls-files --cached --others --exclude-standard --deduplicate -- "$@" |
        while read -r source; do
            if [ -f "$source" ]; then printf '%s\n' "$source"; fi
        done
}

c_sources() { sources '*.c' '*.h'; }

# Scripts, known by their first line or by .sh: lines `sh NAME` or `bash NAME`.
shell_sources() {
    sources ':!*.c' ':!*.h' ':!*.md' ':!*.json' ':!*.yaml' ':!*.py' | while read -r source; do
        first=
        IFS= read -r first <"$source" 2>/dev/null || true
        case $first in
        '#!'*bash*) printf 'bash %s\n' "$source" ;;
        '#!'*/sh | '#!'*' sh') printf 'sh %s\n' "$source" ;;
        *) case $source in *.sh) printf 'sh %s\n' "$source" ;; esac ;;
        esac
    done
}
