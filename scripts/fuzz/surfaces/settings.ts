import { runExecutable } from "../../../test/helpers/executable.ts";
import { settingsTable } from "../../../src/config/settings.ts";
import { mutateBytes } from "../mutate.ts";
import type { Surface } from "../surface.ts";

const values: readonly [string, ...string[]] = [
  "true",
  "0",
  "18789",
  "127.0.0.1",
  "a=b,c=d",
  "https://a.example/v1",
  '[{"name":"a","schedule":"* * * * *","prompt":"p"}]',
  '{"a":{"prompt":"p"}}',
  "/tmp",
  "postgres://a:b@localhost:1/c",
];
/** What `--check` may end with. */
const goodCodes = [0, 2, 3];
/** A stack shows that an error came out that nobody expected. */
const stack = /\n\s+at .+:\d+|nobody caught|panic/;

/** Variables of the environment, one a line, in front of `--check`. */
export const settings: Surface = {
  name: "settings",
  make(random) {
    const names = Object.values(settingsTable).flatMap((rows) => Object.values(rows).map(({ env }) => env));
    const lines = Array.from({ length: 1 + random.below(5) }, () => {
      const value = random.pick(values);
      const odd = random.chance(0.6)
        ? Buffer.from(mutateBytes(Buffer.from(value), random)).toString()
        : value;
      return `${random.pick(names)}=${odd.replaceAll(/[\0\n]/g, "")}`;
    });
    return Buffer.from(lines.join("\n"));
  },
  async give(input) {
    const lines = Buffer.from(input).toString("utf8").split("\n");
    const env = Object.fromEntries(
      lines.flatMap((line) => {
        const at = line.indexOf("=");
        return at < 1 || line.includes("\0") ? [] : [[line.slice(0, at), line.slice(at + 1, 30_000)]];
      }),
    );
    const { code, stdout, stderr } = await runExecutable(["--check", "--json"], env);
    if (!goodCodes.includes(code)) return `ended --check with ${code}: ${(stdout + stderr).slice(0, 300)}`;
    return stack.test(stderr) ? `wrote a stack: ${stderr.slice(0, 500)}` : undefined;
  },
};
