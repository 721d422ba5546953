import { expect, test } from "bun:test";
import { withRequestLimit } from "../../src/linux/exec.ts";

test("withRequestLimit sets the limit, keeps the certificates and drops every other name that steers Bun", () => {
  const environment = {
    PATH: "/bin",
    BUN_OPTIONS: "--preload ./x.ts",
    BUN_INSPECT: "ws://x",
    NODE_OPTIONS: "--require x",
    NODE_PATH: "/x",
    NODE_EXTRA_CA_CERTS: "/ca.pem",
    NODE_USE_SYSTEM_CA: "1",
    MISSING: undefined,
  };
  expect(withRequestLimit(environment)).toEqual({
    BUN_CONFIG_MAX_HTTP_REQUESTS: "2000",
    PATH: "/bin",
    NODE_EXTRA_CA_CERTS: "/ca.pem",
    NODE_USE_SYSTEM_CA: "1",
  });
});

test("withRequestLimit leaves a limit that the operator set", () => {
  expect(withRequestLimit({ BUN_CONFIG_MAX_HTTP_REQUESTS: "7" })).toEqual({
    BUN_CONFIG_MAX_HTTP_REQUESTS: "7",
  });
});
