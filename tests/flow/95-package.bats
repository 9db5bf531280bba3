#!/usr/bin/env bats
# The Debian package and cmake --install, made of the release build: what they bring works, and
# removing the package leaves nothing. tools/check names the build in BOSK_TEST_RELEASE.

load ../lib/flow

setup() {
    [ -n "${BOSK_TEST_RELEASE:-}" ] || skip "no release build named in BOSK_TEST_RELEASE (tools/check does)"
    flow_setup
}
teardown() { flow_teardown; }

# use PREFIX: the program installed there does a small batch and lands it; pages and completions are there.
use() {
    local page
    BOSK_BIN=$1/bin/bosk
    run_bosk version
    expect_status 0
    expect_text '^bosk [0-9]+\.[0-9]+\.[0-9]+$' "$OUT"
    rm -rf "$REPO"
    make_repo
    cat >plan.yaml <<'PLAN'
tasks:
  - {id: greet, run: echo hello > hello.txt}
  - {id: shout, needs: [greet], run: "tr a-z A-Z < hello.txt > shout.txt"}
PLAN
    run_bosk run plan.yaml --land merge
    expect_status 0
    equal shout.txt "$(cat shout.txt)" HELLO
    # It brings no crash points.
    refute grep -qE "BOSK_FAILPOINT|integrate\.refs\.before" "$BOSK_BIN"
    for page in man1/bosk.1 man5/bosk.yaml.5 man5/bosk-plan.5; do
        gzip -t "$1/share/man/$page.gz"
        gzip -dc "$1/share/man/$page.gz" | mandoc -Tmarkdown >"$SCRATCH/page"
        grep -qx '# NAME' "$SCRATCH/page"
    done
    bash -c '. "$1/share/bash-completion/completions/bosk" && complete -p bosk' - "$1" >/dev/null
    fish --no-execute "$1/share/fish/vendor_completions.d/bosk.fish"
    [ -s "$1/share/doc/bosk/README.md" ]
}

# as_root COMMAND...: dpkg wants to be root, or to believe so.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else unshare --map-root-user "$@"; fi
}

@test "cmake --install" {
    cmake --install "$BOSK_TEST_RELEASE" --prefix "$SCRATCH/prefix" >/dev/null
    [ -s "$SCRATCH/prefix/share/zsh/site-functions/_bosk" ]
    use "$SCRATCH/prefix"
}

@test "the Debian package installs, works and is removed without a trace" {
    unchecked 'the program is removed again' all
    local deb root=$SCRATCH/root word
    local -a dpkg=(dpkg --root="$root" --force-not-root --no-triggers --log=/dev/null
        --path-include='/usr/share/*')
    cpack --config "$BOSK_TEST_RELEASE/CPackConfig.cmake" -B "$SCRATCH/package" >"$SCRATCH/cpack.out" 2>&1 || {
        cat "$SCRATCH/cpack.out"
        return 1
    }
    deb=$(echo "$SCRATCH"/package/bosk_*.deb)
    equal name "$(dpkg-deb -f "$deb" Package)" bosk
    for word in 'git (>= 1:2.38)' libgit2- liblmdb0 libsodium libfyaml libjansson libmd4c libpcre2-8 libmsgpack libc6; do
        dpkg-deb -f "$deb" Depends | grep -qF "$word"
    done

    # What is installed here is taken as installed there, so its dependencies must hold.
    mkdir -p "$root"/var/lib/dpkg/{info,updates,triggers}
    cp /var/lib/dpkg/status "$root/var/lib/dpkg/"
    as_root "${dpkg[@]}" -i "$deb" >"$SCRATCH/dpkg.out" 2>&1 || {
        tail -20 "$SCRATCH/dpkg.out"
        return 1
    }
    equal state "$(dpkg-query --admindir="$root/var/lib/dpkg" -W -f='${db:Status-Status}' bosk)" installed
    [ -s "$root/usr/share/zsh/vendor-completions/_bosk" ]
    use "$root/usr"

    as_root "${dpkg[@]}" -P bosk >"$SCRATCH/dpkg.out" 2>&1
    equal 'files left' "$(find "$root" -path "$root/var" -prune -o -path "$root" -o -print)" ''
    refute grep -qx 'Package: bosk' "$root/var/lib/dpkg/status"
}
