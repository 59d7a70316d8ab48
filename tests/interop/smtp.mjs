// smtp.mjs PORT MAILS MODE: an SMTP server for tests. Every mail that it takes is a line of JSON in
// the file MAILS. The file MODE says what it does: `take`; `refuse` (450 to RCPT); `silent`: takes
// it, and closes the connection without saying so.
import { createServer } from "net";
import { appendFileSync, readFileSync } from "fs";
const [port, mails, mode] = process.argv.slice(2);
createServer((socket) => {
  let text = "", data = false, mail = {};
  const say = (line) => socket.write(line + "\r\n");
  const how = () => readFileSync(mode, "utf8").trim();
  const command = (line) => {
    const verb = line.split(/[ :]/)[0].toUpperCase();
    if (verb === "EHLO" || verb === "HELO") say("250 stand-in");
    else if (verb === "MAIL") { mail = { from: line.match(/<(.*)>/)[1], to: [] }; say("250 ok"); }
    else if (verb === "RCPT" && how() === "refuse") say("450 later");
    else if (verb === "RCPT") { mail.to.push(line.match(/<(.*)>/)[1]); say("250 ok"); }
    else if (verb === "DATA") { data = true; say("354 go on"); }
    else if (verb === "QUIT") { say("221 bye"); socket.end(); }
    else say("250 ok");
  };
  say("220 stand-in");
  socket.on("error", () => {});
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
    for (;;) {
      const end = text.indexOf(data ? "\r\n.\r\n" : "\r\n");
      if (end < 0) return;
      const part = text.slice(0, end);
      text = text.slice(end + (data ? 5 : 2));
      if (!data) { command(part); continue; }
      data = false;
      const id = part.match(/^Message-ID: <(.*)>/im);
      appendFileSync(mails, JSON.stringify({ ...mail, id: id && id[1], text: part }) + "\n");
      if (how() === "silent") socket.destroy();
      else say("250 taken");
    }
  });
}).listen(+port, "127.0.0.1", () => console.log("up"));
