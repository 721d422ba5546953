import { expect, test } from "bun:test";
import { runExecutable } from "../helpers/executable.ts";

const secrets = { OPENCLAW_AUTH_TOKEN: "the-operators-own-token", MODEL_PROVIDER_KEY: "sk-0123456789abcdef" };

test("openclaw config tells every setting with its source, and no secret", async () => {
  const { code, stdout } = await runExecutable(["config"], {
    ...secrets,
    OpenClaw__Port: "18123",
    OPENCLAW_PORT: "",
    MODEL_PROVIDER_ENDPOINT: "https://me:pa@ss-word@gw.example/v1?a=b@c",
  });
  expect(code).toBe(0);
  const lines = stdout.split("\n");
  expect(lines).toContain("OPENCLAW_AUTH_TOKEN = set (hidden)");
  expect(lines).toContain('OPENCLAW_PORT = "18123" (OpenClaw__Port)');
  expect(lines).toContain('MODEL_PROVIDER_ENDPOINT = "https://(hidden)@gw.example/v1?a=b@c"');
  expect(lines).toContain('OPENCLAW_DRAIN_SECONDS = "15" (default)');
  expect(lines).toContain("OPENCLAW_SYSTEM_PROMPT = (not set)");
  for (const secret of Object.values(secrets)) expect(stdout).not.toContain(secret);
});

test("openclaw config ends with 2 for a value that is wrong and a name that is none, and tells both", async () => {
  const { code, stdout } = await runExecutable(["config", "--json"], {
    OPENCLAW_PORT: "x",
    OPENCLAW_PROT: "1",
  });
  expect(code).toBe(2);
  const { ok, problems, notes, settings } = JSON.parse(stdout);
  expect(ok).toBe(false);
  expect(problems).toMatchObject([{ env: "OPENCLAW_PORT" }]);
  expect(notes).toMatchObject([{ kind: "unknown", text: expect.stringContaining("OPENCLAW_PORT") }]);
  expect(settings.length).toBeGreaterThan(50);
});
