# calibrate, and the tables of costs that the program ships.
. "$(dirname "$0")/lib"

it "calibrate measures every operation and writes a table"
pl calibrate --out table.yaml
exits 0
for op in x25519 ed25519_sign ed25519_verify aead aead_kib share field_mul message; do
    grep -qE "^$op: [1-9][0-9]*ns$" table.yaml || wrong "no cost of $op"
done
diff -q out table.yaml >/dev/null || wrong "what it printed is not what it wrote"

it "a measured table is a valid map of costs"
pl check "$root/scenarios/millionaires.yaml" --set "compute={$(grep -v '^#' table.yaml | paste -sd,)}"
exits 0

it "calibrate refuses a folder that is not there"
pl calibrate --out nowhere/table.yaml
exits 11
err_has nowhere

it "calibrate takes no file"
pl calibrate table.yaml
exits 2

for table in "$root"/scenarios/compute/*.yaml; do
    name=$(basename "$table" .yaml)
    it "the table $name: charged, in the digest, and shown"
    pl run "$root/scenarios/smoke/shamir.yaml" --set compute="$name" --out "$name"
    exits 0
    pl show "$root/scenarios/smoke/shamir.yaml" --set compute="$name"
    out_has "x25519:"
done
