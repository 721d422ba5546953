const account = "AC00000000000000000000000000000001";
const secret = "a-token-of-twilio";
const publicUrl = "https://agent.example.com";

/** Twilio's Messages API on a free port: keeps what it takes. `refuse` says which of its requests (from 1) it answers with 429. */
export function startTwilio({
  refuse = () => false,
  slowMs = 0,
  arrived,
  answer,
}: {
  refuse?: (count: number) => boolean;
  /** How long it takes at most to say that it took a message. */
  slowMs?: number;
  /** Hears what it takes, before it says so. */
  arrived?: (to: string, body: string) => void;
  /** Says something else than that it took a message, and does not take it. */
  answer?: (to: string) => Response | undefined;
} = {}) {
  const sent: { to: string; body: string }[] = [];
  let asked = 0;
  let waiting: { most: number; resolve: () => void }[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      // It is only asked whether it is there.
      if (request.method === "GET") return new Response();
      const form = new URLSearchParams(await request.text());
      if (refuse(++asked))
        return Response.json(
          { code: 20429, message: "Too many requests" },
          { status: 429, headers: { "retry-after": "0" } },
        );
      const [to, body] = [form.get("To") ?? "", form.get("Body") ?? ""];
      const other = answer?.(to);
      if (other !== undefined) return other;
      sent.push({ to, body });
      arrived?.(to, body);
      waiting = waiting.filter(({ most, resolve }) => (sent.length < most ? true : (resolve(), false)));
      if (slowMs > 0) await Bun.sleep(Math.random() * slowMs);
      return Response.json({ sid: `SM${sent.length}`, status: "queued" }, { status: 201 });
    },
  });
  return {
    sent,
    url: server.url.origin,
    /** What turns SMS on. */
    env: {
      TWILIO_ACCOUNT_SID: account,
      TWILIO_AUTH_TOKEN: secret,
      TWILIO_FROM: "+15005550006",
      OPENCLAW_TWILIO_API_URL: server.url.origin,
      OPENCLAW_PUBLIC_URL: publicUrl,
    },
    /** Resolves when so many messages were taken. */
    async took(most: number) {
      if (sent.length < most) await new Promise<void>((resolve) => waiting.push({ most, resolve }));
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** A message as Twilio delivers it, with its signature. */
export function anSms(of: { id: string; from: string; text: string }): RequestInit {
  const fields: Record<string, string> = {
    AccountSid: account,
    Body: of.text,
    From: of.from,
    MessageSid: of.id,
    To: "+15005550006",
  };
  const data = Object.keys(fields)
    .sort()
    .map((name) => name + fields[name])
    .join("");
  const signature = new Bun.CryptoHasher("sha1", secret)
    .update(`${publicUrl}/twilio/sms/inbound${data}`)
    .digest("base64");
  return {
    method: "POST",
    headers: { "x-twilio-signature": signature, "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(fields).toString(),
  };
}
