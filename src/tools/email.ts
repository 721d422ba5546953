import * as v from "valibot";
import { defineTool } from "../sandbox/tool.ts";

const addresses = (to: string) => to.split(",").map((one) => one.trim());

export const email = defineTool({
  name: "email",
  description: "Send a mail as plain text to recipients that are allowed.",
  needs: ["mail"],
  effect: () => "reaches_out",
  pattern: ({ to }) => `to ${addresses(to).toSorted().join(", ")}`,
  input: v.object({
    to: v.pipe(
      v.string(),
      v.nonEmpty(),
      v.maxLength(6000),
      v.description("Recipients: plain addresses such as ada@example.com, separated by commas."),
    ),
    subject: v.pipe(v.string(), v.nonEmpty(), v.description("One line.")),
    body: v.pipe(v.string(), v.maxLength(1_048_576), v.description("The text.")),
  }),
  async run({ to, subject, body }, can) {
    const { id, rejected } = await can.mail.send({
      to: addresses(to),
      subject,
      body,
    });
    const left = rejected.length === 0 ? "" : `\n[The mail server did not take: ${rejected.join(", ")}]`;
    return `Sent. Message id: ${id}${left}`;
  },
});
