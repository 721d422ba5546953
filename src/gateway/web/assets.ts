import style from "../../../dist/page/chat.css.txt";
import html from "../../../dist/page/chat.html.txt";
import script from "../../../dist/page/chat.js.txt";

export interface PageAsset {
  readonly body: string;
  readonly type: string;
  readonly etag: string;
}

const asset = (body: string, type: string): PageAsset => ({
  body,
  type: `${type}; charset=utf-8`,
  etag: `"${Bun.hash(body).toString(36)}"`,
});

/** The chat page by its paths. 150 kB of text: import this file when the page is first asked for. */
export const pageAssets: Readonly<Record<"/chat" | "/chat.js" | "/chat.css", PageAsset>> = {
  "/chat": asset(html, "text/html"),
  "/chat.js": asset(script, "text/javascript"),
  "/chat.css": asset(style, "text/css"),
};
