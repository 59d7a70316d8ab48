// report.mjs FOLDER REPORT.html [TABLE.txt]: looks at a report in headless Chromium, 1280 and 390
// pixels wide, light and dark, and prints a line for everything that is wrong. Screenshots go to
// the folder. TABLE.txt is what `partyline run` printed: the report must have the same numbers.
// Chromium is spoken to through a pipe (DevTools protocol): no package is needed.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";

const [folder, file, table] = process.argv.slice(2);
const profile = resolve(folder, "profile");
const chromium = spawn(process.env.CHROMIUM ?? "chromium", [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--no-first-run",
    `--user-data-dir=${profile}`, "--remote-debugging-pipe",
], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
chromium.on("error", (e) => { console.log(`chromium can't be started: ${e.message}`); process.exit(77); });
const limit = setTimeout(() => { console.log("timed out"); chromium.kill("SIGKILL"); process.exit(1); }, 90000);

let next = 1, rest = "";
const waiting = new Map(), problems = [];
let onEvent = () => {};
chromium.stdio[4].on("data", (data) => {
    rest += data;
    for (let end; (end = rest.indexOf("\0")) >= 0; rest = rest.slice(end + 1)) {
        const m = JSON.parse(rest.slice(0, end));
        if (m.id) waiting.get(m.id)?.(m);
        else onEvent(m);
    }
});
const send = (method, params = {}, sessionId) => new Promise((done, fail) => {
    const id = next++;
    waiting.set(id, (m) => (m.error ? fail(new Error(`${method}: ${m.error.message}`)) : done(m.result)));
    chromium.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + "\0");
});

// Runs in the page.
function look(rows) {
    const bad = [], width = window.innerWidth;
    const shown = (e) => e.getClientRects().length > 0;
    const text = (e) => e.textContent.trim().replace(/\s+/g, " ");
    const light = (c) => {
        const [r, g, b] = c.match(/[\d.]+/g).map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (a, b) => {
        const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
        return (x + 0.05) / (y + 0.05);
    };
    const paper = getComputedStyle(document.body).backgroundColor;
    for (const e of [document.documentElement, document.body])
        if (e.scrollWidth > width) bad.push(`${e.tagName} is ${e.scrollWidth} wide`);
    for (const e of document.body.querySelectorAll("*")) {
        if (e.closest("svg") || !shown(e) || e.parentElement.closest(".scroll, .time, pre")) continue;
        const r = e.getBoundingClientRect();
        if (r.right > width + 1 || r.left < -1) bad.push(`<${e.tagName}> ${text(e).slice(0, 60)}: ${r.left} to ${r.right}`);
        if (e.children.length === 0 && text(e) && contrast(getComputedStyle(e).color, paper) < 4.5)
            bad.push(`can't be read: ${text(e).slice(0, 60)}`);
    }
    let plots = 0;
    for (const svg of document.querySelectorAll("svg.plot")) {
        if (!shown(svg)) continue;
        plots++;
        const box = svg.getBoundingClientRect();
        for (const t of svg.querySelectorAll("text")) {
            const r = t.getBoundingClientRect();
            if (text(t) && (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1))
                bad.push(`clipped in ${svg.getAttribute("aria-label")}: ${text(t)}`);
            if (text(t) && t.parentElement.getAttribute("fill") === "black" && contrast(getComputedStyle(t).fill, paper) < 4.5)
                bad.push(`can't be read in ${svg.getAttribute("aria-label")}: ${text(t)}`);
        }
    }
    if (!plots) bad.push("there is no plot");
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
    for (const id of ids.filter((id, i) => ids.indexOf(id) !== i)) bad.push(`id twice: ${id}`);
    for (const e of document.querySelectorAll("script, iframe, object, embed, form")) bad.push(`<${e.tagName}>`);
    for (const e of document.querySelectorAll("*"))
        for (const a of e.attributes) {
            if (/^on/i.test(a.name)) bad.push(`attribute ${a.name}`);
            if (/(^|:)(href|src)$/.test(a.name) && !/^(#|data:,$)/.test(a.value)) bad.push(`${a.name}=${a.value}`);
        }
    const found = [...document.querySelectorAll("h2#answer ~ .scroll table")][0];
    const cells = [...found.rows].map((r) => [...r.cells].map(text));
    rows.forEach((row, i) => {
        for (const value of row)
            if (!cells[i]?.some((c) => c === value || c.startsWith(`${value} [`))) bad.push(`row ${i} of the answer lacks ${value}: ${cells[i]}`);
    });
    return bad;
}

// The table of `run`: from its head to the blank line below it, columns two blanks apart.
const rows = [];
if (table) {
    const lines = readFileSync(table, "utf8").split("\n");
    for (let i = lines.findIndex((l) => l.startsWith("world ")) + 2; lines[i]; i++)
        rows.push(lines[i].trim().split(/ {2,}/));
    if (rows.length < 2) problems.push(`${table} holds no table`);
}

const { targetId } = await send("Target.createTarget", { url: "about:blank" });
const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
for (const domain of ["Page", "Runtime", "Log", "Network"]) await send(`${domain}.enable`, {}, sessionId);
const url = `file://${resolve(file)}`;
for (const width of [1280, 390])
    for (const mode of ["light", "dark"]) {
        const tell = (what) => problems.push(`${basename(file)} at ${width} ${mode}: ${what}`);
        await send("Emulation.setDeviceMetricsOverride", { width, height: 900, deviceScaleFactor: 1, mobile: width < 500 }, sessionId);
        await send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: mode }] }, sessionId);
        const loaded = new Promise((done) => {
            onEvent = ({ method, params }) => {
                if (method === "Page.loadEventFired") done();
                if (method === "Runtime.consoleAPICalled" || method === "Runtime.exceptionThrown") tell(`console: ${JSON.stringify(params).slice(0, 200)}`);
                if (method === "Log.entryAdded") tell(`log: ${params.entry.text}`);
                if (method === "Network.requestWillBeSent" && params.request.url !== url && !params.request.url.startsWith("data:")) tell(`request: ${params.request.url}`);
                if (method === "Page.javascriptDialogOpening") tell("dialog");
            };
        });
        await send("Page.navigate", { url }, sessionId);
        await loaded;
        const { result, exceptionDetails } = await send("Runtime.evaluate", { expression: `(${look})(${JSON.stringify(rows)})`, returnByValue: true }, sessionId);
        if (exceptionDetails) tell(exceptionDetails.exception.description);
        for (const b of result.value ?? []) tell(b);
        const { cssContentSize } = await send("Page.getLayoutMetrics", {}, sessionId);
        const { data } = await send("Page.captureScreenshot", { captureBeyondViewport: true, clip: { x: 0, y: 0, width, height: Math.min(cssContentSize.height, 12000), scale: 1 } }, sessionId);
        writeFileSync(`${folder}/${basename(file, ".html")}-${width}-${mode}.png`, Buffer.from(data, "base64"));
    }
clearTimeout(limit);
await send("Browser.close").catch(() => {});
for (const p of problems.slice(0, 50)) console.log(p);
process.exitCode = problems.length ? 1 : 0;
