import { basename, dirname, join } from "node:path";
import { type Folders, isWithin, missingFolders, realFolders, realPath } from "./folders.ts";
import type { Problem, SettingFile } from "./load.ts";
import { refuseWebhooks } from "./refuse-webhooks.ts";
import type { Settings } from "./settings.ts";
import { isLoopback } from "./values.ts";

/** True when the built-in offline model would answer: it is asked for, or no model is named in any way. */
export const usesDemo = ({ provider, key, endpoint, model, providers }: Settings["llm"]) =>
  provider === "demo" ||
  ([provider, key, endpoint, model].every((value) => value === undefined) && providers.length === 0);

/**
 * True when what is granted could come back at this server's own door: a program, a page or a private address. Then not
 * even callers on this machine are let in without a token, or an agent could approve its own calls.
 */
export const couldCallItself = ({ sandbox }: Pick<Settings, "sandbox">): boolean =>
  sandbox.allowShell ||
  sandbox.allowGit ||
  sandbox.allowBrowser ||
  sandbox.allowPrivateNetwork ||
  sandbox.allowProcessNetwork ||
  sandbox.allowCode.some((language) => language !== "javascript");

/**
 * What is right by itself but must not be served: each with the setting to change. `executable` is the path of this program,
 * `files` are those that settings were read from.
 */
export const refusals = (
  settings: Settings,
  executable: string,
  files: readonly SettingFile[] = [],
): readonly Problem[] => [
  ...missingFolders(settings),
  ...refuseOverlaps(settings, realPath(executable)),
  ...refuseFiles(settings, files),
  ...refuseTokens(settings),
  ...refuseDemo(settings),
  ...refuseWebhooks(settings),
  ...(isLoopback(settings.gateway.bindAddress) ? [] : refusePublic(settings)),
];

/** What must not be served beyond loopback where programs run without a sandbox; undefined when it may. `works` was tried out. */
export function refuseUnconfined({ gateway, sandbox }: Settings, works: boolean): string | undefined {
  const runs = sandbox.allowShell
    ? "OPENCLAW_ALLOW_SHELL is true"
    : sandbox.allowCode.some((language) => language !== "javascript")
      ? `OPENCLAW_ALLOW_CODE holds ${sandbox.allowCode.join(",")}`
      : undefined;
  if (runs === undefined || works || isLoopback(gateway.bindAddress)) return undefined;
  return `OPENCLAW_BIND_ADDRESS is ${gateway.bindAddress}, which others can reach, and ${runs}, but programs have no working sandbox here. Take that away, bind to 127.0.0.1, or mend the sandbox (openclaw --check says what it lacks).`;
}

/** Every granted folder with the setting that grants it; what may be written comes first. */
const grantedFolders = ({ workspace, readRoots, writeRoots }: Folders) => [
  ...writeRoots.map((folder) => ({ env: "OPENCLAW_ALLOWED_WRITE_ROOTS", folder })),
  ...readRoots.map((folder) => ({ env: "OPENCLAW_ALLOWED_READ_ROOTS", folder })),
  ...(workspace === undefined ? [] : [{ env: "OPENCLAW_WORKSPACE", folder: workspace }]),
];

/** The kernel's rules grant a tree; they cannot carve a folder out of it. */
function refuseOverlaps(settings: Settings, executable: string): readonly Problem[] {
  const folders = realFolders(settings);
  const { data, writeRoots } = folders;
  const overData = grantedFolders(folders)
    .filter(({ folder }) => isWithin(data, folder) || isWithin(folder, data))
    .map(({ env, folder }) => ({
      env,
      text: `${env} holds ${folder}, which overlaps the data folder ${data}: an agent could reach sessions and tokens. Move one of them, the data folder by OPENCLAW_DATA_DIR.`,
    }));
  const overExecutable = writeRoots
    .filter((folder) => isWithin(executable, folder))
    .map((folder) => ({
      env: "OPENCLAW_ALLOWED_WRITE_ROOTS",
      text: `OPENCLAW_ALLOWED_WRITE_ROOTS holds ${folder}, and this executable lies in it (${executable}): an agent could change the next start. Move the executable, or grant a folder without it.`,
    }));
  return [...overData, ...overExecutable];
}

