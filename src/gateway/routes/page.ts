import type { App } from "../call.ts";
import { safeHeaders } from "../respond.ts";

/** Everything from here, nothing from elsewhere, no script or style inside the page. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const paths = ["/chat", "/chat.js", "/chat.css"] as const;

/** The chat page, which is embedded in the executable and read when it is first asked for. */
export function pageRoutes(app: App): void {
  app.get("/", () => new Response(null, { status: 302, headers: { ...safeHeaders, location: "/chat" } }));
  for (const path of paths) {
    app.get(path, async (c) => {
      const { pageAssets } = await import("../web/assets.ts");
      const { body, type, etag } = pageAssets[path];
      const headers = {
        ...safeHeaders,
        "content-security-policy": policy,
        "cross-origin-opener-policy": "same-origin",
        // Else the names of the links in an answer are looked up before anybody follows one.
        "x-dns-prefetch-control": "off",
        // Asked again each time, sent again only when it has changed.
        "cache-control": "no-cache",
        etag,
      };
      if (c.req.header("if-none-match") === etag) return new Response(null, { status: 304, headers });
      return new Response(body, { headers: { ...headers, "content-type": type } });
    });
  }
}
