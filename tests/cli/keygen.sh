# keygen: identities from the system's randomness.
. "$(dirname "$0")/lib"

it "makes a key for its owner alone, and prints what others may know"
pl keygen --out a.key
exits 0
err_empty
[ "$(stat -c %a a.key)" = 600 ] || wrong "mode $(stat -c %a a.key)"
[ "$(tr -d '\n' <out | wc -c)" = 256 ] || wrong "not 128 bytes in hexadecimal"
cp out a.pub
must grep -qF "$(cat a.pub)" a.key

it "makes another one each time"
pl keygen --out b.key
exits 0
must_not cmp out a.pub

it "never overwrites"
cp a.key before
pl keygen --out a.key
exits 2
err_has "a.key"
must cmp a.key before

it "says what is wrong"
pl keygen
exits 2
pl keygen --out no/such/folder/x.key
exits 11
err_has "no/such/folder"
