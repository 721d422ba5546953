import { expect, test } from "bun:test";
import { inputPaths } from "../../scripts/built.ts";

test("inputPaths finds what the executable is made from, so that a change of it is built", async () => {
  expect(await inputPaths()).toEqual(
    expect.arrayContaining([
      "bun.lock",
      "package.json",
      "scripts/build.ts",
      "scripts/bun/install.mjs",
      "src/gateway/web/page/main.tsx",
      "src/main.ts",
      "src/turns/runner.ts",
      "tsconfig.json",
    ]),
  );
});
