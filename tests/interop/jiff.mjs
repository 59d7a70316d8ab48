// jiff.mjs TABLE COHORTS: JIFF's own web-mpc: an analyst (party 1) and a server ('s1') are the only ones
// who compute; input parties share each value and its square between the two and leave. TABLE is
// JSON: a list of parties, each a list of values; party k (from 0) is of cohort k mod COHORTS. The
// last line printed is JSON: [{n, sums, squares}] of everybody, then of each cohort. The analyst
// leaves after the set-up and comes back with her saved keys. Needs jiff-mpc in node_modules of the
// current folder.
import { createServer } from "http";
import { createRequire } from "module";
import { join } from "path";
const { JIFFServer, JIFFClient } = createRequire(join(process.cwd(), "x.js"))("jiff-mpc");
const table = JSON.parse(process.argv[2]);
const cohorts = +process.argv[3];
const cells = table[0].length;
const id = "survey";
const compute = [1, "s1"];
const fail = (why) => { console.error(String((why && why.stack) || why)); process.exit(1); };
process.on("unhandledRejection", fail);
setTimeout(() => fail("timed out"), 60000);

// JIFF's field is small, and it says nothing when a sum wraps round.
const zp = 16777729;
if (cells * 2 * table.length > 1000 || table.length * Math.max(...table.flat()) ** 2 >= zp) fail("too much for JIFF's field");

// What a computing party does: adds up everybody's shares, cohort by cohort, and opens each sum to
// the analyst.
function aggregate(jiff, parties) {
  const sums = Array.from({ length: cohorts + 1 }, () => Array(2 * cells).fill(null));
  const add = (to, k, share) => { to[k] = to[k] ? to[k].sadd(share) : share; };
  parties.forEach((party, rank) => {
    for (let k = 0; k < 2 * cells; k++) {
      const share = jiff.share(null, 2, compute, [party])[party];
      add(sums[0], k, share);
      add(sums[1 + (rank % cohorts)], k, share);
    }
  });
  return sums.flat().map((share) => jiff.open(share, [1]));
}

const http = createServer();
const server = new JIFFServer(http, { logs: false });
server.computationMaps.maxCount[id] = 100000;
const ours = server.compute(id, { crypto_provider: true });
let submitted = [];
ours.wait_for([1], () => {
  ours.listen("begin", () => {
    ours.emit("parties", [1], JSON.stringify(submitted));
    aggregate(ours, submitted);
  });
});

http.listen(0, "127.0.0.1", async () => {
  const address = `http://127.0.0.1:${http.address().port}`;
  const analyst = (keys) => new Promise((done) => {
    const jiff = new JIFFClient(address, id, { party_id: 1, crypto_provider: true, ...keys });
    jiff.wait_for(["s1"], () => done(jiff));
  });
  const first = await analyst({});
  const keys = { public_key: first.public_key, secret_key: first.secret_key };
  first.disconnect(true, true);
  for (const values of table)
    submitted.push(await new Promise((done) => {
      const jiff = new JIFFClient(address, id, { crypto_provider: true });
      jiff.wait_for(compute, () => {
        for (const x of values) jiff.share(x, 2, compute, [jiff.id]);
        for (const x of values) jiff.share(x * x, 2, compute, [jiff.id]);
        const own = jiff.id;
        jiff.disconnect(true, true, () => done(own));
      });
    }));
  const again = await analyst(keys);
  again.listen("parties", async (_, text) => {
    const results = await Promise.all(aggregate(again, JSON.parse(text)));
    const part = (i, k) => results.slice((2 * i + k) * cells, (2 * i + k + 1) * cells);
    const size = (i) => table.filter((_, rank) => i === 0 || rank % cohorts === i - 1).length;
    const list = Array.from({ length: cohorts + 1 }, (_, i) => ({ n: size(i), sums: part(i, 0), squares: part(i, 1) }));
    console.log(JSON.stringify(list));
    process.exit(0);
  });
  again.emit("begin", ["s1"], "");
});