/** A secret lies where no tool may read it, and every other file of a setting where none may write it. */
function refuseFiles(settings: Settings, files: readonly SettingFile[]): readonly Problem[] {
  const granted = grantedFolders(realFolders(settings));
  return files.flatMap(({ variable, path, secret }) => {
    // A link can be put elsewhere where it lies, and its file be read where that lies.
    const places = [realPath(path), join(realPath(dirname(path)), basename(path))];
    const found = granted.find(
      ({ env, folder }) =>
        (secret || env === "OPENCLAW_ALLOWED_WRITE_ROOTS") && places.some((place) => isWithin(place, folder)),
    );
    if (found === undefined) return [];
    const harm = secret ? "read the secret" : "change this setting";
    return [
      {
        env: variable,
        text: `${variable} names ${path}, which lies in ${found.folder} (${found.env}): an agent could ${harm}. Move the file out of what is granted.`,
      },
    ];
  });
}

function refuseTokens({ gateway }: Settings): readonly Problem[] {
  const { authToken, clientTokens } = gateway;
  const env = "OPENCLAW_CLIENT_TOKENS";
  if (clientTokens.length > 0 && authToken === undefined) {
    const text = `${env} is set but OPENCLAW_AUTH_TOKEN is not, so everybody would be the operator. Set it to the output of: openssl rand -hex 32`;
    return [{ env, text }];
  }
  const same = clientTokens.find(({ token }) => token === authToken);
  if (same === undefined) return [];
  const text = `${env} gives ${same.name} the token of OPENCLAW_AUTH_TOKEN, which makes its holder the operator. Give each a token of its own: openssl rand -hex 32`;
  return [{ env, text }];
}

const refuseDemo = ({ llm }: Settings): readonly Problem[] =>
  llm.requireModel && usesDemo(llm)
    ? [
        {
          env: "OPENCLAW_REQUIRE_MODEL",
          text: `OPENCLAW_REQUIRE_MODEL is true, but no model is set up. ${setModel}`,
        },
      ]
    : [];

const setModel = "Set MODEL_PROVIDER_KEY, or MODEL_PROVIDER_ENDPOINT and MODEL_PROVIDER_MODEL.";

/** Beyond loopback strangers can knock. */
function refusePublic(settings: Settings): readonly Problem[] {
  const { gateway, llm, channels } = settings;
  const { readRoots, writeRoots } = realFolders(settings);
  const here = `OPENCLAW_BIND_ADDRESS is ${gateway.bindAddress}, which others can reach`;
  const rules = [
    {
      env: "OPENCLAW_AUTH_TOKEN",
      broken: gateway.authToken === undefined,
      text: `${here}, but OPENCLAW_AUTH_TOKEN is not set. Set it to the output of: openssl rand -hex 32`,
    },
    {
      env: "MODEL_PROVIDER",
      broken: usesDemo(llm) && !llm.requireModel,
      text: `${here}, but only the demo model is set up. ${setModel}`,
    },
    {
      env: "OPENCLAW_ALLOW_QUERY_TOKEN",
      broken: gateway.allowQueryToken,
      text: `${here}, and OPENCLAW_ALLOW_QUERY_TOKEN is true, which puts tokens into logs and histories. Set it to false.`,
    },
    {
      env: "OPENCLAW_PUBLIC_URL",
      broken:
        channels.publicUrl === undefined &&
        [channels.twilioAccount, channels.twilioToken, channels.twilioFrom].every(
          (each) => each !== undefined,
        ),
      text: `${here}, and SMS is on (TWILIO_*), but OPENCLAW_PUBLIC_URL is not set, so no signature can be checked. Set it to the address that Twilio calls, such as https://agent.example.com`,
    },
    {
      env: "OPENCLAW_ALLOWED_READ_ROOTS",
      broken: [...readRoots, ...writeRoots].includes("/"),
      text: `${here}, and OPENCLAW_ALLOWED_READ_ROOTS or OPENCLAW_ALLOWED_WRITE_ROOTS holds / (or *): every file. Name folders.`,
    },
  ];
  return rules.filter((rule) => rule.broken).map(({ env, text }) => ({ env, text }));
}
