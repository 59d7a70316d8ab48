#!/bin/sh
# Runs every scenario that has a baseline and compares: a line each. What differs is told in full
# in OUT/NAME.txt. The status is the smallest one that is not 0.
# usage: tools/regress.sh [BASELINES [OUT]]     PARTYLINE=program to use (default ./partyline)
set -u
cd "$(dirname "$0")/.." || exit 1
program=${PARTYLINE:-./partyline}
baselines=${1:-results/baselines}
out=${2:-build/regress}
worst=0 count=0

# A top-level number of the scenario in a manifest: two blanks in front, sorted keys.
number() { sed -n "s/^  \"$2\": \([0-9]*\),\{0,1\}\$/\1/p" "$1" | head -n 1; }
world() { sed -n 's/^ "world": "\([a-z0-9]*\)",\{0,1\}$/\1/p' "$1" | head -n 1; }
# The file with this `name:`.
scenario() { grep -rlxE "name: *\"?$1\"?( *#.*)?" --include='*.yaml' scenarios | head -n 1; }
remember() { if [ "$1" -ne 0 ] && { [ $worst -eq 0 ] || [ "$1" -lt $worst ]; }; then worst=$1; fi; }

one() { # NAME
    base=$baselines/$1 run=$out/$1
    file=$(scenario "$1")
    if [ -z "$file" ]; then
        echo "$1: not comparable: no file in scenarios/ has this name"
        return 32
    fi
    rm -rf "$run"
    "$program" run "$file" --world "$(world "$base/manifest.json")" --quiet --out "$run" \
        --seed "$(number "$base/manifest.json" seed)" \
        --repeat "$(number "$base/manifest.json" repeat)" >"$run.txt" 2>&1
    ran=$?
    if [ $ran -ne 0 ] && [ ! -e "$run/verdict.json" ]; then
        echo "$1: the run ended with status $ran: $(tail -n 1 "$run.txt")"
        return $ran
    fi
    "$program" compare "$base" "$run" >>"$run.txt" 2>&1
    code=$?
    [ $code -eq 0 ] && [ $ran -ne 0 ] && code=$ran
    echo "$1: $(tail -n 1 "$run.txt")$([ $code -eq 0 ] || echo " (status $code; $run.txt)")"
    return $code
}

mkdir -p "$out" || exit 11
for dir in "$baselines"/*/; do
    [ -e "$dir/manifest.json" ] || continue
    count=$((count + 1))
    one "$(basename "$dir")"
    remember $?
done
if [ $count -eq 0 ]; then
    echo "$baselines holds no baseline: nothing was compared (partyline bless RUN --reason TEXT)"
    worst=32
fi
exit $worst
