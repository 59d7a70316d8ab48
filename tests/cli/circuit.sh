# circuit: what it writes, and what it refuses.
. "$(dirname "$0")/lib"

# A Bristol Fashion file: the head agrees with the gates.
well_formed() { # FILE
    must awk '
        NR == 1 { gates = $1; wires = $2 }
        NR == 2 { for (i = 2; i <= NF; i++) inputs += $i; if ($1 != NF - 1) bad = "inputs" }
        NR == 3 { for (i = 2; i <= NF; i++) outputs += $i; if ($1 != NF - 1) bad = "outputs" }
        NR > 3 && NF {
            seen++
            kind = $NF
            if (kind !~ /^(XOR|AND|INV|EQ|EQW|MAND)$/) bad = "line " NR ": " kind
            if ($1 + $2 + 3 != NF) bad = "line " NR ": " NF " words"
            for (i = 3; i <= NF - 1; i++) if ($i < 0 || $i >= wires) bad = "line " NR ": wire " $i
            if (kind == "AND") ands++
        }
        END {
            if (seen != gates) bad = seen " gates of " gates
            if (bad != "") { print bad; exit 1 }
        }' "$1"
}
for kind in "adder 32" "adder 32 --fast" "subtractor 16" "multiplier 8" "multiplier 8 --full --fast" \
    "less_than 32" "equal 32" "maximum 5 16" "sort 6 8"; do
    it "circuit $kind"
    pl circuit $kind
    exits 0
    err_empty
    cp out first
    well_formed first
    pl circuit $kind
    must cmp out first
done

it "an adder has an AND gate a bit"
pl circuit adder 64
must test "$(grep -c AND out)" -le 64

it "the kinds are those of list circuits"
pl list circuits --json
node -pe 'JSON.parse(require("fs").readFileSync("out", "utf8")).map((e) => e.name).join("\n")' >names
must test "$(wc -l <names)" -ge 7
pl circuit --help
exits 0

refused() { # WORDS ARGUMENT...
    local words=$1
    shift
    it "circuit $* is refused"
    pl circuit "$@"
    exits 2
    err_has "$words"
    out_empty
}
refused 'adder' addr 8
refused 'N' adder
refused 'N' adder x
refused '0' adder 0
refused '-3' adder -3
refused '65536' adder 65537
refused '99999999999999999999' adder 99999999999999999999
refused '--full' adder 8 --full
refused 'sort' sort 4
refused '7' adder 8 7

it "a circuit that was written runs, and is right"
pl circuit adder 16
cp out adder.txt
cat >circuit.yaml <<'S'
schema: 1
name: circuit
parties:
  - {name: alice, input: 1234}
  - {name: bob, input: 4321}
  - {name: carol}
protocol: {name: shamir, circuit: adder.txt}
transport: direct
expect: [{that: completed == 100%}]
S
pl run circuit.yaml --out r
exits 0
out_has 5555

it "a circuit file that is wrong is named with its line"
sed '5s/AND\|XOR/NAND/' adder.txt >bad.txt
pl run circuit.yaml --set protocol.circuit=bad.txt --out bad
exits 10
err_has "bad.txt:5"
must_not test -e bad

it "a circuit file that is cut is refused"
head -n 20 adder.txt >cut.txt
pl check circuit.yaml --set protocol.circuit=cut.txt
exits 10
err_has "cut.txt"

it "a circuit file that is not there is refused"
pl check circuit.yaml --set protocol.circuit=none.txt
exits 10
err_has "none.txt"
