import { expect, test } from "bun:test";
import { toMrkdwn } from "../../src/channels/slack-text.ts";
import { workedMs } from "../helpers/worked-ms.ts";

test("toMrkdwn makes a bold line of a heading, and leaves what is none", () => {
  expect(toMrkdwn("# One\n###  Two, or 2 \nthree")).toBe("*One*\n*Two, or 2*\nthree");
  for (const text of ["# ", "#   ", "#none", "# **bold", "####### seven"]) expect(toMrkdwn(text)).toBe(text);
});

test("toMrkdwn takes what is made to take long in little time", () => {
  // Four times a message: what grows with the square takes about ten seconds.
  const length = 160_000;
  const odd = ["# ", "[", "**a", "`", "``` ", "[a](http://", "[a](https://x ", "[a](https://x.test/", "\n# "];
  const answers = [`# ${" ".repeat(length)}*`, `# a${" ".repeat(length)}*`, `# ${"\t".repeat(length)}*`];
  const before = workedMs();
  for (const text of [...answers, ...odd.map((sign) => sign.repeat(length / sign.length))]) toMrkdwn(text);
  expect(workedMs() - before).toBeLessThan(3000);
});
