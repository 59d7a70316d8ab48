# What the test scripts share (bash). Every script says what it found in lines of TAP,
#     ok NAME | ok NAME # SKIP why | not ok NAME
# with the output of what failed, indented, below its line. tests/run counts the lines.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
exec </dev/null
unset MAKEFLAGS MFLAGS MAKELEVEL CDPATH
export LC_ALL=C PARTYLINE_DATA=${PARTYLINE_DATA:-../shared/data}
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
B=${B:-build}
JOBS=${JOBS:-$(nproc)}

ok() { echo "ok $1"; }
skipped() { echo "ok $1 # SKIP $2"; }
# not_ok NAME [TEXT]: with the output on stdin if there is no TEXT.
not_ok() {
    echo "not ok $1"
    if [ $# -gt 1 ]; then echo "$2"; else cat; fi | tail -n 200 | sed 's/^/    /'
}

# verify NAME COMMAND...: ok if the command succeeds; its output is shown if not.
verify() {
    local name=$1 out
    shift
    if out=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "$out"; return 1; fi
}

# spread FUNCTION ITEM...: calls the function with each item, JOBS at a time, and prints what
# they print in the order of the items.
spread() {
    local f=$1 n=0 item dir
    shift
    dir=$(mktemp -d)
    for item; do
        while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do wait -n; done
        "$f" "$item" >"$dir/$(printf %05d $n)" 2>&1 &
        n=$((n + 1))
    done
    wait
    [ $n -eq 0 ] || cat "$dir"/*
    rm -rf "$dir"
}

# The builds that the tests use; a warning is an error in two of them, one of each compiler. What
# takes longer to compile than to run is not optimised: the unit tests, and, but in the build that
# is like the user's, what is above the worlds (COLD_OPT).
builds="gcc clang asan"
more_builds="gcc-O0 gcc-O3 clang-O0" # of make determinism
build() { # NAME TARGET...
    local name=$1 cc=gcc opt san= werror= linker= cold=
    shift
    case $name in
    gcc) opt="-O2 -g1" werror=-Werror ;;
    gcc-O0) opt=-O0 ;;
    gcc-O3) opt=-O3 ;;
    clang-O0) cc=clang opt=-O0 ;;
    clang) cc=clang opt=-O3 werror=-Werror cold=-O0 ;;
    asan)
        cc=clang opt="-O1 -g1 -fno-omit-frame-pointer" cold=-O0
        san="-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all"
        ;;
    *) echo "there is no build $name"; return 1 ;;
    esac
    ! command -v ld.lld >/dev/null || linker=-fuse-ld=lld
    make --no-print-directory -s -j"$JOBS" WERROR=$werror B="$B/$name" CC=$cc OPT="$opt" \
        SAN="$san" COLD_OPT=$cold TEST_OPT=-O0 LDFLAGS=$linker "$@" || return
    # where the program looks for its own
    [ -e "$B/$name/scenarios" ] || ln -sfn "$root/scenarios" "$B/$name/scenarios"
}

# program_tap NAME COMMAND...: runs a program that prints TAP (cmocka's dialect as well) and
# prints it in ours. A crash, a broken plan, no test at all and a time-out are failures.
program_tap() {
    local name=$1
    shift
    { CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 "${LIMIT:-120}" "$@" 2>&1; printf "\n@status %d\n" $?; } |
        LC_ALL=C awk -v name="$name" '
        function flush_notes() { printf "%s", notes; notes = ""; why = "" }
        /^1\.\.[0-9]+/ { planned += substr($0, 4); plans++; next }
        /^@status / { status = $2; next }
        /^skip / { sub(/^skip /, ""); print "# not applicable: " name ": " $0; applied = 1; next }
        /^(not )?ok( |$)/ {
            bad = /^not ok/ && !/# SKIP/
            skip = /# SKIP/
            what = $0
            sub(/^(not )?ok +([0-9]+ +)?(- +)?/, "", what)
            results++
            if (skip) {
                reason = what
                sub(/ *# SKIP.*/, "", what)
                sub(/.*# SKIP */, "", reason)
                if (what == "") { what = reason; reason = why }
                print "ok " name ": " what " # SKIP " (reason == "" ? "no reason given" : reason)
                notes = ""; why = ""
            } else if (bad) {
                print "not ok " name ": " what
                failures++
                flush_notes()
            } else {
                print "ok " name ": " what
                notes = ""; why = ""
            }
            after_bad = bad
            next
        }
        /^$/ { next }
        /^SKIP:/ { why = $0; sub(/^SKIP: */, "", why); next }
        { line = "    " $0 "\n"; if (after_bad && /^(#|  )/) printf "%s", line; else notes = notes line }
        END {
            if (status && !failures) trouble = status == 124 ? "timed out" : "ended with status " status
            else if (!results && !applied) trouble = "printed no result"
            else if (plans && planned != results) trouble = results " results of " planned " planned"
            if (trouble != "") { print "not ok " name ": " trouble; flush_notes() }
            exit failures || trouble != ""
        }'
}
