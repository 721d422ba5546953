import { AppError } from "../../errors.ts";
import type { CanMail } from "../capabilities.ts";
import { isAllowed, readAddress } from "./mail-address.ts";
import { shown } from "../paths.ts";
import { readMailServer } from "./mail-server.ts";
import type { Lend } from "../sandbox.ts";
import { sendMail } from "./send-mail.ts";

export interface MailSettings {
  readonly allowEmail: boolean;
  readonly smtpUrl: string | undefined;
  readonly emailFrom: string | undefined;
  readonly emailRecipients: readonly string[];
}

const mostRecipients = 20;
const longestSubject = 500;
const largestBody = 1_048_576;

const refuse = (why: string) => new AppError("bad_request", `Cannot send the mail: ${why}.`);

function checkRecipients(to: readonly string[], patterns: readonly string[]): readonly string[] {
  if (to.length === 0) throw refuse("it has no recipient");
  if (to.length > mostRecipients) throw refuse(`it has more than ${mostRecipients} recipients`);
  const addresses = to.map((entry) => {
    const address = readAddress(entry);
    if (address === undefined) {
      throw refuse(`${shown(entry)} is no plain address such as ada@example.com (one each, without a name)`);
    }
    if (!isAllowed(address, patterns)) {
      const allowed = `Allowed are: ${patterns.join(", ")}`;
      throw new AppError(
        "forbidden",
        `Cannot send mail to ${shown(address)}: it is not granted. ${allowed}.`,
      );
    }
    return address;
  });
  return [...new Set(addresses)];
}

function checkText(subject: string, body: string) {
  // Whatever may end a line anywhere could begin a header of its own.
  if (/[\p{Cc}\u2028\u2029]/u.test(subject))
    throw refuse("its subject must be one line without control characters");
  if (subject.length > longestSubject)
    throw refuse(`its subject is longer than ${longestSubject} characters`);
  if (Buffer.byteLength(body) > largestBody) throw refuse("its body has more than 1 MiB");
  if (body.includes("\0")) throw refuse("its body holds a NUL character");
}

/** What mail may be lent: nothing unless it is allowed and all that it needs is set; the warnings say what is missing. */
export function lendMail(settings: MailSettings): { lend: Pick<Lend, "mail">; warnings: readonly string[] } {
  const { allowEmail, smtpUrl, emailFrom, emailRecipients } = settings;
  if (!allowEmail) return { lend: {}, warnings: [] };
  const off = (why: string) => ({ lend: {}, warnings: [`email is off: ${why}.`] });
  if (smtpUrl === undefined) return off("set OPENCLAW_SMTP_URL to the mail server");
  if (emailFrom === undefined) return off("set OPENCLAW_EMAIL_FROM to the sender");
  if (/[\p{Cc}]/u.test(emailFrom)) return off("OPENCLAW_EMAIL_FROM must be one line");
  if (emailRecipients.length === 0) return off("set OPENCLAW_EMAIL_RECIPIENTS to who may get mail");
  const server = readMailServer(smtpUrl);
  if (typeof server === "string") return off(server);
  const mail = (signal: AbortSignal): CanMail => ({
    async send({ to, subject, body }) {
      const recipients = checkRecipients(to, emailRecipients);
      checkText(subject, body);
      return sendMail(server, { from: emailFrom, to: recipients, subject, body }, signal);
    },
  });
  return { lend: { mail: (_caller, signal) => mail(signal) }, warnings: [] };
}
