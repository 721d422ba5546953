import { afterEach, beforeEach, expect, test } from "bun:test";
import { text } from "node:stream/consumers";
import { lendMail, type MailSettings } from "../../src/sandbox/services/mail.ts";
import { readMailServer } from "../../src/sandbox/services/mail-server.ts";
import { sendMail } from "../../src/sandbox/services/send-mail.ts";
import { movedClock } from "../helpers/moved-clock.ts";
import { aWorkspace, type Options, type Workspace } from "../sandbox/workspace.ts";
import { aMailServer } from "./mail-server.ts";

let server: Awaited<ReturnType<typeof aMailServer>>;
const open: Workspace[] = [];
beforeEach(async () => {
  server = await aMailServer();
});
afterEach(async () => {
  for (const one of open.splice(0)) one.remove();
  await server.stop();
});

const settings = (more: Partial<MailSettings> = {}): MailSettings => ({
  allowEmail: true,
  smtpUrl: `smtp://127.0.0.1:${server.port}`,
  emailFrom: "Claw <claw@example.org>",
  emailRecipients: ["ada@example.com", "*@example.net", "*@*.example.edu", "*@bücher.example"],
  ...more,
});

function mailer(more: Partial<MailSettings> = {}, options: Options = {}) {
  const { lend, warnings } = lendMail(settings(more));
  expect(warnings).toEqual([]);
  const at = aWorkspace({ lend, ...options });
  open.push(at);
  return at;
}

const mail = { to: "ada@example.com", subject: "Hello", body: "One line.\n.\nAnother." };

test("email hands a mail to the server, as it is", async () => {
  const result = await mailer().call("email", {
    ...mail,
    to: "Ada@Example.com, bob@example.net",
    subject: "Grüße",
  });
  expect(result).toMatchObject({
    status: "ok",
    text: expect.stringMatching(/^Sent\. Message id: <\S+@example\.org>$/),
  });
  const [one] = server.received;
  expect(one).toMatchObject({ from: "claw@example.org", to: ["ada@example.com", "bob@example.net"] });
  expect(one?.raw).toContain("From: Claw <claw@example.org>");
  expect(one?.raw).toContain("Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=");
  expect(one?.raw).toContain("One line.\r\n.\r\nAnother.");
});

test("email logs in, over TLS where the server offers it, also with a password that an address must write otherwise", async () => {
  const smtpUrl = `smtp://claw:correct%20horse@127.0.0.1:${server.port}`;
  expect((await mailer({ smtpUrl }).call("email", mail)).status).toBe("ok");
  expect(server.received[0]).toMatchObject({ user: "claw", secure: true });
});

test("email speaks TLS from the first byte with an smtps:// server", async () => {
  const secure = await aMailServer({ secure: true });
  try {
    const smtpUrl = `smtps://claw:correct%20horse@localhost:${secure.port}`;
    expect((await mailer({ smtpUrl }).call("email", mail)).status).toBe("ok");
    expect(secure.received[0]).toMatchObject({ user: "claw", secure: true });
  } finally {
    await secure.stop();
  }
});

test("email tells what the server said, without the password", async () => {
  const smtpUrl = `smtp://claw:s3cret%25word@127.0.0.1:${server.port}`;
  const { status, text } = await mailer({ smtpUrl }).call("email", mail);
  expect(status).toBe("error");
  expect(text).toContain("The mail was not sent: Invalid login");
  expect(text).not.toContain("s3cret%word");
  expect(text).toContain("Wrong: …");
});

test("email tells when nobody answers at the server's address", async () => {
  const { text } = await mailer({ smtpUrl: "smtp://127.0.0.1:1" }).call("email", mail);
  expect(text).toMatch(/^The mail was not sent: .*(refused|ECONNREFUSED|connect)/i);
});

test("email tells which recipients the server did not take", async () => {
  const picky = await aMailServer({
    onRcptTo: ({ address }, _session, done) =>
      done(address.startsWith("bob") ? new Error("no such user") : null),
  });
  try {
    const smtpUrl = `smtp://127.0.0.1:${picky.port}`;
    const { text } = await mailer({ smtpUrl }).call("email", {
      ...mail,
      to: "ada@example.com,bob@example.net",
    });
    expect(text).toContain("[The mail server did not take: bob@example.net]");
  } finally {
    await picky.stop();
  }
});

