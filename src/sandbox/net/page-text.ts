import { Readability } from "@mozilla/readability";
import { parseHTML } from "linkedom/worker";
import { NodeHtmlMarkdown } from "node-html-markdown";
import type { WebPage } from "../can-web.ts";

const mostLinks = 50;
const longestTitle = 300;
const longestLinkText = 120;
const longestLink = 300;
/** An article with less text than this is taken only when it is most of the page. */
const sureLength = 500;
const shareOfPage = 0.3;
/** What is not text, or text for nobody. */
const silent = "script,style,noscript,template,svg,iframe,object,embed,canvas,link,meta,base,input,select";

const oneLine = (text: string | null | undefined, most: number): string => {
  const line = (text ?? "").replaceAll(/\s+/g, " ").trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
};

/** A link of the web as a whole address; others (`javascript:`, `data:`, `mailto:`) are none. */
function absolute(href: string | null, base: string): string | undefined {
  const url = href === null ? null : URL.parse(href, base);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  // These would end a link in Markdown.
  return url.href.replaceAll("(", "%28").replaceAll(")", "%29");
}

/** The document with its links made whole and what is silent taken out. */
function parse(html: string, url: string): Document {
  // Without both, everything would stand outside of a body.
  const whole = /<body[\s>]/i.test(html)
    ? html
    : `<!doctype html><html><head></head><body>${html}</body></html>`;
  const { document } = parseHTML(whole);
  const base = absolute(document.querySelector("base")?.getAttribute("href") ?? "", url) ?? url;
  for (const element of document.querySelectorAll(silent)) element.remove();
  for (const image of document.querySelectorAll("img,picture,video,audio")) {
    const said = oneLine(image.getAttribute("alt"), longestLinkText);
    image.replaceWith(said === "" ? "" : `(Image: ${said})`);
  }
  for (const link of document.querySelectorAll("a")) {
    const href = absolute(link.getAttribute("href"), base);
    if (href === undefined) link.removeAttribute("href");
    else link.setAttribute("href", href);
  }
  return document;
}

/** Links of the page that do not stand in its text (menus, lists beside it), each once. */
function otherLinks(document: Document, markdown: string): WebPage["links"] {
  const found = new Map<string, string>();
  for (const link of document.querySelectorAll("a[href]")) {
    if (found.size === mostLinks) break;
    const href = link.getAttribute("href") ?? "";
    const text = oneLine(link.textContent, longestLinkText);
    if (text === "" || href.length > longestLink) continue;
    if (!found.has(href) && !markdown.includes(href)) found.set(href, text);
  }
  return [...found].map(([url, text]) => ({ url, text }));
}

function articleOf(html: string, url: string): { html: string; title: string; length: number } | undefined {
  try {
    const article = new Readability(parse(html, url)).parse();
    const text = article?.textContent?.trim() ?? "";
    if (article?.content == null || text === "") return undefined;
    return { html: article.content, title: article.title ?? "", length: text.length };
  } catch {
    // It stumbles over some pages; the whole page is there then.
    return undefined;
  }
}

/** The main text of a page as Markdown; all of its text where no main text stands out. For pages of strangers: may take for ever. */
export function pageText(html: string, url: string): WebPage {
  const document = parse(html, url);
  const title = document.querySelector("title")?.textContent;
  const all = document.body.textContent?.trim().length ?? 0;
  const article = articleOf(html, url);
  const isMain =
    article !== undefined && (article.length >= sureLength || article.length >= all * shareOfPage);
  const markdown = NodeHtmlMarkdown.translate(isMain ? article.html : document.body.innerHTML).trim();
  return {
    title: oneLine(isMain && article.title !== "" ? article.title : title, longestTitle),
    markdown,
    links: otherLinks(document, markdown),
  };
}
