import { type Attack, rows } from "../attack.ts";
import type { Target } from "./processes.ts";

/** Each in a session of its own, closed at its end. */
const visit = (url: string, ...more: readonly object[]) => [
  { action: "goto", url },
  ...more,
  { action: "get_text" },
  { action: "close" },
];

export function browserAttacks({ servers, ownUrl, place: { outside } }: Target): readonly Attack[] {
  const { site, canary, canaryPort } = servers;
  const refused = [
    `${canary}/browser`,
    `http://localhost:${canaryPort}/`,
    `http://2130706433:${canaryPort}/`,
    `http://[::ffff:127.0.0.1]:${canaryPort}/`,
    `${ownUrl}/chat`,
    "http://169.254.169.254/",
    "file:///etc/shadow",
    `file://${outside}/secret`,
    "chrome://settings",
    "chrome://version",
    "devtools://devtools/bundled/inspector.html",
    "view-source:file:///etc/shadow",
    "javascript:document.cookie",
    "data:text/html,<script>location='file:///etc/shadow'</script>",
    "chrome-extension://x/y",
    "http://user:pass@127.0.0.1/",
    "nonsense",
  ];
  const pages = [
    "calls-out",
    "meta-refresh",
    "file-frame",
    "dialogs",
    "escapes",
    "huge-title",
    "long",
    "download",
    "to-canary",
  ];
  return [
    ...rows(
      "browser",
      { refused: true },
      refused.map((url) => [`goes to ${url}`, { action: "goto", url }]),
    ),
    ...rows(
      "browser",
      {},
      pages.map((path) => [`opens ${path}`, visit(`${site}/${path}`)]),
    ),
    ...rows("browser", {}, [
      ["sends a form to the canary", visit(`${site}/form`, { action: "click", selector: "#go" })],
      ["opens many windows", visit(`${site}/popups`, { action: "click", selector: "#go" })],
      [
        "fetches the canary by a script",
        visit(`${site}/`, {
          action: "evaluate",
          script: `fetch("${canary}/evaluate").then(r=>r.text(),String)`,
        }),
      ],
      [
        "fetches the server itself",
        visit(`${site}/`, {
          action: "evaluate",
          script: `fetch("${ownUrl}/health",{mode:"no-cors"}).then(r=>r.type,String)`,
        }),
      ],
      [
        "fetches a file",
        visit(`${site}/`, {
          action: "evaluate",
          script: `fetch("file://${outside}/secret").then(r=>r.text(),String)`,
        }),
      ],
      [
        "leaves for a file by a script",
        visit(`${site}/`, { action: "evaluate", script: `location.href="file://${outside}/secret"` }),
      ],
      [
        "gives back a hundred megabytes",
        visit(`${site}/`, { action: "evaluate", script: "'x'.repeat(1e8)" }),
      ],
      ["gives back what circles", visit(`${site}/`, { action: "evaluate", script: "window" })],
      ["keeps a picture outside", visit(`${site}/`, { action: "screenshot", value: "../outside/fresh" })],
      ["keeps a picture through a link", visit(`${site}/`, { action: "screenshot", value: "out/fresh" })],
      [
        "clicks what is a program",
        visit(`${site}/`, { action: "click", selector: "xpath=//x[system('id')]" }),
      ],
      [
        "fills a megabyte of escapes",
        visit(`${site}/`, { action: "fill", selector: "#text", value: "\u001b[2J\u202e".repeat(10_000) }),
      ],
    ]),
  ];
}
