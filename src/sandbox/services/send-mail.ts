import { AppError } from "../../errors.ts";
import type { MailServer } from "./mail-server.ts";

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly body: string;
}

export interface SentMail {
  readonly id: string;
  /** Recipients that the server did not take. */
  readonly rejected: readonly string[];
}

const connectMs = 10_000;
/** What RFC 5321 gives a server to look at a mail before it says that it has it; the call's own time may end it sooner. */
const silenceMs = 600_000;
const longestReason = 500;

/** What went wrong, as the server or the system said it, without what only they should know. */
function reasonOf(error: unknown, { login }: MailServer): string {
  const said = error instanceof Error ? error.message : "it did not say why";
  const secrets =
    login === undefined
      ? []
      : [login.password, btoaOf(login.password), btoaOf(`\0${login.user}\0${login.password}`)];
  const bare = secrets.reduce((text, secret) => (secret === "" ? text : text.replaceAll(secret, "…")), said);
  return bare.length > longestReason ? `${bare.slice(0, longestReason)}…` : bare;
}

const btoaOf = (text: string) => Buffer.from(text).toString("base64");

/** A refusal by the server is one. With no answer to a whole mail, it may be on its way all the same. */
function failure(error: unknown, why: string, handedOver: boolean): AppError {
  const refused = error instanceof Error && "responseCode" in error;
  const said =
    handedOver && !refused
      ? `It is not known whether the mail was sent: the mail server got all of it and gave no answer (${why}). Do not send it again, it may have arrived: tell the person so.`
      : `The mail was not sent: ${why}`;
  return new AppError("unavailable", said, { cause: error });
}

/**
 * Hands a mail to the server; the signal ends the connection. Throws `unavailable` with what the server said, also after
 * the signal, because then it matters whether the server had the mail.
 */
export async function sendMail(server: MailServer, mail: Mail, signal: AbortSignal): Promise<SentMail> {
  signal.throwIfAborted();
  const [{ createTransport }, { connect }] = await Promise.all([import("nodemailer"), import("node:net")]);
  const { host, port, secure, requireTls, onLoopback, login } = server;
  let handedOver = false;
  const transport = createTransport({
    // The library says nowhere else that the server was given the end of the mail.
    logger: { info: ({ tnx }) => void (handedOver ||= tnx === "message") },
    host,
    port,
    secure,
    requireTLS: requireTls,
    ...(login !== undefined && { auth: { user: login.user, pass: login.password } }),
    // On this machine nobody listens in, and hardly any certificate says `localhost`.
    tls: { rejectUnauthorized: !onLoopback },
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: silenceMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    // A socket of ours, because the library has no way to stop what it has begun.
    getSocket(_options, done) {
      // Its end may have come while the library was loaded.
      if (signal.aborted) return done(new Error("the call ended first"), undefined);
      const socket = connect({ host, port });
      const timer = setTimeout(() => socket.destroy(new Error("Connection timeout")), connectMs);
      const stop = () => socket.destroy(new Error("the call ended first"));
      signal.addEventListener("abort", stop, { once: true });
      socket.once("connect", () => {
        clearTimeout(timer);
        socket.removeListener("error", done);
        done(null, { connection: socket });
      });
      socket.once("error", done);
      socket.once("close", () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", stop);
      });
    },
  });
  try {
    const { from, to, subject, body } = mail;
    const { messageId, rejected } = await transport.sendMail({ from, to: [...to], subject, text: body });
    return { id: messageId, rejected: rejected.map(String) };
  } catch (error) {
    throw failure(error, reasonOf(error, server), handedOver);
  }
}
