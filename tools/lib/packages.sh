# shellcheck shell=bash
# packages.sh: the Debian packages bosk needs, and their installation. Sourced by tools/check and
# tools/demo; defines functions only, and installs nothing unless packages_ensure is called.

# To build the program.
packages_build() {
    printf '%s\n' build-essential cmake ninja-build pkg-config git \
        libgit2-dev zlib1g-dev libmsgpack-dev liblmdb-dev libsodium-dev libfyaml-dev libjansson-dev \
        libmd4c-dev libpcre2-dev
}

# To watch it work in the demonstration.
packages_demo() {
    packages_build
    printf '%s\n' jq
}

# To check it: a second compiler with its run-time libraries, the test tools, and what the tests
# themselves call.
packages_check() {
    packages_build
    printf '%s\n' clang libclang-rt-dev libcmocka-dev bats jq gojq perl strace procps util-linux bsdutils \
        zsh fish mandoc bubblewrap gnupg openssh-client
    printf '%s\n' git-lfs
    printf '%s\n' gh
}

# packages_missing NAME...: those that are not installed, one per line.
packages_missing() {
    local name
    for name in "$@"; do
        case $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null || true) in
        installed) ;;
        *) printf '%s\n' "$name" ;;
        esac
    done
}

# packages_ensure YES NAME...: install what is missing. YES=1: without asking. Returns 4 (after a
# message on stderr) when something is missing and stays so.
packages_ensure() {
    local yes=$1 answer name
    local -a missing install
    shift

    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        printf '%s\n' "This is not a Debian system: the needed packages are not checked. Their names on Debian 12:" \
            "    $*" >&2
        return 0
    fi
    mapfile -t missing < <(packages_missing "$@")
    [ ${#missing[@]} -gt 0 ] || return 0

    install=(apt-get install --yes --no-install-recommends "${missing[@]}")
    [ "$(id -u)" = 0 ] || install=(sudo "${install[@]}")
    printf 'Missing packages (%d):\n' ${#missing[@]} >&2
    printf '    %s\n' "${missing[@]}" >&2

    if [ "$yes" != 1 ]; then
        if ! [ -t 0 ] || ! [ -t 2 ]; then
            printf '%s\n' "There is no terminal to ask on. Use --yes, or install them by hand:" \
                "    ${install[*]}" >&2
            return 4
        fi
        read -r -p "Install them with apt-get? [y/N] " answer || answer=n
        case $answer in
        [yY] | [yY][eE][sS]) ;;
        *)
            printf '%s\n' "Nothing was installed. By hand:" "    ${install[*]}" >&2
            return 4
            ;;
        esac
    fi

    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        printf '%s\n' "Installing needs root, and there is no sudo. As root:" "    ${install[*]:1}" >&2
        return 4
    fi
    packages_apt update || printf '%s\n' "apt-get update failed; trying with the lists that are there." >&2
    if ! packages_apt "${install[@]:1}"; then
        printf '%s\n' "Installing failed (see above). By hand:" "    ${install[*]}" >&2
        return 4
    fi
    mapfile -t missing < <(packages_missing "$@")
    if [ ${#missing[@]} -gt 0 ]; then
        printf 'Still not installed: %s\n' "${missing[*]}" >&2
        return 4
    fi
}

# packages_apt [apt-get] WORDS...: apt-get as root, without questions, its talk on stderr.
packages_apt() {
    [ "$1" != apt-get ] || shift
    if [ "$(id -u)" = 0 ]; then
        DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >&2 </dev/null
    elif [ -t 0 ]; then
        sudo env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >&2
    else
        sudo -n env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >&2 </dev/null
    fi
}
