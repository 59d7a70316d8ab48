#!/bin/sh
# Fits T = T0 + R x d to a run of scenarios/study/rounds.yaml: least squares over the cells of
# each program, with the slowest completion of each cell as T. Prints R beside the counted rounds.
# usage: analysis/rounds.sh RUN-FOLDER
set -eu
[ $# -eq 1 ] && [ -r "$1/summary.json" ] || {
    echo "usage: $0 RUN-FOLDER   (one that partyline run scenarios/study/rounds.yaml made)" >&2
    exit 2
}
# summary.json has sorted keys and one value a line.
LC_ALL=C awk '
function number(line) { gsub(/[^0-9]/, "", line); return line + 0 }
function milliseconds(text,   n) {   # the round trip inside "{here: {here: 20ms}}"
    if (!match(text, /[0-9.]+(ms|s)/)) return -1
    n = substr(text, RSTART, RLENGTH)
    return n ~ /ms$/ ? n + 0 : n * 1000
}
/"protocol.program":/ { split($0, part, "\""); program = part[4] }
/"regions":/          { d = milliseconds($0) / 2 }
/"protocol_rounds":/  { rounds = number($0) }
/"completion": \{/    { inside = 1 }
inside && /"max":/    { t = number($0) / 1e6; inside = 0 }
program != "" && /"wrong":/ {        # the last key of a cell
    if (!(program in n)) order[++programs] = program
    n[program]++; sx[program] += d; sy[program] += t
    sxx[program] += d * d; sxy[program] += d * t; counted[program] = rounds
}
END {
    if (!programs) { print "no cells with protocol.program and regions here" > "/dev/stderr"; exit 1 }
    printf "%-22s %10s %10s %8s\n", "program", "T0 [ms]", "fitted R", "rounds"
    for (i = 1; i <= programs; i++) {
        p = order[i]
        r = (n[p] * sxy[p] - sx[p] * sy[p]) / (n[p] * sxx[p] - sx[p] * sx[p])
        t0 = (sy[p] - r * sx[p]) / n[p]
        if (t0 < 0 && t0 > -1e-6) t0 = 0
        printf "%-22s %10.3f %10.3f %8d\n", p, t0, r, counted[p]
        if (r - counted[p] > 0.01 || counted[p] - r > 0.01) bad = 1
    }
    exit bad
}' "$1/summary.json"