test.each([
  "eve@example.org",
  "ada@example.com.evil.org",
  "ada@example.comm",
  "eve@edu",
  "eve@example.edu",
  "ada@ada.example.com",
  "ada%evil.org@example.com",
])("email refuses %s, which no pattern allows", async (to) => {
  const result = await mailer().call("email", { ...mail, to });
  expect(result.status).not.toBe("ok");
  expect(server.received).toEqual([]);
});

test("email says which recipients are allowed when it denies one", async () => {
  expect(await mailer().call("email", { ...mail, to: "ada@example.com,eve@evil.org" })).toMatchObject({
    status: "denied",
    reason: "not_granted",
    text: "Cannot send mail to eve@evil.org: it is not granted. Allowed are: ada@example.com, *@example.net, *@*.example.edu, *@bücher.example.",
  });
  expect(server.received).toEqual([]);
});

test.each([
  ["a name", "Ada <ada@example.com>"],
  ["two in one", "ada@example.com eve@evil.org"],
  ["a quoted part", '"eve@evil.org"@example.net'],
  ["two @", "eve@evil.org@example.net"],
  ["a comment", "ada(eve@evil.org)@example.net"],
  ["a domain as a number", "ada@[127.0.0.1]"],
  ["a route", "@evil.org:ada@example.net"],
  ["a bang", "evil!eve@example.net"],
  ["a line break", "ada@example.net\r\nBcc: eve@evil.org"],
  ["a NUL", "ada@example.net\0"],
  ["a group", "friends:eve@evil.org;@example.net"],
  ["nobody", ","],
  ["a domain with a port", "ada@example.net:25"],
  ["a domain with a path", "ada@example.net/x"],
  ["letters that look like others", "аdа@example.net"],
  ["a huge one", `${"a".repeat(300)}@example.net`],
  ["too many", Array.from({ length: 21 }, (_, i) => `a${i}@example.net`).join()],
])("email refuses %s as a recipient", async (_name, to) => {
  expect((await mailer().call("email", { ...mail, to })).status).toBe("error");
  expect(server.received).toEqual([]);
});

test("email knows an international domain by either of its names", async () => {
  for (const to of ["ada@bücher.example", "ada@xn--bcher-kva.example", "ada@BÜCHER.example"]) {
    expect((await mailer().call("email", { ...mail, to })).status).toBe("ok");
  }
  // The test's server shows it decoded.
  expect(server.received.map((one) => one.to[0])).toEqual(Array(3).fill("ada@bücher.example"));
  expect((await mailer().call("email", { ...mail, to: "x@sub.example.edu" })).status).toBe("ok");
});

test.each(["a\r\nBcc: eve@evil.org", "a\nb", "a\rb", "a\0b", "a\u2028b", "a\u0085b", "a".repeat(501)])(
  "email refuses the subject %j",
  async (subject) => {
    expect((await mailer().call("email", { ...mail, subject })).status).toBe("error");
    expect(server.received).toEqual([]);
  },
);

test("email keeps a body a body, however it looks", async () => {
  const body = "Bcc: eve@evil.org\r\n\r\n.\r\nMAIL FROM:<eve@evil.org>\r\nRCPT TO:<eve@evil.org>\n.\nQUIT\n";
  expect((await mailer().call("email", { ...mail, body })).status).toBe("ok");
  expect(server.received).toHaveLength(1);
  expect(server.received[0]?.to).toEqual(["ada@example.com"]);
  expect((await mailer().call("email", { ...mail, body: "ü".repeat(600_000) })).status).toBe("error");
});

test("email sends nothing for a call that is cancelled before the connection is made", async () => {
  const to = readMailServer(`smtp://127.0.0.1:${server.port}`);
  if (typeof to === "string") throw new Error(to);
  const cancel = new AbortController();
  const sending = sendMail(to, { ...mail, from: "claw@example.org", to: [mail.to] }, cancel.signal);
  cancel.abort();
  await expect(sending).rejects.toThrow("The mail was not sent: the call ended first");
  expect(server.received).toEqual([]);
});

