import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { startToolRun, type ToolRun } from "../helpers/tool-run.ts";

/** A user of this machine that nobody is: as root, programs become the owner of the workspace. */
const stranger = 10_001;
const isRoot = process.getuid?.() === 0;

/** Every flag that there is; what is asked outside is somewhere that nobody listens, until a test says where. */
const everyFlag = {
  OPENCLAW_ALLOWED_READ_ROOTS: ".",
  OPENCLAW_ALLOWED_WRITE_ROOTS: ".",
  OPENCLAW_AUTONOMY: "full",
  OPENCLAW_ALLOW_SHELL: "true",
  OPENCLAW_ALLOW_CODE: "javascript,python,bash,node",
  OPENCLAW_ALLOW_GIT: "true",
  OPENCLAW_ALLOW_GIT_FETCH: "true",
  OPENCLAW_ALLOW_GIT_PUSH: "true",
  OPENCLAW_ALLOW_WEB_FETCH: "true",
  OPENCLAW_ALLOW_WEB_SEARCH: "true",
  OPENCLAW_WEB_SEARCH_PROVIDER: "searxng",
  OPENCLAW_WEB_SEARCH_ENDPOINT: "http://127.0.0.1:9",
  OPENCLAW_ALLOW_BROWSER: "true",
  OPENCLAW_ALLOW_BROWSER_SCRIPT: "true",
  OPENCLAW_ALLOW_PDF: "true",
  OPENCLAW_ALLOW_DATABASE: "true",
  OPENCLAW_ALLOW_EMAIL: "true",
  OPENCLAW_SMTP_URL: "smtp://127.0.0.1:9",
  OPENCLAW_EMAIL_FROM: "agent@example.com",
  OPENCLAW_EMAIL_RECIPIENTS: "*@example.com",
  OPENCLAW_ALLOW_IMAGE_GEN: "true",
  OPENCLAW_IMAGE_ENDPOINT: "http://127.0.0.1:9/v1",
  OPENCLAW_PROJECT: "apollo",
  OPENCLAW_ALLOW_SCHEDULE: "true",
  OPENCLAW_ALLOW_DELEGATION: "true",
  OPENCLAW_AGENTS: JSON.stringify([
    { name: "scout", description: "Looks around.", systemPrompt: "Look around." },
  ]),
  // The sites, servers and repositories of the tests are on loopback.
  OPENCLAW_ALLOW_PRIVATE_NETWORK: "true",
};

export interface ToolWorkspace extends ToolRun {
  /** The workspace; as root it belongs to somebody else, who runs the programs. */
  readonly work: string;
  /** A folder beside it that nothing is granted of. */
  readonly outside: string;
  /** Path of a file of the workspace, made with these bytes. */
  put(name: string, bytes: string | Uint8Array): string;
  read(name: string): string;
}

export interface ToolWorkspaceOptions {
  /** Changes of the environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** False: with no flag at all. */
  readonly granted?: boolean;
  /** Words before the path of the executable. */
  readonly wrapper?: readonly string[];
}

/** The compiled executable over a workspace of its own, with every flag on, or none. */
export async function startToolWorkspace({
  env = {},
  granted = true,
  wrapper = [],
}: ToolWorkspaceOptions = {}): Promise<ToolWorkspace> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "openclaw-tools-")));
  const [work, outside] = [join(base, "work"), join(base, "outside")];
  for (const folder of [work, outside]) mkdirSync(folder);
  if (isRoot) for (const folder of [base, work]) chownSync(folder, stranger, stranger);
  const remove = () => rmSync(base, { recursive: true, force: true });
  try {
    const all = { OPENCLAW_WORKSPACE: work, ...(granted && everyFlag), ...env };
    const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const run = await startToolRun(Object.fromEntries(given), { wrapper });
    return {
      ...run,
      work,
      outside,
      put(name, bytes) {
        const path = join(work, name);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, bytes);
        if (isRoot) for (let own = path; own !== work; own = dirname(own)) chownSync(own, stranger, stranger);
        return path;
      },
      read: (name) => readFileSync(join(work, name), "utf8"),
      async [Symbol.asyncDispose]() {
        await run[Symbol.asyncDispose]();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