test("email ends its connection when the call is cancelled, or the server is silent", async () => {
  const silent = await aMailServer({ onConnect: () => {} });
  try {
    const smtpUrl = `smtp://127.0.0.1:${silent.port}`;
    const cancel = new AbortController();
    const running = mailer({ smtpUrl }).call("email", mail, { signal: cancel.signal });
    while (silent.connections() === 0) await Bun.sleep(5);
    cancel.abort();
    await expect(running).rejects.toMatchObject({ code: "cancelled" });
    while (silent.connections() > 0) await Bun.sleep(5);
    const clock = movedClock(0);
    const slow = mailer({ smtpUrl }, { after: clock.after }).call("email", mail);
    while (silent.connections() === 0) await Bun.sleep(5);
    clock.move(10_000);
    const { status, text: said } = await slow;
    expect(status).toBe("timeout");
    expect(said).toContain("The mail was not sent: ");
    while (silent.connections() > 0) await Bun.sleep(5);
  } finally {
    await silent.stop();
  }
});

const notKnown = "It is not known whether the mail was sent";

test("email says that it is not known when the time is over after the server has the mail, with TLS or without", async () => {
  const overTime = async (secure: boolean, login: string) => {
    const taken = Promise.withResolvers<string>();
    const scanning = await aMailServer({ secure, onData: (stream) => void taken.resolve(text(stream)) });
    try {
      const smtpUrl = `${secure ? "smtps" : "smtp"}://${login}127.0.0.1:${scanning.port}`;
      const clock = movedClock(0);
      const sending = mailer({ smtpUrl }, { after: clock.after }).call("email", mail);
      expect(await taken.promise).toContain("Another.");
      clock.move(10_000);
      const { status, text: said } = await sending;
      expect([status, said]).toEqual(["timeout", expect.stringContaining(notKnown)]);
      while (scanning.connections() > 0) await Bun.sleep(5);
    } finally {
      await scanning.stop();
    }
  };
  await Promise.all([overTime(false, ""), overTime(false, "claw:correct%20horse@"), overTime(true, "")]);
});

test("email says that it is not known when the connection is cut after the server has the mail, and not before", async () => {
  const cutting = await aMailServer({
    onRcptTo: ({ address }, _session, done) => (address.startsWith("eve") ? cutting.cut() : done()),
    onData: (stream) => void text(stream).then(() => cutting.cut()),
  });
  try {
    const smtpUrl = `smtp://127.0.0.1:${cutting.port}`;
    const at = mailer({ smtpUrl });
    const before = await at.call("email", { ...mail, to: "eve@example.net" });
    expect(before).toMatchObject({
      status: "error",
      text: expect.stringMatching(/^The mail was not sent: /),
    });
    const after = await at.call("email", mail);
    expect(after.status).toBe("error");
    expect(after.text).toContain(notKnown);
    expect(after.text).toContain("Do not send it again");
  } finally {
    await cutting.stop();
  }
});

test("email says that a mail was not sent that the server refused when it had all of it", async () => {
  const refusing = await aMailServer({
    onData: (stream, _session, done) => void text(stream).then(() => done(new Error("looks like spam"))),
  });
  try {
    const { text: said } = await mailer({ smtpUrl: `smtp://127.0.0.1:${refusing.port}` }).call("email", mail);
    expect(said).toMatch(/^The mail was not sent: .*looks like spam/);
  } finally {
    await refusing.stop();
  }
});

test("lendMail lends nothing until it is allowed and all is set, and says what is missing", () => {
  expect(lendMail(settings({ allowEmail: false }))).toEqual({ lend: {}, warnings: [] });
  const warning = (more: Partial<MailSettings>) => {
    const { lend, warnings } = lendMail(settings(more));
    expect(lend).toEqual({});
    return warnings.join();
  };
  expect(warning({ smtpUrl: undefined })).toContain("OPENCLAW_SMTP_URL");
  expect(warning({ emailFrom: undefined })).toContain("OPENCLAW_EMAIL_FROM");
  expect(warning({ emailRecipients: [] })).toContain("OPENCLAW_EMAIL_RECIPIENTS");
  for (const smtpUrl of ["http://a", "smtp://", "a:s3cret", "smtp://u:s3cret@h/x", "smtp://u:s3cret%@h"]) {
    expect(warning({ smtpUrl })).toContain("such as smtps://");
    expect(warning({ smtpUrl })).not.toContain("s3cret");
  }
});

test("email demands TLS before it sends a password to another host", async () => {
  expect(readMailServer("smtp://u:p@mail.example.com")).toMatchObject({
    port: 587,
    secure: false,
    requireTls: true,
  });
  expect(readMailServer("smtps://u:p@mail.example.com")).toMatchObject({ port: 465, secure: true });
  expect(readMailServer("smtp://mail.example.com:80")).toMatchObject({ port: 80, requireTls: false });
});
